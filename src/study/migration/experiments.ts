/** The machines of the study of migrations, and their measures. */

import type { Host } from '../../../shared/host.ts';
import type { CostTable } from '../../cost/model.ts';
import type { DefectId } from '../../defects.ts';
import { samplePath } from '../../guest/traces/samples.ts';
import { POLICIES } from '../../host/policy.ts';
import type { GuestSpec, MachineSpec } from '../../machine.ts';
import { crossed } from '../experiment.ts';
import { countsOf, cyclesOn } from '../measures.ts';
import { runRoundRobin } from '../round-robin.ts';
import type { Arm, Measures } from '../study.ts';

/** Operations of a time slice, in the middle. */
export const SLICES = [500, 2_000, 8_000, 32_000] as const;

/** Of one vCPU alone the others are like one of these. */
export const MOVING = ['pinned', 'round-robin', 'random', 'ping-pong'] as const;

/** Host CPUs that have pages in the Switcher. */
export const CPUS = [2, 4, 8, 16, 32] as const;

export const VCPUS = [1, 2, 4] as const;

/** How a guest's vCPUs find the Switcher. */
export const SWITCHERS = { 'a table each': [], 'in the pgdirs': ['R16'] } as const satisfies Record<
  string,
  readonly DefectId[]
>;

/** In the order in which a larger scale takes them. */
const PROGRAMS = ['ls', 'wc', 'sort', 'pigz'] as const;

const PAGES = 1024;

const around = (slice: number) => ({ least: slice / 2, most: slice * 1.5 });

/** As many programs as the scale says, in guests of one vCPU. */
const tracesFor = (scale: number): GuestSpec[] =>
  PROGRAMS.slice(0, Math.max(1, Math.round(scale))).map((name) => ({
    name,
    program: { kind: 'trace', path: samplePath(name) },
    pages: name === 'ls' ? PAGES : 8 * PAGES,
    paging: 'nonpae',
  }));

/** A guest of one workload. */
const guestOf = (
  name: string,
  source: { readonly seed: number; readonly size?: number },
  more: Partial<GuestSpec> = {},
): GuestSpec => ({
  name,
  pages: PAGES,
  paging: 'nonpae',
  program: { kind: 'workload', name, ...source },
  ...more,
});

/** A larger scale makes it do more. */
const scaled = (seed: number, scale: number) => ({
  seed,
  ...(scale > 1 && { size: Math.round(4 * scale) }),
});

/** More guests than host CPUs, so that a policy has something to decide. */
const SIX = ['cow-storm', 'fork-bomb', 'mmap-churn', 'pgdir-thrash', 'false-sharing', 'swarm'];

/** A guest of several vCPUs whose threads share a pgdir, or whose processes have one each. */
const STORMS = { shared: 'fault-storm-shared', separate: 'fault-storm-separate' } as const;

export const armsOf = (scale: number): readonly Arm[] => [
  ...crossed('interval', { policy: MOVING, slice: SLICES }, ({ policy, slice }, seed, costs) =>
    inTurns({ hostCpus: 4, policy, seed, quantum: around(slice), guests: tracesFor(scale) }, costs),
  ),
  ...crossed('policy', { policy: POLICIES }, ({ policy }, seed, costs) =>
    inTurns(
      {
        hostCpus: 4,
        policy,
        seed,
        quantum: around(2_000),
        guests: SIX.map((name) => guestOf(name, scaled(seed, scale))),
      },
      costs,
    ),
  ),
  ...crossed(
    'shared',
    { pgdirs: namesOf(STORMS), switcher: namesOf(SWITCHERS), vcpus: VCPUS },
    ({ pgdirs, switcher, vcpus }, seed, costs) =>
      inTurns(
        {
          hostCpus: 4,
          policy: 'pinned',
          seed,
          quantum: around(500),
          defects: SWITCHERS[switcher],
          discipline: 'guest-lock',
          guests: [
            guestOf(STORMS[pgdirs], { seed, size: Math.round(8 * scale) }, { vcpus, pgdirs: 8 }),
          ],
        },
        costs,
      ),
  ),
  /** The same, but that it is forgotten before each time slice which CPU's pages are mapped. */
  ...crossed(
    'last_host_cpu',
    { last_host_cpu: ['kept', 'forgotten'], cpus: CPUS },
    ({ last_host_cpu: known, cpus }, seed, costs) =>
      inTurns(
        {
          hostCpus: cpus,
          policy: 'random',
          seed,
          quantum: around(500),
          guests: [guestOf('cow-storm', scaled(seed, scale))],
        },
        costs,
        known === 'forgotten' ? forget : undefined,
      ),
  ),
];

function forget({ guests }: Host): void {
  for (const { pgdirs } of guests) for (const pgdir of pgdirs) pgdir.lastHostCpu = -1;
}

const inTurns = (
  spec: MachineSpec,
  costs: CostTable,
  beforeSlice?: (host: Host) => void,
): Measures => runRoundRobin(spec, (host) => measured(host, costs), beforeSlice);

const namesOf = <T extends object>(of: T) => Object.keys(of) as (keyof T & string)[];

function measured(host: Host, costs: CostTable): Measures {
  const counts = countsOf(host);
  const cycles = cyclesOn(host, host.cpus, costs);
  const { cached, one_cpu_removed: known, unknown_all_removed: unknown } = counts.switcher_remaps;
  const removed = 2 * (known + host.cpus.length * unknown);
  const mapped = 2 * (known + unknown);
  return {
    ...cycles,
    cycles_per_access: cycles.cycles / counts.accesses,
    migrations: counts.migrations,
    remaps_cached: cached,
    remaps_known: known,
    remaps_unknown: unknown,
    remaps_per_entry: (known + unknown) / counts.entries,
    pages_removed: removed,
    removal_cycles: ((removed + mapped) / 4) * costs.cycles.switcher_remap,
    walks_per_entry: counts.walks / counts.entries,
  };
}
