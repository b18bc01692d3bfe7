/** How the player looks: in dark, in light, at a projector, on a telephone and on paper. */

export const PLAYER_STYLE = `
.player { --soft: color-mix(in srgb, var(--ink) 5%, var(--paper));
  --mark: color-mix(in srgb, var(--series-4) 22%, var(--paper));
  --flag: color-mix(in srgb, var(--heat) 10%, var(--paper)); }
.player h3, .player h4 { margin: 0; font-size: 1rem; line-height: 1.3; }
.player small { font-weight: normal; color: var(--faint); }
.player pre, .player code, .player .machine ul { font-family: ui-monospace, monospace; }
.player .bar { position: sticky; top: 0; z-index: 1; background: var(--paper); padding: .4rem 0; }
.player { display: flex; flex-direction: column; gap: .6rem; }
.player:focus { outline: none; }
.player .lanes { position: relative; margin: 1.4rem 7px 0; }
.player .lanes svg { display: block; width: 100%; }
.player .lane { fill: var(--soft); }
.player .told { stroke: var(--ink); stroke-width: 1.5px; vector-effect: non-scaling-stroke; }
.player .parts { stroke: var(--ink); stroke-width: 1.5px; stroke-dasharray: 4 3;
  vector-effect: non-scaling-stroke; }
.player input { position: absolute; left: -7px; top: -3px; height: calc(100% + 6px); margin: 0;
  padding: 0; min-width: 14px; box-sizing: content-box; appearance: none; background: none;
  cursor: ew-resize; border-radius: 4px; }
.player input::-webkit-slider-runnable-track { height: 100%; }
.player input::-webkit-slider-thumb { appearance: none; width: 14px; height: 100%; border: 0;
  border-radius: 3px; background: linear-gradient(var(--ink) 0 0) center / 3px 100% no-repeat; }
.player input::-moz-range-thumb { width: 14px; height: 100%; border: 0; border-radius: 3px;
  background: linear-gradient(var(--ink) 0 0) center / 3px 100% no-repeat; }
.player .flags button { position: absolute; top: -1.45rem; transform: translateX(-50%);
  padding: 0 .3rem; font-size: .8rem; line-height: 1.3; font-weight: bold; color: var(--heat);
  border-color: var(--heat); background: var(--flag); }
.player button { font: inherit; font-size: .9rem; line-height: 1.4; padding: .15rem .6rem;
  color: var(--ink); background: var(--paper); border: 1px solid var(--faint); border-radius: 4px;
  cursor: pointer; }
.player .controls { display: flex; flex-wrap: wrap; align-items: center; gap: .35rem;
  margin: .5rem 0 0; }
.player output { display: block; margin-top: .3rem; overflow-wrap: anywhere; }
.player .beside { margin-left: .6rem; color: var(--faint); font-size: .9rem; }
.player .cpus { display: grid; gap: .8rem;
  grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); }
.player .cpu { border-top: 4px solid var(--cpu); background: var(--soft); padding: .4rem .7rem;
  border-radius: 0 0 6px 6px; min-width: 0; opacity: .8; }
.player .cpu.now { opacity: 1; background: var(--paper); outline: 2px solid var(--cpu); }
.player .cpu p { margin: .1rem 0; overflow-wrap: anywhere; }
.player .where, .player .done { font-size: .85rem; }
.player .where, .player .faint { color: var(--faint); }
.player .source { margin: .3rem 0; font-size: 12.5px; line-height: 18px; height: 166px; overflow: auto;
  background: var(--paper); }
.player .source span, .player .source mark { display: block; width: max-content; min-width: 100%;
  background: none; color: inherit; }
.player .source mark { background: var(--mark); font-weight: bold; }
.player .source i { display: inline-block; width: 2.6em; margin-right: .9em; text-align: right;
  font-style: normal; font-weight: normal; color: var(--faint); }
.player .panes { display: grid; gap: .8rem; }
.player del { text-decoration-thickness: 1px; color: var(--faint); }
.player ins { text-decoration: none; font-weight: bold; }
.player .machine .cards { display: grid; gap: .5rem .8rem; margin-top: .3rem;
  grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); align-items: start; }
.player .card { border: 1px solid var(--line); border-radius: 6px; padding: .3rem .6rem;
  min-width: 0; }
.player .card.pgdirs { grid-column: 1 / -1; background: var(--soft); }
.player .card.touched { border-color: var(--series-4); }
.player .card h4 { font-size: .85rem; }
.player .card ul { list-style: none; margin: 0; padding: 0; font-size: 12.5px; line-height: 1.45; }
.player .card li { padding-left: calc(var(--depth) * 1rem + 1em); text-indent: -1em;
  overflow-wrap: anywhere; }
.player .card.pgdirs li { display: inline; padding: 0; }
.player .card.pgdirs li + li::before { content: ' · '; }
.player .card .changed { background: var(--mark); box-shadow: -3px 0 0 var(--series-4); }
.player .end { margin-top: 1rem; }
.player .token { display: block; font-size: 12px; overflow-wrap: anywhere; color: var(--faint); }
.story { width: 100%; border-collapse: collapse; table-layout: fixed; font-size: .9rem; }
.story caption { text-align: left; color: var(--faint); padding: .3rem 0; }
.story thead th { position: sticky; top: 0; background: var(--paper); text-align: left; }
.story tr > :first-child { width: 3.2rem; text-align: right; }
.story th, .story td { padding: .2rem .5rem; vertical-align: top; overflow-wrap: anywhere;
  border-bottom: 1px solid var(--line); }
.story tbody th { color: var(--faint); font-weight: normal; }
.story p, .story pre { margin: 0; }
.story pre { white-space: pre-wrap; font: 12px/1.4 ui-monospace, monospace; }
.story .where, .story .event td, .story .turn td { color: var(--faint); }
.story .operation td, .story .migration td { color: var(--series-0); font-weight: bold; }
.story .turn td, .story .parting td { font-style: italic; border-bottom-style: dashed; }
.story .parting td { color: var(--series-3); font-weight: bold; text-align: center; }
.story .flagged td:not(:empty) { background: color-mix(in srgb, var(--heat) 10%, var(--paper)); }
.story strong { display: block; color: var(--heat); }
.player .story tr[data-step] { cursor: pointer; }
.player .story tr[aria-current] { outline: 3px solid var(--series-0); outline-offset: -2px; }
:focus-visible { outline: 3px solid var(--series-0); outline-offset: 2px; }
@media (min-width: 60rem) {
  .player .panes { grid-template-columns: minmax(0, 5fr) minmax(0, 6fr); }
}
@media (min-width: 60rem) and (min-height: 40rem) {
  .player { height: 100%; min-height: 0; }
  .player .panes { flex: 1; min-height: 12rem; }
  .player .pane { overflow: auto; min-height: 0; }
}
@media print {
  .player .bar, .player .cpus, .player .machine { display: none; }
  .player .pane { overflow: visible; }
  tr { break-inside: avoid; }
  .story thead th { position: static; }
}
`;

/** Of the page around it. */
export const PAGE_STYLE = `
body { margin: 0; color: var(--ink); background: var(--paper);
  font: 16px/1.45 system-ui, sans-serif; }
header, main { box-sizing: border-box; width: 100%; max-width: 110rem; margin: 0 auto;
  padding: 0 1rem; }
h1 { font-size: 1.3rem; margin: .5rem 0 0; }
h2 { font-size: 1.1rem; margin: 1rem 0 .3rem; }
header p { margin: 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .4rem 0; }
dt { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; }
.setting { color: var(--faint); }
.bad { color: var(--heat); font-weight: bold; }
@media screen and (min-width: 60rem) and (min-height: 40rem) {
  body:has(.player) { height: 100dvh; display: flex; flex-direction: column; }
  body:has(.player) main { flex: 1; min-height: 0; padding-bottom: .6rem; }
}
`;
