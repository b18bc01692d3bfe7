/** What follows from the study of disciplines. */

import { estimateText as inWords } from '../../report/estimate-text.ts';
import type { Finding, Point } from '../../report/study-result.ts';
import { inPercent, perSeed, pointAt, ratioOfPoints, verdictOf } from '../findings.ts';
import { WAITED_FOR } from '../lockstep/run.ts';
import { CPUS, PGDIRS, type Pgdirs, REPAIRED, waitsFor } from './experiments.ts';

export const conclude = (points: readonly Point[]): readonly Finding[] => [
  ...PGDIRS.flatMap((pgdirs) => REPAIRED.flatMap((name) => scaling(points, pgdirs, name))),
  ...tail(points),
  ...price(points),
  ...threads(points),
];

const MOST = CPUS.at(-1)!;
/** Of four CPUs. */
const SCALES = 3;

const SHARING: Readonly<Record<Pgdirs, string>> = {
  shared: 'on one pgdir',
  separate: 'on a pgdir each',
};

/** Whether four CPUs repair as many faults as three would alone, and what they wait for if not. */
function scaling(points: readonly Point[], pgdirs: Pgdirs, discipline: string): Finding[] {
  const many = pointAt(points, pgdirs, { discipline, cpus: MOST });
  const one = pointAt(points, pgdirs, { discipline, cpus: 1 });
  if (many === undefined || one === undefined) return [];
  const ratio = ratioOfPoints(many, one, 'faults_per_ktick');
  return [
    {
      claim: `With ${discipline}, faults ${SHARING[pgdirs]} scale to four CPUs: ${SCALES} times those of one, or more.`,
      verdict: verdictOf(ratio, { above: SCALES }),
      answer: `${inWords(ratio)} times as many. ${waiting(many)}`,
      figure: { name: 'faults a tick, four CPUs to one', unit: '1', ...ratio },
    },
  ];
}

/** What the CPUs wait for most. */
function waiting(point: Point): string {
  const [most] = WAITED_FOR.map((what) => ({
    what,
    share: perSeed([point], (measured) => measured[waitsFor(what)]!),
  })).toSorted((a, b) => b.share.value - a.share.value);
  const { what, share } = most!;
  if (share.value < 0.02) return 'The CPUs hardly wait.';
  return `${inWords(inPercent(share))} % of their time the CPUs wait for ${what === 'another CPU' ? what : `the ${what}`}.`;
}

/** Slowest faults, with a lock and without. */
function tail(points: readonly Point[]): Finding[] {
  const at = { cpus: MOST };
  const locked = pointAt(points, 'shared', { ...at, discipline: 'pgdir-lock' });
  const free = pointAt(points, 'shared', { ...at, discipline: 'lock-free' });
  if (locked === undefined || free === undefined) return [];
  const ratio = ratioOfPoints(locked, free, 'fault_ticks_p99');
  return [
    {
      claim:
        'Faults without a lock have a shorter tail: one in a hundred takes twice as long with the pgdir’s lock.',
      verdict: verdictOf(ratio, { above: 2 }),
      answer: `It takes ${inWords(ratio)} times the ticks, with four CPUs on one pgdir.`,
      figure: { name: 'ticks at 99 %, pgdir-lock to lock-free', unit: '1', ...ratio },
    },
  ];
}

/** What nobody in the way pays. */
function price(points: readonly Point[]): Finding[] {
  const one = (discipline: string) => pointAt(points, 'shared', { discipline, cpus: 1 });
  const [repaired, written] = [one('lock-free'), one('as-written')];
  if (repaired === undefined || written === undefined) return [];
  const ratio = ratioOfPoints(repaired, written, 'fault_ticks_p50');
  return [
    {
      claim:
        'On one CPU a fault that takes no lock takes no more accesses of shared memory than as written.',
      verdict: verdictOf(ratio, { below: 1.05 }),
      answer: `It takes ${inWords(ratio)} times as many.`,
      figure: { name: 'ticks of a fault, lock-free to as written', unit: '1', ...ratio },
    },
  ];
}

/** On this machine, whatever it is. */
function threads(points: readonly Point[]): Finding[] {
  const at = (cpus: number) => pointAt(points, 'threads', { discipline: 'lock-free', cpus });
  const [two, one] = [at(2), at(1)];
  if (two === undefined || one === undefined) return [];
  const ratio = ratioOfPoints(two, one, 'faults_per_s');
  return [
    {
      claim: 'On real threads two CPUs repair more faults a second than one, without a lock.',
      verdict: verdictOf(ratio, { above: 1 }),
      answer: `${inWords(ratio)} times as many, on the cores that there were and beside what else they did.`,
      figure: { name: 'faults a second, two CPUs to one', unit: '1', ...ratio },
    },
  ];
}
