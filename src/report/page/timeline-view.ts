/**
 * The timeline as SVG, any part of it: drawn by Node for the page as it opens, and by the page
 * itself, which carries this file along, when its reader moves.
 */

import { hex } from '../../numbers.ts';

/** Times are whole hundreds of nanoseconds since the run's first event. */
export interface TimelineData {
  /** By their machine-wide numbers; the colour is a number, too. */
  readonly vcpus: readonly { readonly name: string; readonly colour: number }[];
  /** Of each host CPU, in the order of their times: from, how long, vCPU. */
  readonly runs: readonly (readonly (readonly [number, number, number])[])[];
  /** Of each host CPU: from, how long, 1 if it was the guest's own, address, vCPU. */
  readonly faults: readonly (readonly (readonly [number, number, number, number, number])[])[];
  /** Of each host CPU: from, how long. */
  readonly waits: readonly (readonly (readonly [number, number])[])[];
  /** vCPU, from which host CPU and when, to which and when. */
  readonly migrations: readonly (readonly [number, number, number, number, number])[];
  /** The end of a guest or the run: time, host CPU (−1 for none), and cause. */
  readonly marks: readonly (readonly [number, number, string])[];
  readonly span: number;
}

/** The visible part, and its scale. */
export interface Look {
  readonly from: number;
  readonly to: number;
  /** In pixels of the page, so that text is as large as elsewhere. */
  readonly width: number;
  readonly cursor?: number | undefined;
  readonly selection?: readonly [number, number] | undefined;
}

/** As it stands in a page before its script has looked how much room there is. */
export const WIDTH = 1000;
/** Narrower than that, names have less room. */
const NARROW = 640;

/** Left of the lanes. */
export const gutterOf = (width: number): number => (width < NARROW ? 84 : 130);

const AXIS = 26;
const CPU_LANE = 34;
const RUN_HEIGHT = 18;
const GAP = 10;
/** More vCPUs have no lanes of their own. */
const MOST_VCPUS = 32;
/** Of one look: more would be a grey field. */
const MOST_MIGRATIONS = 1500;
const COLOURS = 8;
/** Pixels of a letter in a name beside its lane. */
const LETTER = 7;

/** Events in an interval. */
export function timelineSvg(data: TimelineData, look: Look): string {
  const { from, to, width, cursor, selection } = look;
  const gutter = gutterOf(width);
  const cpus = data.runs.length;
  const shown = Math.min(data.vcpus.length, MOST_VCPUS);
  const row = Math.max(2, Math.min(6, 48 / cpus));
  const vcpuLane = row * cpus + 8;
  const top = AXIS + cpus * CPU_LANE + GAP;
  const height = top + shown * vcpuLane;
  const x = (at: number): number => gutter + ((at - from) / (to - from)) * (width - gutter);
  const place: Place = { x, from, to, width };
  const cpuTop = (cpu: number): number => AXIS + cpu * CPU_LANE;
  const lanes = data.runs.map((runs, cpu) => {
    const y = cpuTop(cpu);
    return [
      label(`host CPU ${cpu}`, y + 13, gutter),
      `<line class="lane" x1="${gutter}" x2="${width}" y1="${y + 30}" y2="${y + 30}"/>`,
      ...bars(runs, place).map((bar) => barRect(bar, data, y, RUN_HEIGHT, `host CPU ${cpu}`)),
      ...bars(data.faults[cpu]!, place).map(({ left, width, what }) =>
        rect(left, y + 20, width, 5, what === 1 ? 'passed-on' : 'fixed'),
      ),
      ...bars(
        data.waits[cpu]!.map(([at, long]) => [at, long, 0] as const),
        place,
      ).map(({ left, width }) => rect(left, y + 26, width, 3, 'waits')),
    ].join('');
  });
  const own = data.vcpus.slice(0, shown).map(({ name }, vcpu) => {
    const y = top + vcpu * vcpuLane;
    const stretches = data.runs.flatMap((runs, cpu) =>
      bars(runs, place, vcpu).map((bar) =>
        barRect(bar, data, y + cpu * row, row, `host CPU ${cpu}`),
      ),
    );
    const line =
      `<line class="lane" x1="${gutter}" x2="${width}" y1="${y + vcpuLane - 4}" ` +
      `y2="${y + vcpuLane - 4}"/>`;
    return label(name, y + vcpuLane / 2 + 1, gutter) + line + stretches.join('');
  });
  const moves = movesIn(data, place, cpuTop);
  const over = [
    ...(selection === undefined ? [] : [selected(selection, place, height)]),
    ...data.marks
      .filter(([at]) => at >= from && at <= to)
      .map((mark) => markAt(mark, place, height, cpuTop)),
    ...[cursor ?? Number.NaN]
      .filter((at) => at >= from && at <= to)
      .map(
        (at) => `<line class="cursor" x1="${px(x(at))}" x2="${px(x(at))}" y1="0" y2="${height}"/>`,
      ),
  ];
  const inner =
    `<svg x="${gutter}" width="${width - gutter}" height="${height}" ` +
    `viewBox="${gutter} 0 ${width - gutter} ${height}">${moves.join('')}${over.join('')}</svg>`;
  return (
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="Host CPUs and vCPUs from ` +
    `${timeText(from)} to ` +
    `${timeText(to)}">${axis(place, height)}${lanes.join('')}${own.join('')}${inner}</svg>`
  );
}

