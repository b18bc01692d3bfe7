/**
 * Faults on two host CPUs at the same time, in threads, against one: on page tables of
 * their own, and on one that they share.
 */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { DisciplineName } from '../shared/discipline.ts';
import type { SharedMachine } from '../shared/host.ts';
import { makeMemory } from '../shared/words.ts';
import type { Goal } from '../src/report/benchmark.ts';
import { type GuestSpec, HandDrivenGuest, optionsFor, type Sharing } from './guest.ts';
import { nativeSide, noYardstick } from './native/yardstick.ts';
import { type Batch, type Line, type Side, scaling } from './pair.ts';

/** What a thread that is a host CPU gets from here. */
export interface CpuData {
  readonly shared: SharedMachine;
  readonly sharing: Sharing;
  readonly cpu: number;
  /** CPUs that take part. */
  readonly parties: number;
  /** Where they meet. */
  readonly meeting: WebAssembly.Memory;
}

const CPUS = 2;
const MEETING_WORDS = 1024;
/** Rounds of a batch: long enough for the clock, and for both threads to be awake. */
const ROUNDS = 9;

const specOf = (discipline: DisciplineName, sharing: Sharing): GuestSpec => ({
  paging: 'nonpae',
  hostCpus: CPUS,
  vcpus: CPUS,
  discipline,
  sharing,
});

/** The first `parties` CPUs of a machine, each in a thread. */
function ours(discipline: DisciplineName, sharing: Sharing, parties: number): Side {
  const { shared } = new HandDrivenGuest(specOf(discipline, sharing));
  const meeting = makeMemory(MEETING_WORDS);
  const threads = Array.from({ length: parties }, (_, cpu) => {
    const workerData: CpuData = { shared, sharing, cpu, parties, meeting };
    return new Worker(new URL('./several-cpus-worker.ts', import.meta.url), { workerData });
  });
  return {
    name: parties === 1 ? 'one CPU' : `${parties} CPUs`,
    batch: async () => {
      const answers = threads.map((thread) => once(thread, 'message'));
      for (const thread of threads) thread.postMessage(ROUNDS);
      const [first] = await Promise.all(answers);
      return first![0] as Batch;
    },
    end: async () => {
      await Promise.all(threads.map((thread) => thread.terminate()));
    },
  };
}

const inC = (discipline: DisciplineName, sharing: Sharing, parties: number): Side | undefined =>
  nativeSide('faults-together', { ...optionsFor(specOf(discipline, sharing)), parties });

const SHARINGS: readonly { sharing: Sharing; what: string; least?: number }[] = [
  { sharing: 'separate', what: 'own page tables', least: 1.8 },
  { sharing: 'regions', what: 'one page table, regions', least: 1.5 },
  { sharing: 'interleaved', what: 'one page table, interleaved' },
];

const rates = (['lock-free', 'guest-lock'] as const).flatMap((discipline) =>
  SHARINGS.map(({ sharing, what, least }): Line => {
    const goal: Goal | undefined =
      discipline === 'lock-free' && least !== undefined ? { of: 'baseline', least } : undefined;
    return {
      name: `faults of 2 CPUs, ${discipline}, ${what}`,
      unit: 'faults/s',
      ...(goal && { goal }),
      threads: true,
      measured: () => ours(discipline, sharing, CPUS),
      baseline: () => ours(discipline, sharing, 1),
      native: () => inC(discipline, sharing, CPUS),
    };
  }),
);

/** What two CPUs do of what one does, here and in C. */
const scalings = SHARINGS.map(
  ({ sharing, what, least }): Line => ({
    name: `2 CPUs for 1, lock-free, ${what}`,
    unit: 'times',
    ...(least === undefined && { goal: { of: 'baseline', least: 1 } }),
    threads: true,
    measured: () =>
      scaling('umbra', ours('lock-free', sharing, CPUS), ours('lock-free', sharing, 1)),
    baseline: () =>
      scaling('in C', inC('lock-free', sharing, CPUS)!, inC('lock-free', sharing, 1)!),
  }),
);

export const severalCpuLines: readonly Line[] = [
  ...rates,
  ...(noYardstick() === undefined ? scalings : []),
];
