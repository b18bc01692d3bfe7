/** How long things took: HDR histograms, as pictures and as percentiles. */

import { rectY, ruleX, ruleY, text } from '@observablehq/plot';
import { extent } from 'd3-array';
import { build, type Histogram } from 'hdr-histogram-js';
import { grouped } from '../../numbers.ts';
import { seriesColour } from '../colours.ts';
import { draw } from '../drawing.ts';
import type { Activity, Stretch } from './activity.ts';
import { figure, time } from './parts.ts';

const SHOWN = [50, 90, 99, 99.9];
/** Bars to a doubling. */
const FINENESS = 4;

interface Latency {
  readonly name: string;
  readonly is: string;
  readonly of: readonly Stretch[];
}

/** Of fault service, stretches in guests, and waits; a figure each, where there were any. */
export function latencySection({ runs, faults, waits }: Activity): string {
  const latencies: readonly Latency[] = [
    {
      name: 'Fault service',
      of: faults,
      is: 'from the exit from the guest until demand_page has repaired the fault or passed it on',
    },
    { name: 'In the guest', is: 'from an entry to the next exit', of: runs },
    {
      name: 'Shootdown waits',
      of: waits,
      is: 'for another host CPU to leave a guest, before a translation is removed',
    },
  ];
  return latencies
    .filter(({ of }) => of.length > 0)
    .map(latencyFigure)
    .join('\n');
}

function latencyFigure({ name, is, of }: Latency, series: number): string {
  const lengths = of.map(({ from, to }) => Math.max(1, Math.round(to - from)));
  const histogram = build({
    numberOfSignificantValueDigits: 3,
    highestTrackableValue: 1e12,
    lowestDiscernibleValue: 1,
  });
  for (const ns of lengths) histogram.recordValue(ns);
  const bars = new Map<number, number>();
  for (const ns of lengths) {
    const bin = Math.floor(Math.log2(ns) * FINENESS);
    bars.set(bin, (bars.get(bin) ?? 0) + 1);
  }
  const marks = SHOWN.map((p) => ({ p: `p${p}`, ns: histogram.getValueAtPercentile(p) }));
  const svg = draw({
    name: `${name}: how long`,
    description: is,
    width: 720,
    height: 240,
    marginLeft: 60,
    marginTop: 46,
    marginRight: 30,
    marginBottom: 40,
    x: {
      type: 'log',
      label: 'how long',
      labelArrow: 'none',
      labelAnchor: 'center',
      tickFormat: time,
      ticks: decades(lengths),
      nice: true,
    },
    y: { label: 'how many', labelArrow: 'none', grid: true, nice: true },
    marks: [
      ruleY([0]),
      rectY([...bars], {
        x1: ([bin]: readonly [number, number]) => 2 ** (bin / FINENESS),
        x2: ([bin]: readonly [number, number]) => 2 ** ((bin + 1) / FINENESS),
        y: ([, many]: readonly [number, number]) => many,
        fill: seriesColour(series),
        inset: 0.5,
      }),
      ruleX(marks, { x: 'ns', stroke: 'var(--ink)', strokeDasharray: '2 3' }),
      text(marks, {
        x: 'ns',
        text: 'p',
        frameAnchor: 'top',
        dy: -6,
        lineAnchor: 'bottom',
        rotate: -25,
        textAnchor: 'start',
      }),
    ],
  });
  return figure(svg, `${name}: ${is}. ${grouped(lengths.length)} of them.`, {
    caption: `${name}, percentiles`,
    head: ['Number', 'Least', ...SHOWN.map((p) => `p${p}`), 'Most', 'Mean'],
    rows: [percentiles(histogram)],
  });
}

/** A tick for each power of ten that is reached. */
function decades(lengths: readonly number[]): number[] {
  const [from = 0, to = 0] = extent(lengths, Math.log10);
  const first = Math.floor(from);
  return Array.from({ length: Math.ceil(to) - first + 1 }, (_, i) => 10 ** (first + i));
}

const percentiles = (histogram: Histogram): string[] => [
  grouped(histogram.totalCount),
  time(histogram.minNonZeroValue),
  ...SHOWN.map((p) => time(histogram.getValueAtPercentile(p))),
  ...[time(histogram.maxValue), time(histogram.mean)],
];