function movesIn(
  data: TimelineData,
  { x, from, to }: Place,
  cpuTop: (cpu: number) => number,
): string[] {
  const inView = data.migrations.filter(([, , left, , at]) => at >= from && left <= to);
  const every = Math.ceil(inView.length / MOST_MIGRATIONS);
  return inView
    .filter((_, i) => i % every === 0)
    .map(([vcpu, cameFrom, left, cpu, at]) => {
      const [y1, y2] = [cameFrom, cpu].map((one) => cpuTop(one) + RUN_HEIGHT / 2);
      return (
        `<line class="moves" style="stroke:${colourOf(data, vcpu)}" x1="${px(x(left))}" ` +
        `y1="${y1}" x2="${px(x(at))}" y2="${y2}"/>`
      );
    });
}

function selected([a, b]: readonly [number, number], { x }: Place, height: number): string {
  const left = x(Math.min(a, b));
  return (
    `<rect class="selection" x="${px(left)}" y="0" width="${px(x(Math.max(a, b)) - left)}" ` +
    `height="${height}"/>`
  );
}

/** A line through all lanes, and a cross where it was. */
function markAt(
  [at, hostCpu, what]: TimelineData['marks'][number],
  { x, width }: Place,
  height: number,
  cpuTop: (cpu: number) => number,
): string {
  const left = Math.min(x(at), width - 8);
  const cross = hostCpu < 0 ? AXIS : cpuTop(hostCpu) + RUN_HEIGHT / 2;
  return (
    `<g class="mark"><title>${text(what)}, at ${timeText(at)}</title>` +
    `<line x1="${px(left)}" x2="${px(left)}" y1="${AXIS}" y2="${height}"/>` +
    `<path d="M${px(left - 6)} ${px(cross - 6)} l12 12 m-12 0 l12 -12"/></g>`
  );
}

const OVERVIEW_HEIGHT = 44;
const BINS = 240;

