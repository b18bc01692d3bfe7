/** A chart of a study: its points with their intervals, as a picture and as the table beside it. */

import {
  areaY,
  axisFx,
  axisX,
  barY,
  dot,
  gridY,
  lineY,
  type Markish,
  type PlotOptions,
  ruleX,
  ruleY,
  type ScaleOptions,
  text,
} from '@observablehq/plot';
import { few } from './benchmark-text.ts';
import { seriesColour } from './colours.ts';
import { draw, FONT_SIZE, standalone } from './drawing.ts';
import { rangeText } from './estimate-text.ts';
import type { ChartSpec, StudyResult } from './study-result.ts';

type Charted = Pick<StudyResult, 'factors' | 'measures' | 'points'>;

const WIDTH = 720;
const HEIGHT = 380;
const MARGIN = { left: 72, right: 24, bottom: 48 };
const PLOT_WIDTH = WIDTH - MARGIN.left - MARGIN.right;
/** Above the plot: the measure's name, and below it a row for so many pixels of legend. */
const TITLE_HEIGHT = 30;
const LEGEND_ROW = 20;
/** Of an average letter, or somewhat more. */
const LETTER_WIDTH = 7;
/** Told apart by more than colour. */
const SYMBOLS = ['circle', 'square', 'triangle', 'diamond', 'star', 'cross', 'wye', 'hexagon'];

/** As an SVG element for a page that has the colours of drawing.ts. */
export function chartSvg(chart: ChartSpec, study: Charted): string {
  const all = dotsOf(chart, study);
  const dots = chart.y_scale === 'log' ? all.filter(({ y }) => y > 0) : all;
  const hidden = all.length - dots.length;
  const names = [...new Set(all.map(({ series }) => series))];
  const legend = legendOf(chart.series === undefined ? [] : names, chart.kind);
  const bottom = bottomOf(levelsOf(dots));
  const marks = chart.kind === 'bar' ? bars(dots, names) : lines(dots, names);
  const x = titleOf(study.factors[chart.x]!);
  const y = titleOf(study.measures[chart.y]!);
  return draw({
    name: chart.title,
    description: `${y} by ${x}${describeSeries(chart, study, names)}.${hidden > 0 ? ` ${hiddenText(hidden)}.` : ''}`,
    width: WIDTH,
    height: HEIGHT + legend.height + bottom - MARGIN.bottom,
    marginTop: TITLE_HEIGHT + legend.height,
    marginLeft: MARGIN.left,
    marginRight: MARGIN.right,
    marginBottom: bottom,
    ...scalesOf(chart, dots, names, { x, y }),
    marks: [
      gridY({ stroke: 'var(--line)', strokeOpacity: 1 }),
      ...marks,
      axis(chart, dots, x),
      ...legend.marks,
      ...(hidden > 0 ? [note(hiddenText(hidden))] : []),
    ],
  });
}

const hiddenText = (hidden: number): string =>
  `${hidden === 1 ? 'A point' : `${hidden} points`} at 0, which a logarithmic axis has no place for`;

const note = (words: string): Markish =>
  text([words], {
    frameAnchor: 'bottom-right',
    facet: 'super',
    dx: -4,
    dy: -6,
    text: [words],
    fill: 'var(--faint)',
    fontStyle: 'italic',
  });

/** As a file of its own, in dark and in light. */
export const chartFile = (chart: ChartSpec, study: Charted): string =>
  standalone(chartSvg(chart, study));

/** What to say of the shade, if there is any: not where samples are too few, or all the same. */
export const shadedText = (chart: ChartSpec, study: Charted): string =>
  dotsOf(chart, study).some(({ low, high }) => low !== high)
    ? ' What is shaded lies within 95 %.'
    : '';

const hasInterval = ({ low }: Dot): boolean => low !== undefined;

export interface ChartTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The same in words: for readers who cannot see the picture, or want the figures. */
export function chartTable(chart: ChartSpec, study: Charted): ChartTable {
  const { x, y, series } = chart;
  const bySeries = series === undefined ? [] : [titleOf(study.factors[series]!)];
  return {
    head: [
      titleOf(study.factors[x]!),
      ...bySeries,
      titleOf(study.measures[y]!),
      'Where, with 95 %',
    ],
    rows: dotsOf(chart, study).map((at) => [
      String(at.x),
      ...(series === undefined ? [] : [at.series]),
      few(at.y),
      whereText(at),
    ]),
  };
}

