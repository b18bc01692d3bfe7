/** The colours of every page, as CSS variables; dark and light. */

/** For one series each, also for colour-blind readers; with symbols beside them. */
const SERIES = [
  ['#2f6db5', '#7db2f2'],
  ['#c4522f', '#f2936f'],
  ['#177a55', '#5fcb9f'],
  ['#8450b4', '#c39bec'],
  ['#a87400', '#e3b94f'],
  ['#4b5a6e', '#a9b6c8'],
  ['#b8477a', '#f093b7'],
  ['#0a8094', '#58c6d9'],
] as const;

/** For things of which there are many; from the ninth on colours come again. */
export const seriesColour = (index: number): string => `var(--series-${index % SERIES.length})`;

const declared = (scheme: 0 | 1): string =>
  SERIES.map((pair, i) => `--series-${i}: ${pair[scheme]};`).join(' ');

/** What pictures need of the page that they are in: ink, paper and the colours of series. */
export const COLOURS = `:root { color-scheme: light dark;
  --ink: #1c1e21; --paper: #fff; --faint: #5c6370;
  --line: #c9ced6; --heat: #a8071a; ${declared(0)} }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --paper: #16191d; --faint: #a0a8b4;
  --line: #3d444e; --heat: #ff9c94; ${declared(1)} } }
@media print { :root { --ink: #000; --paper: #fff; --faint: #444; --line: #999; --heat: #a8071a;
  ${declared(0)} } }`;
