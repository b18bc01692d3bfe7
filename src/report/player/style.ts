/** How the player looks: in dark, in light, at a projector, on a telephone and on paper. */

export const PLAYER_STYLE = `
.player { --soft: color-mix(in srgb, var(--ink) 4%, var(--paper));
  --mark: color-mix(in srgb, var(--series-4) 24%, var(--paper));
  --flag: color-mix(in srgb, var(--heat) 9%, var(--paper));
  display: flex; flex-direction: column; gap: .7rem; }
.player:focus { outline: none; }
.player :focus-visible { outline: 2px solid var(--series-0); outline-offset: 2px; }
.player h2, .player h3 { margin: 0; font-size: 1rem; line-height: 1.35; }
.player .tale h2 { margin-top: 1rem; }
.player small { font-weight: normal; font-size: .85em; color: var(--faint); }
.player pre, .player code, .player .card ul { font-family: ui-monospace, monospace; }
.player button { font: inherit; font-size: .9rem; line-height: 1.4; padding: .12rem .6rem;
  min-width: 2.5rem; color: var(--ink); background: var(--paper); border: 1px solid var(--faint);
  border-radius: 4px; cursor: pointer; }
.player button:hover { background: var(--soft); }
.player del { text-decoration-thickness: 1px; color: var(--faint); }
.player ins { text-decoration: none; font-weight: bold; }
.player .where, .player .faint { color: var(--faint); }

.player .bar { background: var(--paper); padding: .2rem 0; }
.player .lanes { display: flex; gap: .6rem; padding-top: 1.5rem; }
.player .names { flex: none; color: var(--faint); font-size: .8rem; text-align: right; }
.player .names span { display: block; line-height: 1.4; }
.player[data-which='0'] .names span:nth-child(1), .player[data-which='1'] .names span:nth-child(2) {
  color: var(--ink); font-weight: bold; }
.player .strip { flex: 1; min-width: 0; position: relative; margin-right: 7px; }
.player .strip svg { display: block; width: 100%; }
.player .lane { fill: color-mix(in srgb, var(--ink) 9%, var(--paper)); }
.player .told { stroke: var(--ink); stroke-width: 1.5px; vector-effect: non-scaling-stroke; }
.player .parts { stroke: var(--ink); stroke-width: 1.5px; stroke-dasharray: 4 3;
  vector-effect: non-scaling-stroke; }
.player input { --thumb: linear-gradient(var(--ink) 0 0) center / 3px 100% no-repeat;
  position: absolute; left: -7px; top: -4px; height: calc(100% + 8px); margin: 0; padding: 0;
  width: calc(100% * var(--share) + 14px); box-sizing: border-box;
  appearance: none; background: none; cursor: ew-resize; border-radius: 4px; }
.player input::-webkit-slider-runnable-track { height: 100%; }
.player input::-webkit-slider-thumb { appearance: none; width: 14px; height: 100%; border: 0;
  border-radius: 3px; background: var(--thumb); }
.player input::-moz-range-thumb { width: 14px; height: 100%; border: 0; border-radius: 3px;
  background: var(--thumb); }
.player .flags button { position: absolute; top: -1.55rem; transform: translateX(-50%);
  min-width: 1.3rem; padding: 0 .3rem; font-size: .8rem; line-height: 1.3; font-weight: bold;
  color: var(--heat); border-color: var(--heat); background: var(--flag); }
.player .controls { display: flex; flex-wrap: wrap; align-items: center; gap: .35rem;
  margin: .6rem 0 .3rem; }
.player .beside { margin-left: .5rem; color: var(--faint); font-size: .9rem; }
.player output { display: block; font-size: 1.05rem; min-height: 1.45em; overflow-wrap: anywhere; }

.player .cpus { display: grid; gap: .8rem;
  grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); }
.player .cpu { border: 1px solid var(--line); border-top: 4px solid var(--cpu); min-width: 0;
  background: var(--soft); padding: .3rem .7rem .4rem; border-radius: 0 0 6px 6px; }
.player .cpu.now { background: var(--paper); border-color: var(--cpu);
  box-shadow: 0 0 0 2px var(--cpu); }
.player .cpu h2 b { margin-left: .5rem; font-weight: normal; }
.player .cpu p { margin: 0; overflow-wrap: anywhere; font-size: .88rem; }
.player .done { min-height: 2.7rem; }
.player .done p { display: inline; }
.player .done p + p::before { content: ' · '; color: var(--faint); }
.player .source { margin: .3rem 0; font-size: 12.5px; line-height: 18px; height: 138px;
  overflow: auto hidden; scrollbar-width: thin; }
.player .source span, .player .source mark { display: block; width: max-content; min-width: 100%;
  background: none; color: inherit; }
.player .source mark { background: var(--mark); font-weight: bold; }
.player .source i { display: inline-block; width: 2.4em; margin-right: 1em; text-align: right;
  font-style: normal; font-weight: normal; color: var(--faint); }
.player .source mark i { color: inherit; }

.player .panes { display: grid; gap: .8rem; }
.player .when { position: sticky; top: 0; background: var(--paper); padding-bottom: .3rem; }
.player .cards { display: grid; gap: .5rem .7rem; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(19rem, 100%), 1fr)); }
.player .card { border: 1px solid var(--line); border-radius: 6px; padding: .25rem .6rem;
  min-width: 0; }
.player .pgdirs-card, .player .frames-card { grid-column: 1 / -1; }
.player .pgdirs-card { background: var(--soft); }
.player .card.touched { border-color: var(--series-4); box-shadow: 0 0 0 1px var(--series-4); }
.player .card h3 { font-size: .88rem; }
.player .card ul { list-style: none; margin: 0; padding: 0; font-size: 12.5px; line-height: 1.45; }
.player .card li { padding-left: calc(var(--depth) * 1.1rem + 1em); text-indent: -1em;
  overflow-wrap: anywhere; }
.player .pgdirs-card li { display: inline; padding: 0; }
.player .pgdirs-card li + li::before { content: ' · '; }
.player .frames-card ul { columns: 18rem; }
.player .card .changed { background: var(--mark); box-shadow: -3px 0 0 var(--series-4); }
.player .changed small { color: inherit; }
.player .token { display: block; font-size: 12px; overflow-wrap: anywhere; color: var(--faint); }

.story { width: 100%; border-collapse: separate; border-spacing: 0; table-layout: fixed;
  font-size: .88rem; }
.story caption { text-align: left; color: var(--faint); padding: 0 0 .3rem; }
.story thead th { position: sticky; top: 0; background: var(--paper); text-align: left; }
.story tr > :first-child { width: 2.6rem; text-align: right; }
.story th, .story td { padding: .15rem .5rem; vertical-align: top; overflow-wrap: anywhere;
  border-bottom: 1px solid var(--line); }
.story tbody th { color: var(--faint); font-weight: normal; font-variant-numeric: tabular-nums; }
.story p, .story pre { margin: 0; }
.story pre { white-space: pre-wrap; font: 12px/1.4 ui-monospace, monospace; }
.story .where, .story .event td, .story .turn td { color: var(--faint); }
.story .operation td, .story .migration td { color: var(--series-0); font-weight: bold; }
.story .turn td { font-style: italic; border-bottom-style: dashed; }
.story .parting td { color: var(--series-3); font-weight: bold; text-align: center;
  border-bottom-style: dashed; }
.story .flagged td:not(:empty) { background: color-mix(in srgb, var(--heat) 9%, var(--paper)); }
.story strong { display: block; color: var(--heat); }
.player .story caption, .player .story pre, .player .story .where { display: none; }
.player .story tr[data-step] { cursor: pointer; }
.player .story tr[data-step]:hover td { background: var(--soft); }
.player .story tr[aria-current] > * { border-block: 2px solid var(--series-0); }
.player .story tr[aria-current] > th { color: var(--paper); background: var(--series-0); }
.player[data-which='0'] .tale[data-which='1'], .player[data-which='1'] .tale[data-which='0'] {
  display: none; }

@media (min-width: 60rem) {
  .player .panes { grid-template-columns: minmax(0, 5fr) minmax(0, 7fr); }
}
/* Both stories beside one another. */
@media (min-width: 100rem) {
  .player .panes:has(.tale ~ .tale) { grid-template-columns:
    minmax(0, 4fr) minmax(0, 4fr) minmax(0, 7fr); }
  .player .panes .tale[data-which] { display: block; }
}
@media (min-width: 60rem) and (min-height: 40rem) {
  .player { height: 100%; min-height: 0; }
  .player .panes { flex: 1; min-height: 0; grid-auto-rows: minmax(0, 1fr); }
  .player .pane { overflow: auto; }
}
@media (max-width: 59.99rem) {
  .player .bar { position: sticky; top: 0; z-index: 1; border-bottom: 1px solid var(--line); }
  .player .cpu:not(.now) { display: none; }
  .player .tale { order: 2; }
  .player .names { display: none; }
  .player .flags .before { transform: translateX(-95%); }
  .player .flags .after { transform: translateX(-5%); }
  .player .strip { margin-left: 7px; }
}
@media print {
  .player .bar, .player .cpus, .player .machine, .player button { display: none; }
  .player .story caption { display: table-caption; }
  .player .story .where, .player .story pre { display: block; }
  .player .tale[data-which] { display: block; overflow: visible; }
  .player .story tr[aria-current] > * { border-block: 0 solid; }
  .player .story tr[aria-current] > th { color: inherit; background: none; }
  tr { break-inside: avoid; }
  .story thead th { position: static; }
}
`;

/** Of the page around it. */
export const PAGE_STYLE = `
body { margin: 0; color: var(--ink); background: var(--paper);
  font: 16px/1.45 system-ui, sans-serif; }
header, main { box-sizing: border-box; width: 100%; max-width: 120rem; margin: 0 auto;
  padding: 0 1rem; }
h1 { font-size: 1.3rem; line-height: 1.3; margin: .5rem 0 0; }
h2 { font-size: 1.05rem; margin: 1rem 0 .2rem; }
ul { margin: 0; padding-left: 1.2rem; }
header p { margin: 0; }
header { display: flex; flex-wrap: wrap; align-items: baseline; column-gap: 1rem; }
header p:last-child { flex-basis: 100%; }
.setting { color: var(--faint); }
.bad { color: var(--heat); font-weight: bold; }
@media screen and (min-width: 60rem) and (min-height: 40rem) {
  body:has(.player) { height: 100dvh; display: flex; flex-direction: column; }
  body:has(.player) main { flex: 1; min-height: 0; padding-bottom: .6rem; }
}
`;
