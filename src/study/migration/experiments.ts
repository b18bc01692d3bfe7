/** The machines of the study of migrations, and what is measured of them. */

import type { DefectId } from '../../../shared/defects.ts';
import type { Host } from '../../../shared/host.ts';
import type { CostTable } from '../../cost/model.ts';
import type { ProgramSource } from '../../guest/load.ts';
import { samplePath } from '../../guest/traces/samples.ts';
import { POLICIES } from '../../host/policy.ts';
import type { GuestSpec, MachineSpec } from '../../machine.ts';
import type { Measure } from '../../report/study-result.ts';
import { countsOf, cyclesOn } from '../host-totals.ts';
import { runInTurns } from '../in-turns.ts';
import { measureOf, PARTS } from '../sides.ts';
import type { Arm, Levels, Measures } from '../study.ts';

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

export const MEASURES: Readonly<Record<string, Measure>> = {
  cycles: { title: 'Cycles', unit: 'cycles', description: 'simulated, of all host CPUs' },
  cycles_per_access: {
    title: 'Cycles an access',
    unit: 'cycles',
    description: 'simulated cycles for each memory access that completed',
  },
  migrations: measureOf('Migrations'),
  remaps_cached: measureOf('RemapsCached'),
  remaps_known: measureOf('RemapsKnown'),
  remaps_unknown: measureOf('RemapsUnknown'),
  remaps_per_entry: {
    title: 'Remaps an entry',
    unit: '1',
    description: 'of all entries into a guest, those that changed the Switcher’s pages',
  },
  pages_removed: {
    title: 'Pages removed',
    unit: 'pages',
    description: 'entries of the Switcher’s that were cleared: two for each CPU',
  },
  removal_cycles: {
    title: 'Cycles of remaps',
    unit: 'cycles',
    description: 'simulated; a quarter of a switcher_remap for each page in or out',
  },
  walks_per_entry: {
    title: 'Walks an entry',
    unit: '1',
    description: 'walks of the shadow tables for each entry into the guest: the refill of the TLB',
  },
  ...PARTS,
};

export const armsOf = (scale: number): readonly Arm[] => [
  ...intervalArms(scale),
  ...policyArms(scale),
  ...sharedArms(scale),
  ...lastHostCpuArms(scale),
];

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

/** One guest, or one for each of some programs, as written, on four host CPUs. */
const intervalArms = (scale: number): Arm[] =>
  MOVING.flatMap((policy) =>
    SLICES.map((slice) =>
      arm('interval', { policy, slice }, (seed) => ({
        hostCpus: 4,
        policy,
        seed,
        quantum: around(slice),
        guests: tracesFor(scale),
      })),
    ),
  );

/** More guests than host CPUs, so that a policy has something to decide. */
const policyArms = (scale: number): Arm[] =>
  POLICIES.map((policy) =>
    arm('policy', { policy }, (seed) => ({
      hostCpus: 4,
      policy,
      seed,
      quantum: around(2_000),
      guests: [
        'cow-storm',
        'fork-bomb',
        'mmap-churn',
        'pgdir-thrash',
        'false-sharing',
        'swarm',
      ].map((name) => ({
        name,
        pages: PAGES,
        paging: 'nonpae',
        program: workload(name, seed, scale),
      })),
    })),
  );

const workload = (name: string, seed: number, scale: number): ProgramSource => ({
  kind: 'workload',
  name,
  seed,
  ...(scale > 1 && { size: Math.round(4 * scale) }),
});

/** A guest of several vCPUs whose threads share a pgdir, or whose processes have one each. */
const sharedArms = (scale: number): Arm[] =>
  Object.entries({ shared: 'fault-storm-shared', separate: 'fault-storm-separate' }).flatMap(
    ([pgdirs, name]) =>
      Object.entries(SWITCHERS).flatMap(([switcher, defects]) =>
        VCPUS.map((vcpus) =>
          arm('shared', { pgdirs, switcher, vcpus }, (seed) => ({
            hostCpus: 4,
            policy: 'pinned',
            seed,
            quantum: around(500),
            defects,
            discipline: 'guest-lock',
            guests: [
              {
                name,
                pages: PAGES,
                paging: 'nonpae',
                vcpus,
                pgdirs: 8,
                program: { kind: 'workload', name, seed, size: Math.round(8 * scale) },
              },
            ],
          })),
        ),
      ),
  );

/** The same, but that it is forgotten before each time slice which CPU's pages are mapped. */
const lastHostCpuArms = (scale: number): Arm[] =>
  (['kept', 'forgotten'] as const).flatMap((known) =>
    CPUS.map((cpus) =>
      arm(
        'last_host_cpu',
        { last_host_cpu: known, cpus },
        (seed) => ({
          hostCpus: cpus,
          policy: 'random',
          seed,
          quantum: around(500),
          guests: [
            {
              name: 'storm',
              pages: PAGES,
              paging: 'nonpae',
              program: workload('cow-storm', seed, scale),
            },
          ],
        }),
        known === 'forgotten' ? forget : undefined,
      ),
    ),
  );

function forget({ guests }: Host): void {
  for (const { pgdirs } of guests) for (const pgdir of pgdirs) pgdir.lastHostCpu = -1;
}

function arm(
  experiment: string,
  levels: Levels,
  specOf: (seed: number) => MachineSpec,
  beforeSlice?: (host: Host) => void,
): Arm {
  return {
    experiment,
    levels,
    run: async (seed, costs) =>
      runInTurns(specOf(seed), (host) => measured(host, costs), beforeSlice),
  };
}

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