/** The whole run as a strip: faults upwards, moves downwards, and the visible part. */
export function overviewSvg(data: TimelineData, { from, to, width }: Look): string {
  const gutter = gutterOf(width);
  const x = (at: number): number => gutter + (at / data.span) * (width - gutter);
  const faults = binned(
    data,
    data.faults.flatMap((own) => own.map(([at]) => at)),
  );
  const moves = binned(
    data,
    data.migrations.map(([, , , , at]) => at),
  );
  const step = (width - gutter) / BINS;
  const middle = 28;
  const bars = (bins: readonly number[], room: number, up: boolean, kind: string): string => {
    const most = Math.max(1, ...bins);
    return bins
      .map((n, i) => {
        if (n === 0) return '';
        const high = Math.max(1, (room * Math.log1p(n)) / Math.log1p(most));
        return (
          `<rect class="${kind}" x="${px(gutter + i * step)}" ` +
          `y="${px(up ? middle - high : middle + 1)}" width="${px(step)}" height="${px(high)}"/>`
        );
      })
      .join('');
  };
  const marks = data.marks.map(
    ([at]) =>
      `<line class="mark" x1="${px(x(at))}" x2="${px(x(at))}" y1="0" y2="${OVERVIEW_HEIGHT}"/>`,
  );
  return (
    `<svg viewBox="0 0 ${width} ${OVERVIEW_HEIGHT}" role="img" aria-label="The whole run: ` +
    'faults above, moves below; what is shown is ' +
    `framed">${label('whole run', 24, gutter)}${bars(faults, 24, true, 'fixed')}${bars(moves, 12, false, 'waits')}${marks.join('')}<rect ` +
    `class="window" x="${px(x(from))}" y="1" width="${px(Math.max(3, x(to) - x(from)))}" ` +
    `height="${OVERVIEW_HEIGHT - 2}"/></svg>`
  );
}

function binned({ span }: TimelineData, times: readonly number[]): number[] {
  const bins = Array.from({ length: BINS }, () => 0);
  for (const at of times) bins[Math.min(BINS - 1, Math.floor((at / span) * BINS))]!++;
  return bins;
}

/** Something that has a time, in words. */
export interface Told {
  readonly at: number;
  readonly what: string;
}

/**
 * Faults, waits, moves and ends, in the order of their times: what can be searched, and gone to.
 */
export function toldIn({ faults, waits, migrations, marks, vcpus }: TimelineData): Told[] {
  const nameOf = (vcpu: number): string => vcpus[vcpu]?.name ?? 'no vCPU';
  return [
    ...faults.flatMap((own, cpu) =>
      own.map(([at, , passedOn, address, vcpu]) => ({
        at,
        what:
          `fault at ${hex(address)} ` +
          `${passedOn ? 'passed on' : 'fixed'}, ${nameOf(vcpu)} on host CPU ${cpu}`,
      })),
    ),
    ...waits.flatMap((own, cpu) =>
      own.map(([at, long]) => ({ at, what: `wait of ${timeText(long)} on host CPU ${cpu}` })),
    ),
    ...migrations.map(([vcpu, cameFrom, , cpu, at]) => ({
      at,
      what: `migration of ${nameOf(vcpu)} from host CPU ${cameFrom} to ${cpu}`,
    })),
    ...marks.map(([at, , what]) => ({ at, what })),
  ].sort((a, b) => a.at - b.at);
}

/** Placement at a time, and counts in an interval. */
export function nowIn({ runs, vcpus }: TimelineData, at: number): string {
  return runs
    .map((own, cpu) => {
      const run = own.find(([from, long]) => from <= at && at <= from + long);
      return (
        `CPU ${cpu}: ` +
        `${run === undefined ? 'out of any guest' : (vcpus[run[2]]?.name ?? 'no vCPU')}`
      );
    })
    .join(', ');
}

export function countedIn(data: TimelineData, [a, b]: readonly [number, number]): string {
  const [from, to] = [Math.min(a, b), Math.max(a, b)];
  const within = ([at]: readonly [number, ...number[]]): boolean => at >= from && at <= to;
  const faults = data.faults.flat().filter(within).length;
  const waits = data.waits.flat().filter(within).length;
  const moves = data.migrations.filter(([, , , , at]) => at >= from && at <= to).length;
  const long = timeText(Math.round(to - from));
  return `${long}: ${faults} faults, ${moves} migrations, ${waits} waits`;
}

/** 12.5 ms; of hundreds of nanoseconds. */
export function timeText(at: number): string {
  const us = at / 10;
  if (us >= 1e6) return `${Number((us / 1e6).toFixed(4))} s`;
  return us >= 1e3 ? `${Number((us / 1e3).toFixed(4))} ms` : `${Number(us.toFixed(1))} µs`;
}