function whereText({ low, high }: Dot): string {
  if (low === undefined || high === undefined) return '–';
  return low === high ? 'all the same' : rangeText({ low, high }, few);
}

/** A point of the study, as this chart shows it. */
interface Dot {
  readonly x: string | number;
  readonly series: string;
  readonly y: number;
  /** Absent where samples are too few for an interval. */
  readonly low: number | undefined;
  readonly high: number | undefined;
  /** Where the interval is drawn from: on a logarithmic axis nothing goes down to zero. */
  readonly bottom: number | undefined;
}

/** Throws for a chart of which the experiment varies more than it shows: a mistake of the study. */
function dotsOf({ id, experiment, x, y, series, y_scale }: ChartSpec, study: Charted): Dot[] {
  const seen = new Set<string>();
  const dots: Dot[] = [];
  for (const { levels, measures, ...point } of study.points) {
    const measured = measures[y];
    if (point.experiment !== experiment || measured === undefined) continue;
    const at = { x: levels[x]!, series: series === undefined ? '' : String(levels[series]) };
    const key = `${at.x} ${at.series}`;
    if (at.x === undefined || seen.has(key)) {
      throw new Error(`chart ${id}: ${experiment} has no ${x}, or two points at ${key}`);
    }
    seen.add(key);
    const { median, low, high } = measured;
    const bottom = low !== undefined && y_scale === 'log' ? Math.max(low, median / 10) : low;
    dots.push({ ...at, y: median, low, high, bottom });
  }
  return dots;
}

const titleOf = ({ title, unit }: { readonly title: string; readonly unit: string }): string =>
  unit === '' || unit === '1' ? title : `${title}, ${unit}`;

const describeSeries = ({ series }: ChartSpec, { factors }: Charted, names: readonly string[]) =>
  series === undefined ? '' : `, for each ${titleOf(factors[series]!)}: ${names.join(', ')}`;

function lines(dots: readonly Dot[], names: readonly string[]): Markish[] {
  return names.flatMap((name, i) => {
    const own = dots.filter(({ series }) => series === name);
    const colour = seriesColour(i);
    return [
      areaY(own.filter(hasInterval), {
        x: 'x',
        y1: 'bottom',
        y2: 'high',
        fill: colour,
        fillOpacity: 0.16,
      }),
      ruleX(own.filter(hasInterval), {
        x: 'x',
        y1: 'bottom',
        y2: 'high',
        stroke: colour,
        strokeOpacity: 0.7,
      }),
      lineY(own, { x: 'x', y: 'y', stroke: colour, strokeWidth: 2 }),
      dot(own, { x: 'x', y: 'y', fill: colour, symbol: symbolOf(i), title: told }),
    ];
  });
}

function bars(dots: readonly Dot[], names: readonly string[]): Markish[] {
  return [
    ...names.map((name, i) =>
      barY(
        dots.filter(({ series }) => series === name),
        { fx: 'x', x: 'series', y: 'y', fill: seriesColour(i), title: told },
      ),
    ),
    ruleX(dots.filter(hasInterval), {
      fx: 'x',
      x: 'series',
      y1: 'bottom',
      y2: 'high',
      stroke: 'var(--ink)',
    }),
    ruleY([0], { stroke: 'var(--ink)' }),
  ];
}

const symbolOf = (i: number) => SYMBOLS[i % SYMBOLS.length] as 'circle';

/** Shown where the pointer rests. */
const told = ({ x, series, y, low, high }: Dot): string =>
  `${series === '' ? '' : `${series}, `}${x}: ${few(y)}` +
  (low === undefined || high === undefined || low === high
    ? ''
    : `, ${rangeText({ low, high }, few)}`);

/** 250K, 1.5M */
const compact = (n: number): string => COMPACT.format(n);
const COMPACT = new Intl.NumberFormat('en', {
  notation: 'compact',
  maximumSignificantDigits: 4,
});

