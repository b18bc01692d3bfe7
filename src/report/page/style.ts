/** How a report looks: in dark, in light and on paper. */

export const STYLE = `
body { margin: 0; color: var(--ink); background: var(--paper); font: 16px/1.5 system-ui, sans-serif; }
header, main, footer { max-width: 66rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 1.5rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.5rem; margin: 2.5rem 0 .5rem; border-bottom: 2px solid var(--line); }
h3 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
a { color: var(--series-0); }
.skip { position: absolute; left: -99rem; }
.skip:focus { position: static; }
nav ol { padding-left: 1.2rem; columns: 20rem; }
.lead { font-size: 1.15rem; }
.good { color: var(--series-2); }
.bad { color: var(--heat); font-weight: bold; }
.unclear { color: var(--faint); }
.good::before { content: '✓ '; }
.bad::before { content: '✗ '; }
.unclear::before { content: '? '; }
.findings { padding-left: 0; list-style: none; }
.findings li { margin: 0 0 1rem; padding-left: .8rem; border-left: 3px solid var(--line); }
.published, figcaption, .hint, caption, footer { color: var(--faint); font-size: .9rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .5rem 0; }
dt { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .9rem; }
caption { text-align: left; padding: 0 0 .3rem; }
th, td { padding: .2rem .8rem .2rem 0; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { border-bottom: 2px solid var(--line); white-space: nowrap; }
tbody th { font-weight: normal; white-space: pre; }
.figure { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
figure { margin: 1.5rem 0; }
.title { margin: 0 0 .3rem; font-weight: 600; }
.picture { overflow-x: auto; }
@media (max-width: 46rem) { .picture > svg { max-width: none; } }
svg { display: block; max-width: 100%; height: auto; font-family: system-ui, sans-serif; }
svg.plot text { white-space: pre; }
details { margin: .4rem 0; }
summary { cursor: pointer; color: var(--faint); font-size: .9rem; }
:focus-visible { outline: 3px solid var(--series-0); outline-offset: 2px; }
.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; }
.key { display: inline-block; width: .9em; height: .9em; border-radius: 2px; vertical-align: -.08em; }
.key.fixed, .key.passed-on, .key.waits { height: .45em; vertical-align: .15em; }
.key.fixed { background: var(--faint); } .key.passed-on { background: var(--heat); } .key.waits { background: var(--series-4); }
.view { touch-action: pan-y; cursor: grab; border: 1px solid var(--line); border-radius: 4px; padding: .4rem; }
.view > svg { width: 100%; }
.view text { font-size: 12px; fill: var(--ink); }
.view .fixed { fill: var(--faint); } .view .passed-on { fill: var(--heat); } .view .waits { fill: var(--series-4); }
.view .tick { stroke: var(--line); stroke-dasharray: 2 3; } .view .lane { stroke: var(--line); }
.view .cursor { stroke: var(--ink); stroke-width: 1; }
.view .selection { fill: var(--series-0); fill-opacity: .18; stroke: var(--series-0); }
.mark { stroke: var(--heat); stroke-width: 2; fill: none; }
.mark path { stroke-width: 3; }
.overview { cursor: pointer; touch-action: none; margin: .3rem 0; padding: 0 .4rem; }
.overview > svg { width: 100%; } .overview text { font-size: 12px; fill: var(--faint); }
.overview .fixed { fill: var(--faint); } .overview .waits { fill: var(--series-4); }
.overview .window { fill: var(--series-0); fill-opacity: .12;
  stroke: var(--series-0); stroke-width: 1.5; }
.said { min-height: 3em; margin: .3rem 0; font-size: .9rem; font-variant-numeric: tabular-nums; }
input[type=search] { font: inherit; font-size: .9rem; padding: .1rem .4rem;
  color: var(--ink); background: var(--paper);
  border: 1px solid var(--faint); border-radius: 4px; max-width: 14rem; }
label { font-size: .9rem; }
.view .moves { stroke-width: .8; opacity: .55; }
.controls { display: flex; flex-wrap: wrap; align-items: center; gap: .4rem; margin: .6rem 0; }
.controls[hidden] { display: none; }
button { font: inherit; font-size: .9rem; padding: .15rem .7rem; color: var(--ink); background: none;
  border: 1px solid var(--faint); border-radius: 4px; cursor: pointer; }
output { color: var(--faint); font-size: .9rem; font-variant-numeric: tabular-nums; }
.provenance { margin-top: 2rem; }
abbr[title] { text-decoration: underline dotted; text-underline-offset: .2em; cursor: help; }
.glossary { margin-top: 3rem; }
footer { margin-top: 3rem; padding-bottom: 1.5rem; }
@media print {
  body { font-size: 10pt; }
  nav, .controls, .hint, .skip, .overview { display: none; }
  figure, tr, .timeline { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .wide { overflow: visible; }
  rect, .key { print-color-adjust: exact; }
}
`;
