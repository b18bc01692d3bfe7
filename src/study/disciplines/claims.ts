/** The claims on disciplines. */

import type { Claim, Told } from '../claim.ts';
import { WAITED_FOR } from '../lockstep/run.ts';
import { CPUS, PGDIRS, REPAIRED, waitsFor } from './experiments.ts';

const MOST = CPUS.at(-1)!;
/** Of four CPUs. */
const SCALES = 3;

/** What the CPUs of the first arm wait for longest. */
function waiting({ estimate, percent }: Told): string {
  const shares = WAITED_FOR.map((what) => {
    const figure = (measured: Readonly<Record<string, number>>): number =>
      measured[waitsFor(what)]!;
    return { what, figure, share: estimate(figure).value };
  });
  const { what, figure, share } = shares.toSorted((a, b) => b.share - a.share)[0]!;
  if (share < 0.02) return 'The CPUs hardly wait.';
  return `${percent(figure)} % of their time the CPUs wait for ${what === 'another CPU' ? what : `the ${what}`}.`;
}

export const CLAIMS: readonly Claim[] = [
  /** Whether four CPUs repair as many faults as three would alone, and else what they wait for. */
  ...PGDIRS.flatMap((pgdirs) =>
    REPAIRED.map(
      (discipline): Claim => ({
        claim:
          `With ${discipline}, faults ` +
          `${pgdirs === 'shared' ? 'on one pgdir' : 'on a pgdir each'} scale to four CPUs: ` +
          `${SCALES} times those of one, or more.`,
        experiment: pgdirs,
        arms: [MOST, 1].map((cpus) => ({ discipline, cpus })),
        figure: 'faults_per_ktick',
        bounds: { above: SCALES },
        name: 'faults a tick, four CPUs to one',
        answer: (ratio, told) => `${ratio} times as many. ${waiting(told)}`,
      }),
    ),
  ),
  {
    claim:
      'Faults without a lock have a shorter tail: one in a hundred takes twice as long with ' +
      'the pgdir’s lock.',
    experiment: 'shared',
    arms: ['pgdir-lock', 'lock-free'].map((discipline) => ({ discipline, cpus: MOST })),
    figure: 'fault_ticks_p99',
    bounds: { above: 2 },
    name: 'ticks at 99 %, pgdir-lock to lock-free',
    answer: (ratio) => `It takes ${ratio} times the ticks, with four CPUs on one pgdir.`,
  },
  {
    claim:
      'On one CPU a fault that takes no lock takes no more accesses of shared memory than as ' +
      'written.',
    experiment: 'shared',
    arms: ['lock-free', 'as-written'].map((discipline) => ({ discipline, cpus: 1 })),
    figure: 'fault_ticks_p50',
    bounds: { below: 1.05 },
    name: 'ticks of a fault, lock-free to as written',
    answer: (ratio) => `It takes ${ratio} times as many.`,
  },
  {
    claim: 'On real threads two CPUs repair more faults a second than one, without a lock.',
    experiment: 'threads',
    arms: [2, 1].map((cpus) => ({ discipline: 'lock-free', cpus })),
    figure: 'faults_per_s',
    bounds: { above: 1 },
    name: 'faults a second, two CPUs to one',
    answer: (ratio) =>
      `${ratio} times as many, on the cores that there were and beside what else they did.`,
  },
];
