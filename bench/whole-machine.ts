/**
 * Machines with worker threads: four programs from cold to their end, as `umbra start` runs
 * them, and the steady part of a longer run, in which every worker's compiler has learnt the code.
 */

import { setTimeout } from 'node:timers/promises';
import type { PolicyName } from '../src/host/policy.ts';
import { type GuestSpec, Machine } from '../src/machine.ts';
import { statistics } from '../src/report/run-report.ts';
import type { Batch, Line, Side } from './pair.ts';
import { GUEST_PAGES, tracePath } from './traces.ts';

const PROGRAMS = ['pigz', 'ls', 'sort', 'wc'];

const guest = (name: string): GuestSpec => ({
  name,
  program: { kind: 'trace', path: tracePath(name) },
  pages: GUEST_PAGES,
  paging: 'nonpae',
});

const boot = (hostCpus: number, policy: PolicyName, guests: readonly GuestSpec[]) =>
  Machine.boot({ hostCpus, policy, seed: 1, quantum: { least: 2_000, most: 20_000 }, guests });

const accesses = (machine: Machine): number =>
  statistics(machine, [...machine.host.cpus.keys()], [...machine.host.guests.keys()]).accesses;

/** A machine for each batch; booting it is not timed. */
const fromCold = (hostCpus: number): Side => ({
  name: `on ${hostCpus}`,
  batch: async () => {
    const machine = await boot(hostCpus, 'random', PROGRAMS.map(guest));
    const { ending, seconds } = await machine.run();
    if (ending.kind !== 'done') throw new Error(`the machine ended otherwise: ${ending.kind}`);
    return { count: accesses(machine), ns: seconds * 1e9 };
  },
});

/** All the same, so that none is left at the end with nothing beside it. */
const SAME_GUESTS = 8;
const PIGZ_ACCESSES = 4_900_000;
/** The part of all the accesses that is timed. */
const STEADY = { from: 0.4, to: 0.75 };
const LOOK_MS = 5;

const steady = (hostCpus: number, policy: PolicyName): Side => ({
  name: `on ${hostCpus}`,
  batch: async (): Promise<Batch> => {
    const same = Array.from({ length: SAME_GUESTS }, () => guest('pigz'));
    const machine = await boot(hostCpus, policy, same);
    const run = machine.run();
    const after = async (part: number): Promise<{ count: number; at: number }> => {
      for (;;) {
        const [count, at] = [accesses(machine), performance.now()];
        if (count >= part * SAME_GUESTS * PIGZ_ACCESSES) return { count, at };
        await setTimeout(LOOK_MS);
      }
    };
    const [from, to] = [await after(STEADY.from), await after(STEADY.to)];
    machine.interrupt();
    await run;
    return { count: to.count - from.count, ns: (to.at - from.at) * 1e6 };
  },
});

const HOST_CPUS = [2, 4];

export const machineLines: readonly Line[] = [
  ...HOST_CPUS.map((hostCpus) => ({
    name: `four programs from cold to their end on ${hostCpus} host CPUs`,
    ...({ unit: 'accesses/s', rounds: 6, threads: true } as const),
    measured: () => fromCold(hostCpus),
    baseline: () => fromCold(1),
  })),
  ...(['sticky', 'random'] as const).flatMap((policy) =>
    HOST_CPUS.map((hostCpus) => ({
      name: `${SAME_GUESTS} guests on ${hostCpus} host CPUs, ${policy}, once warm`,
      ...({ unit: 'accesses/s', rounds: 6, threads: true } as const),
      measured: () => steady(hostCpus, policy),
      baseline: () => steady(1, policy),
    })),
  ),
];