interface Place {
  readonly x: (at: number) => number;
  readonly from: number;
  readonly to: number;
  readonly width: number;
}

interface Bar {
  left: number;
  width: number;
  readonly at: number;
  until: number;
  readonly what: number;
  /** How many stretches it stands for. */
  count: number;
}

/**
 * Visible intervals: adjacent ones of one kind are joined, and those much narrower than a pixel
 * beside another are left out. `only`: those of this kind.
 */
function bars(
  stretches: readonly (readonly [number, number, number, ...number[]])[],
  { x, from, to }: Place,
  only?: number,
): Bar[] {
  const seen: Bar[] = [];
  for (const [at, long, what] of stretches) {
    if (at + long < from || at > to || (only !== undefined && what !== only)) continue;
    const [left, right] = [x(Math.max(at, from)), x(Math.min(at + long, to))];
    const last = seen.at(-1);
    const end = last === undefined ? Number.NEGATIVE_INFINITY : last.left + last.width;
    if (last?.what === what && left - end < 0.6) {
      last.width = Math.max(last.width, right - last.left);
      last.until = at + long;
      last.count++;
    } else if (right - left >= 0.3 || left - end > 0) {
      seen.push({ left, width: Math.max(right - left, 0.6), at, until: at + long, what, count: 1 });
    }
  }
  return seen;
}

function barRect(bar: Bar, data: TimelineData, y: number, height: number, where: string): string {
  const { left, width, at, until, what, count } = bar;
  const times = count === 1 ? '' : `, ${count} times`;
  const name = text(data.vcpus[what]?.name ?? 'no vCPU');
  const title = `${name} on ${where}, ${timeText(at)} to ${timeText(until)}${times}`;
  return (
    `<rect x="${px(left)}" y="${px(y)}" width="${px(width)}" height="${px(height)}" ` +
    `style="fill:${colourOf(data, what)}"><title>${title}</title></rect>`
  );
}

const rect = (x: number, y: number, width: number, height: number, kind: string): string =>
  `<rect class="${kind}" x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${height}"/>`;

const colourOf = ({ vcpus }: TimelineData, vcpu: number): string =>
  `var(--series-${(vcpus[vcpu]?.colour ?? 0) % COLOURS})`;

const label = (name: string, y: number, gutter: number): string =>
  `<text x="${gutter - 8}" y="${px(y)}" ` +
  `text-anchor="end">${text(shortened(name, Math.floor((gutter - 12) / LETTER)))}</text>`;

/** What tells vCPUs of a guest apart is at the end of their names. */
function shortened(name: string, most: number): string {
  if (name.length <= most) return name;
  const end = / vCPU \d+$/.exec(name)?.[0] ?? '';
  const short = end.replace(' vCPU ', ' v');
  const kept = most - 1 - short.length;
  return `${name.slice(0, Math.max(1, kept))}…${short}`;
}

/** The width of a tick's text, and the space between two. */
const TICK_WIDTH = 110;

function axis({ x, from, to, width }: Place, height: number): string {
  const rough = (to - from) / Math.max(2, Math.floor((width - gutterOf(width)) / TICK_WIDTH));
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = size * ([1, 2, 5, 10].find((times) => times * size >= rough) ?? 10);
  const marks: string[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
    const left = px(x(at));
    const anchor = x(at) > width - 30 ? 'end' : 'middle';
    marks.push(
      `<line class="tick" x1="${left}" x2="${left}" y1="${AXIS - 6}" y2="${height}"/>` +
        `<text x="${left}" y="${AXIS - 10}" text-anchor="${anchor}">` +
        `${at === 0 ? '0' : timeText(at)}</text>`,
    );
  }
  return marks.join('');
}

const px = (n: number): string => String(Math.round(n * 100) / 100);

const text = (raw: string): string => raw.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
