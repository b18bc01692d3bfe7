/**
 * The timeline as SVG, any part of it: drawn by Node for the page as it opens, and by the page
 * itself, which carries this file along, when its reader moves.
 */

/** Times are whole hundreds of nanoseconds since the run's first event. */
export interface TimelineData {
  /** By their machine-wide numbers; the colour is a number, too. */
  readonly vcpus: readonly { readonly name: string; readonly colour: number }[];
  /** Of each host CPU, in the order of their times: from, how long, vCPU. */
  readonly runs: readonly (readonly (readonly [number, number, number])[])[];
  /** Of each host CPU: from, how long, 1 if it was the guest's own. */
  readonly faults: readonly (readonly (readonly [number, number, number])[])[];
  /** Of each host CPU: from, how long. */
  readonly waits: readonly (readonly (readonly [number, number])[])[];
  /** vCPU, from which host CPU and when, to which and when. */
  readonly migrations: readonly (readonly [number, number, number, number, number])[];
  readonly span: number;
}

const WIDTH = 1000;
const GUTTER = 130;
const AXIS = 26;
const CPU_LANE = 34;
const RUN_HEIGHT = 18;
const GAP = 10;
/** More vCPUs have no lanes of their own. */
const MOST_VCPUS = 32;
/** Of one look: more would be a grey field. */
const MOST_MIGRATIONS = 1500;
const COLOURS = 8;
/** Of a name, beside its lane. */
const MOST_LETTERS = 18;

/** What happened from one time to another. */
export function timelineSvg(data: TimelineData, from: number, to: number): string {
  const cpus = data.runs.length;
  const shown = Math.min(data.vcpus.length, MOST_VCPUS);
  const row = Math.max(2, Math.min(6, 48 / cpus));
  const vcpuLane = row * cpus + 8;
  const top = AXIS + cpus * CPU_LANE + GAP;
  const height = top + shown * vcpuLane;
  const x = (at: number): number => GUTTER + ((at - from) / (to - from)) * (WIDTH - GUTTER);
  const place: Place = { x, from, to };
  const cpuTop = (cpu: number): number => AXIS + cpu * CPU_LANE;
  const lanes = data.runs.map((runs, cpu) => {
    const y = cpuTop(cpu);
    return [
      label(`host CPU ${cpu}`, y + 13),
      `<line class="lane" x1="${GUTTER}" x2="${WIDTH}" y1="${y + 30}" y2="${y + 30}"/>`,
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
    const line = `<line class="lane" x1="${GUTTER}" x2="${WIDTH}" y1="${y + vcpuLane - 4}" y2="${y + vcpuLane - 4}"/>`;
    return label(name, y + vcpuLane / 2 + 1) + line + stretches.join('');
  });
  const inView = data.migrations.filter(([, , left, , at]) => at >= from && left <= to);
  const every = Math.ceil(inView.length / MOST_MIGRATIONS);
  const moves = inView
    .filter((_, i) => i % every === 0)
    .map(([vcpu, cameFrom, left, cpu, at]) => {
      const [y1, y2] = [cameFrom, cpu].map((one) => cpuTop(one) + RUN_HEIGHT / 2);
      return `<line class="moves" style="stroke:${colourOf(data, vcpu)}" x1="${px(x(left))}" y1="${y1}" x2="${px(x(at))}" y2="${y2}"/>`;
    });
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Host CPUs and vCPUs from ${timeText(from)} to ${timeText(to)}">${axis(place, height)}${lanes.join('')}${own.join('')}<svg x="${GUTTER}" width="${WIDTH - GUTTER}" height="${height}" viewBox="${GUTTER} 0 ${WIDTH - GUTTER} ${height}">${moves.join('')}</svg></svg>`;
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
 * Stretches as they can be seen: those of one kind that touch are one, and what is much narrower than
 * a pixel beside another is left out. `only`: those of this kind.
 */
function bars(
  stretches: readonly (readonly [number, number, number])[],
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
  const title = `${text(data.vcpus[what]?.name ?? 'no vCPU')} on ${where}, ${timeText(at)} to ${timeText(until)}${times}`;
  return `<rect x="${px(left)}" y="${px(y)}" width="${px(width)}" height="${px(height)}" style="fill:${colourOf(data, what)}"><title>${title}</title></rect>`;
}

const rect = (x: number, y: number, width: number, height: number, kind: string): string =>
  `<rect class="${kind}" x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${height}"/>`;

const colourOf = ({ vcpus }: TimelineData, vcpu: number): string =>
  `var(--series-${(vcpus[vcpu]?.colour ?? 0) % COLOURS})`;

const label = (name: string, y: number): string =>
  `<text x="${GUTTER - 8}" y="${px(y)}" text-anchor="end">${text(shortened(name))}</text>`;

/** What tells vCPUs of a guest apart is at the end of their names. */
function shortened(name: string): string {
  if (name.length <= MOST_LETTERS) return name;
  const end = / vCPU \d+$/.exec(name)?.[0] ?? '';
  return `${name.slice(0, MOST_LETTERS - 1 - end.length)}…${end}`;
}

function axis({ x, from, to }: Place, height: number): string {
  const rough = (to - from) / 7;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = size * ([1, 2, 5, 10].find((times) => times * size >= rough) ?? 10);
  const marks: string[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
    const left = px(x(at));
    const anchor = x(at) > WIDTH - 30 ? 'end' : 'middle';
    marks.push(
      `<line class="tick" x1="${left}" x2="${left}" y1="${AXIS - 6}" y2="${height}"/>` +
        `<text x="${left}" y="${AXIS - 10}" text-anchor="${anchor}">${timeText(at)}</text>`,
    );
  }
  return marks.join('');
}

const px = (n: number): string => String(Math.round(n * 100) / 100);

const text = (raw: string): string => raw.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
