/** What it costs that a vCPU goes on on another host CPU, and how often it may. */

import { PAGE_SIZE } from '../../shared/address.ts';
import type { CostTable } from '../cost/model.ts';
import { samplePath } from '../guest/traces/samples.ts';
import type { PolicyName } from '../host/policy.ts';
import type { MachineSpec } from '../machine.ts';
import { costReport } from '../report/costs.ts';
import { statistics } from '../report/run-report.ts';
import type { Finding, Point } from '../report/study-result.ts';
import { inWords, pointAt, ratioOfPoints, verdictOf } from './findings.ts';
import { runInTurns } from './in-turns.ts';
import type { Arm, Measures, Study } from './study.ts';

/** In the order in which a larger scale takes them. */
const PROGRAMS = ['ls', 'wc', 'sort', 'pigz'] as const;
const HOST_CPUS = 4;
const GUEST_PAGES = (32 << 20) / PAGE_SIZE;

/** Operations of a time slice, in the middle. */
const SLICES = [500, 2_000, 8_000, 32_000] as const;
const SHORTEST = SLICES[0];
const INTERVAL_POLICIES = ['pinned', 'round-robin'] as const satisfies readonly PolicyName[];

export const migration: Study = {
  name: 'migration',
  title: 'What a migration costs',
  question:
    'What does a guest pay for going on on another host CPU, and what is it that it pays for?',
  method:
    'A program (the trace of ls; at larger scales wc, sort and pigz beside it) runs in a guest of one vCPU, as written, on four host CPUs that take ' +
    'turns in one thread. Its time slices are drawn from half to one and a half times their middle ' +
    'length, by the seed. Pinned it stays where it is; round-robin it is moved at the end of each slice. ' +
    'Both make the same accesses, so what differs is the migration.',
  factors: {
    policy: { title: 'Policy', unit: '' },
    slice: { title: 'Time slice, in the middle', unit: 'operations' },
  },
  measures: {
    cycles: { title: 'Cycles', unit: 'cycles', description: 'simulated, of all host CPUs' },
    cycles_per_access: {
      ...{ title: 'Cycles an access', unit: 'cycles' },
      description: 'simulated cycles for each memory access that completed',
    },
    migrations: { title: 'Migrations', unit: '1', description: 'the vCPU went on on another CPU' },
    remaps_cached: {
      ...{ title: 'Switcher found', unit: '1' },
      description: 'entries that found the pages of this CPU mapped',
    },
    remaps_known: {
      ...{ title: 'Switcher remapped', unit: '1' },
      description: 'entries that removed the pages of the one CPU in last_host_cpu',
    },
    remaps_unknown: {
      ...{ title: 'Switcher remapped, all', unit: '1' },
      description: 'entries that removed the pages of every CPU',
    },
    walks_per_entry: {
      ...{ title: 'Walks an entry', unit: '1' },
      description:
        'walks of the shadow tables for each entry into the guest: the refill of the TLB',
    },
  },
  arms: (scale) => intervalArms(scale),
  charts: [
    {
      ...{
        id: 'interval',
        title: 'Cycles an access, by how long a vCPU stays',
        experiment: 'interval',
      },
      ...{ kind: 'line', x: 'slice', y: 'cycles_per_access', series: 'policy', x_scale: 'log' },
    },
  ],
  conclude: (points) => [...slowdown(points), ...refill(points)],
};

function intervalArms(scale: number): Arm[] {
  return INTERVAL_POLICIES.flatMap((policy) =>
    SLICES.map((slice) => ({
      experiment: 'interval',
      levels: { policy, slice },
      run: async (seed, costs) => measured(guestsOf(scale, policy, slice, seed), costs),
    })),
  );
}

/** As many guests of one vCPU as the scale says, up to one for each program. */
const guestsOf = (scale: number, policy: PolicyName, slice: number, seed: number): MachineSpec => ({
  ...{ hostCpus: HOST_CPUS, policy, seed },
  quantum: { least: slice / 2, most: slice * 1.5 },
  guests: PROGRAMS.slice(0, Math.max(1, Math.round(scale))).map((name) => ({
    ...{ name, program: { kind: 'trace', path: samplePath(name) } },
    ...{ pages: GUEST_PAGES, paging: 'nonpae' },
  })),
});

const measured = (spec: MachineSpec, costs: CostTable): Measures =>
  runInTurns(spec, (host) => {
    const total = statistics({ host }, [...host.cpus.keys()], [...host.guests.keys()]);
    const { cycles } = costReport(host, costs).total;
    return {
      cycles,
      cycles_per_access: cycles / total.accesses,
      migrations: total.migrations,
      remaps_cached: total.switcher_remaps.cached,
      remaps_known: total.switcher_remaps.one_cpu_removed,
      remaps_unknown: total.switcher_remaps.unknown_all_removed,
      walks_per_entry: total.walks / total.entries,
    };
  });

/** Moved at the end of each of the shortest slices against staying. */
function slowdown(points: readonly Point[]): Finding[] {
  const moved = pointAt(points, 'interval', { policy: 'round-robin', slice: SHORTEST });
  const stays = pointAt(points, 'interval', { policy: 'pinned', slice: SHORTEST });
  if (moved === undefined || stays === undefined) return [];
  const ratio = ratioOfPoints(moved, stays, 'cycles');
  return [
    {
      claim: `A guest that is moved every ${SHORTEST} operations is slower than one that stays.`,
      verdict: verdictOf(ratio, { above: 1 }),
      answer: `It takes ${inWords(ratio)} times the cycles.`,
      figure: { name: 'cycles, moved to staying', unit: '1', ...ratio },
    },
  ];
}

/** Each entry loads CR3, so that the TLB is empty whether the vCPU moved or not. */
function refill(points: readonly Point[]): Finding[] {
  const moved = pointAt(points, 'interval', { policy: 'round-robin', slice: SHORTEST });
  const stays = pointAt(points, 'interval', { policy: 'pinned', slice: SHORTEST });
  if (moved === undefined || stays === undefined) return [];
  const ratio = ratioOfPoints(moved, stays, 'walks_per_entry');
  return [
    {
      claim: 'A migration costs lguest no refill of the TLB beyond that of every entry.',
      verdict: verdictOf(ratio, { above: 0.95, below: 1.05 }),
      answer: `There are ${inWords(ratio)} times the walks an entry: each begins with an empty TLB.`,
      figure: { name: 'walks an entry, moved to staying', unit: '1', ...ratio },
    },
  ];
}