interface Labels {
  readonly x: string;
  readonly y: string;
}

function scalesOf(
  { kind, x_scale, y_scale = 'linear' }: ChartSpec,
  dots: readonly Dot[],
  names: readonly string[],
  labels: Labels,
): Pick<PlotOptions, 'x' | 'y' | 'fx'> {
  const levels = levelsOf(dots);
  const y: ScaleOptions = {
    type: y_scale,
    label: labels.y,
    labelAnchor: 'top',
    labelArrow: 'none',
    ...(y_scale === 'linear' && { zero: kind === 'bar' || isWide(dots), nice: true }),
    ...(Math.max(...dots.map(highest)) >= 1e4 && { tickFormat: compact }),
  };
  if (kind === 'bar') {
    const x: ScaleOptions = { axis: null, domain: names, padding: 0.05 };
    return { x, y, fx: { domain: levels, padding: 0.2 } };
  }
  const named = x_scale === 'band' || levels.some((level) => typeof level === 'string');
  if (named) return { y, x: { type: 'point', domain: levels, padding: 0.3 } };
  return { y, x: { type: x_scale ?? 'linear' } };
}

/** The varied factor, below; names that are too long continue in a second line. */
function axis({ kind, x_scale }: ChartSpec, dots: readonly Dot[], label: string): Markish {
  const levels = levelsOf(dots);
  const below = bottomOf(levels);
  const options = { label, labelAnchor: 'center', labelArrow: 'none', tickSize: 0 } as const;
  const wrapped = { ...options, lineWidth: roomOf(levels) / FONT_SIZE, labelOffset: below - 6 };
  if (kind === 'bar') return axisFx({ ...wrapped, anchor: 'bottom' });
  const each = levels.length <= MOST_TICKS || x_scale === 'band';
  // With tickFormat a logarithmic axis would leave out some.
  return each ? axisX(levels, { ...wrapped, text: String }) : axisX(options);
}

const levelsOf = (dots: readonly Dot[]): (string | number)[] => [
  ...new Set(dots.map(({ x }) => x)),
];

/** Pixels for the name of each. */
const roomOf = (levels: readonly unknown[]): number => (0.9 * PLOT_WIDTH) / levels.length;

/** Pixels below the plot, with as many lines of names as the longest takes. */
function bottomOf(levels: readonly unknown[]): number {
  const longest = Math.max(1, ...levels.map((level) => String(level).length));
  const rows = Math.max(1, Math.ceil((longest * LETTER_WIDTH) / roomOf(levels)));
  return MARGIN.bottom + (rows - 1) * FONT_SIZE * 1.2;
}

/** With so many levels each gets its tick. */
const MOST_TICKS = 10;

/** Whether an axis from zero leaves the points apart: they reach down to half of the highest. */
const isWide = (dots: readonly Dot[]): boolean =>
  Math.min(...dots.map(({ low, y }) => low ?? y)) < Math.max(...dots.map(highest)) / 2;

const highest = ({ high, y }: Dot): number => high ?? y;

/** Names of the series with their colours and symbols, in rows above the plot. */
function legendOf(
  names: readonly string[],
  kind: ChartSpec['kind'],
): { readonly height: number; readonly marks: Markish[] } {
  let [left, row] = [0, 0];
  const places = names.map((name) => {
    const width = 30 + name.length * LETTER_WIDTH;
    if (left > 0 && left + width > WIDTH - MARGIN.left) [left, row] = [0, row + 1];
    const place = { left, row };
    left += width;
    return place;
  });
  const height = names.length === 0 ? 0 : (row + 1) * LEGEND_ROW;
  const marks = names.flatMap((name, i) => {
    const { left, row } = places[i]!;
    const dy = row * LEGEND_ROW - height - 2;
    const at = { frameAnchor: 'top-left', facet: 'super', dy } as const;
    const symbol = kind === 'bar' ? 'square' : symbolOf(i);
    return [
      dot([name], { ...at, dx: left + 6, fill: seriesColour(i), symbol, r: 4 }),
      text([name], {
        ...at,
        dx: left + 16,
        text: [name],
        textAnchor: 'start',
        lineAnchor: 'middle',
      }),
    ];
  });
  return { height, marks };
}
