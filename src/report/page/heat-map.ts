/** Where in a guest's address space faults are, and when: a picture for each guest. */

import { cell } from '@observablehq/plot';
import { grouped, hex } from '../../numbers.ts';
import { draw } from '../drawing.ts';
import type { Activity, Fault } from './activity.ts';
import { figure, roundTimes, time } from './parts.ts';

const COLUMNS = 80;
/** Of a row: what one page table maps, without PAE. */
const REGION_BITS = 22;
/** With more regions a row is a larger one. */
const MOST_ROWS = 40;
const ROW_HEIGHT = 14;
const LEFT = 100;

export function heatMap(activity: Activity, guest: string, faults: readonly Fault[]): string {
  const bits = regionBits(faults);
  const regionOf = ({ address }: Fault): number => Math.floor(address / 2 ** bits);
  const regions = [...new Set(faults.map(regionOf))].sort((a, b) => b - a);
  const nameOf = (region: number): string => hex(region * 2 ** bits);
  const step = (activity.to - activity.from) / COLUMNS || 1;
  const ticks = new Map(
    roundTimes(activity.to - activity.from, 8).map((at) => [
      Math.min(COLUMNS - 1, Math.round(at / step)),
      at,
    ]),
  );
  const cells = new Map<string, Cell>();
  for (const fault of faults) {
    const x = Math.min(COLUMNS - 1, Math.floor((fault.to - activity.from) / step));
    const y = nameOf(regionOf(fault));
    const at = cells.get(`${x} ${y}`) ?? { x, y, faults: 0 };
    at.faults++;
    cells.set(`${x} ${y}`, at);
  }
  const most = Math.max(...Array.from(cells.values(), ({ faults }) => faults));
  const size = 2 ** (bits - 20);
  const grid: Grid = { regions: regions.map(nameOf), size, step, most, ticks };
  const svg = picture([...cells.values()], grid, guest);
  const caption =
    `${guest}: ${grouped(faults.length)} faults. ` +
    `A row is ${size} MiB of its address space in which there was any, ` +
    `a column ${time(step)}; the stronger the colour, the more, up to ${grouped(most)}.`;
  const figures = {
    caption: `faults of ${guest} by region`,
    head: [`${size} MiB from`, 'Faults', 'Fixed', 'Passed on', 'First', 'Last'],
    rows: regions.map((region) => {
      const own = faults.filter((fault) => regionOf(fault) === region);
      const passedOn = own.filter((fault) => fault.passedOn).length;
      return [
        ...[nameOf(region), grouped(own.length), grouped(own.length - passedOn), grouped(passedOn)],
        ...[own[0]!, own.at(-1)!].map(({ to }) => time(to - activity.from)),
      ];
    }),
  };
  return figure(svg, caption, figures, `Faults of ${guest} by address and time`);
}

interface Cell {
  readonly x: number;
  readonly y: string;
  faults: number;
}

interface Grid {
  /** By name, high addresses first. */
  readonly regions: readonly string[];
  /** MiB of a region. */
  readonly size: number;
  /** Nanoseconds of a column. */
  readonly step: number;
  /** Faults in a cell. */
  readonly most: number;
  /** Columns with a time below them. */
  readonly ticks: ReadonlyMap<number, number>;
}

function picture(cells: Cell[], { regions, size, step, most, ticks }: Grid, guest: string): string {
  return draw({
    name: `Faults of ${guest} over its address space and time`,
    description:
      `A row for each ${size} MiB with faults, high addresses above; at most ${most} faults ` +
      'in a cell.',
    width: 1000,
    height: regions.length * ROW_HEIGHT + 70,
    marginLeft: LEFT,
    marginTop: 26,
    marginRight: 10,
    marginBottom: 34,
    x: {
      domain: Array.from({ length: COLUMNS }, (_, i) => i),
      padding: 0,
      tickSize: 0,
      ticks: [...ticks.keys()],
      tickFormat: (i: number) => (i === 0 ? '0' : time(ticks.get(i)!)),
      label: 'since the first event',
      labelArrow: 'none',
      labelAnchor: 'right',
    },
    y: {
      domain: regions,
      padding: 0.08,
      tickSize: 0,
      label: `${size} MiB from`,
      labelAnchor: 'top',
      labelArrow: 'none',
    },
    marks: [
      cell(cells, {
        x: 'x',
        y: 'y',
        fill: 'var(--heat)',
        inset: 0.5,
        fillOpacity: ({ faults }: Cell) =>
          0.25 + (0.75 * Math.log2(faults)) / Math.max(1, Math.log2(most)),
        title: ({ x, y, faults }: Cell) =>
          `${grouped(faults)} faults from ${y}, ${time(x * step)} to ${time((x + 1) * step)}`,
      }),
    ],
  });
}

/** So that there are not too many rows. */
function regionBits(faults: readonly Fault[]): number {
  let bits = REGION_BITS;
  const regions = (): number =>
    new Set(faults.map(({ address }) => Math.floor(address / 2 ** bits))).size;
  while (regions() > MOST_ROWS) bits++;
  return bits;
}
