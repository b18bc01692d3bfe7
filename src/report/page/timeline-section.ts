/** The timeline of a run in its report: a picture, its controls, and its figures as a table. */

import { grouped, percent } from '../../numbers.ts';
import { seriesColour } from '../colours.ts';
import type { Activity, Stretch } from './activity.ts';
import { escaped } from './escaped.ts';
import { table, time } from './parts.ts';
import { overviewSvg, type TimelineData, timelineSvg, WIDTH } from './timeline-view.ts';

export interface VcpuName {
  /** As in `pigz vCPU 0`. */
  readonly name: string;
  readonly guest: number;
}

/** The end of a guest, or of the run. */
export interface Mark {
  /** Nanoseconds since boot. */
  readonly at: number;
  /** −1: of none. */
  readonly hostCpu: number;
  readonly what: string;
}

/** `marks`: what ended guests or the run, in the activity's time. */
export function timelineSection(
  activity: Activity,
  hostCpus: number,
  vcpus: readonly VcpuName[],
  marks: readonly Mark[],
): string {
  const data = dataOf(activity, hostCpus, vcpus, marks);
  const all = { from: 0, to: data.span, width: WIDTH };
  const colours = coloursOf(vcpus);
  return `<p>Each host CPU has a lane: above, which vCPU is in its guest there, in the colour of ${colours.of}; below that
the faults, <span class="key fixed"></span> fixed by <code>demand_page</code> or
<span class="key passed-on"></span> passed on to the guest; and <span class="key waits"></span> waits for another
CPU to come out of a guest. A thin line goes with a vCPU from one host CPU to another. Below, each vCPU has a lane of its
own, with a row for each host CPU.</p>
<ul class="legend">${colours.names.map(legendItem).join('')}</ul>
<div class="timeline">
<div class="controls" role="group" aria-label="Move the timeline" hidden>
<button type="button" value="earlier">← Earlier</button><button type="button" value="later">Later →</button>
<button type="button" value="in">+ Zoom in</button><button type="button" value="out">− Zoom out</button>
<button type="button" value="all">Whole run</button>
<button type="button" value="stepBack">‹ Event before</button><button type="button" value="stepOn">Event after ›</button>
<button type="button" value="measure">Measure from here</button>
<button type="button" value="selected">Zoom to it</button><button type="button" value="letGo">Let go</button>
<label>Find <input type="search" placeholder="fault 0x0804, migration, vCPU 1"></label>
<button type="button" value="before">Previous</button><button type="button" value="next">Next</button>
<output aria-live="polite"></output>
</div>
<div class="overview">
${overviewSvg(data, all)}
</div>
<div class="view" tabindex="0" role="group" aria-label="Timeline; arrow keys move it, + and − zoom,
Home shows the whole run, comma and full stop step from event to event, M measures from here">
${timelineSvg(data, all)}
</div>
<p class="said" role="status"></p>
<p class="hint">Arrow keys, + and −, Home; drag to move, Ctrl and the wheel or two fingers to
zoom. Comma and full stop move the cursor from event to event; M, or Shift and dragging, measures;
Enter zooms to what is measured, Escape lets go of it. A tap moves the cursor, and what is measured ends there.</p>
<script type="application/json">${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>
</div>
${table({
  caption: 'What each host CPU did in that time',
  head: ['Host CPU', 'In guests', 'Share', 'Stretches', 'Faults', 'Waits', 'vCPUs that arrived'],
  rows: Array.from({ length: hostCpus }, (_, cpu) => rowOf(activity, cpu)),
})}`;
}

const hasGuests = (vcpus: readonly VcpuName[]): boolean =>
  new Set(vcpus.map(({ guest }) => guest)).size > 1;

/** Of a guest that is alone each vCPU has its own. */
function coloursOf(vcpus: readonly VcpuName[]): { readonly of: string; readonly names: string[] } {
  if (!hasGuests(vcpus)) return { of: 'that vCPU', names: vcpus.map(({ name }) => name) };
  const guests = new Map(vcpus.map(({ guest, name }) => [guest, name.replace(/ vCPU \d+$/, '')]));
  return { of: 'its guest', names: [...guests.values()] };
}

const legendItem = (name: string, i: number): string =>
  `<li><span class="key" style="background:${seriesColour(i)}"></span> ${escaped(name)}</li>`;

function rowOf(activity: Activity, cpu: number): string[] {
  const here = <T extends Stretch>(all: readonly T[]): T[] =>
    all.filter(({ hostCpu }) => hostCpu === cpu);
  const inside = here(activity.runs).reduce((sum, { from, to }) => sum + to - from, 0);
  const span = activity.to - activity.from || 1;
  return [
    ...[`host CPU ${cpu}`, time(inside), percent(inside / span)],
    ...[activity.runs, activity.faults, activity.waits, activity.migrations].map((all) =>
      grouped(here(all).length),
    ),
  ];
}

function dataOf(
  { from, to, runs, faults, waits, migrations }: Activity,
  hostCpus: number,
  vcpus: readonly VcpuName[],
  marks: readonly Mark[],
): TimelineData {
  const at = (ns: number): number => Math.round((ns - from) / 100);
  const byCpu = <T extends Stretch, Row>(all: readonly T[], row: (one: T) => Row): Row[][] => {
    const lanes: Row[][] = Array.from({ length: hostCpus }, () => []);
    for (const one of all) lanes[one.hostCpu]!.push(row(one));
    return lanes;
  };
  const long = (one: Stretch): number => at(one.to) - at(one.from);
  return {
    vcpus: vcpus.map(({ name, guest }, i) => ({ name, colour: hasGuests(vcpus) ? guest : i })),
    runs: byCpu(runs, (one) => [at(one.from), long(one), one.vcpu] as const),
    faults: byCpu(
      faults,
      (one) => [at(one.from), long(one), one.passedOn ? 1 : 0, one.address, one.vcpu] as const,
    ),
    waits: byCpu(waits, (one) => [at(one.from), long(one)] as const),
    migrations: migrations.map(
      (one) => [one.vcpu, one.cameFrom, at(one.from), one.hostCpu, at(one.to)] as const,
    ),
    marks: marks.map(({ at: when, hostCpu, what }) => [at(when), hostCpu, what] as const),
    span: Math.max(1, at(to)),
  };
}
