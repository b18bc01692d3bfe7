/** What follows from the study of migrations. */

import { estimateText as inWords } from '../../report/estimate-text.ts';
import { partOf } from '../../report/figures.ts';
import type { Finding, Point } from '../../report/study-result.ts';
import { inPercent, perSeed, pointAt, ratioOfPoints, verdictOf } from '../findings.ts';
import { beside } from '../sides.ts';
import type { Levels } from '../study.ts';
import { CPUS, SLICES } from './experiments.ts';

export const conclude = (points: readonly Point[]): readonly Finding[] => [
  ...slowdown(points),
  ...parts(points),
  ...refill(points),
  ...lastHostCpu(points),
  ...staying(points),
  ...sharing(points),
];

type Pair = readonly [Point, Point];

/** The two points, or nothing where one of them was not run. */
function pairOf(points: readonly Point[], experiment: string, a: Levels, b: Levels): Pair | [] {
  const pair = [a, b].map((levels) => pointAt(points, experiment, levels));
  return pair.includes(undefined) ? [] : (pair as unknown as Pair);
}

const SHORTEST = SLICES[0];

const movedAndNot = (points: readonly Point[], slice: number): Pair | [] =>
  pairOf(points, 'interval', { policy: 'round-robin', slice }, { policy: 'pinned', slice });

/** Moved at the end of each slice against staying. */
const slowdown = (points: readonly Point[]): Finding[] =>
  SLICES.flatMap((slice) => {
    const [moved, stays] = movedAndNot(points, slice);
    if (moved === undefined || stays === undefined) return [];
    const { ratio, sensitivity } = beside(moved, stays, 1.1);
    return [
      {
        claim: `A guest that is moved every ${slice} operations is slower by a tenth or more than one that stays.`,
        verdict: verdictOf(ratio, { above: 1.1 }),
        answer: `It takes ${inWords(ratio)} times the cycles.${sensitivity}`,
        figure: { name: 'cycles, moved to staying', unit: '1', ...ratio },
        ...(slice === SHORTEST && { published: LI }),
      },
    ];
  });

const LI = {
  source: 'Li, Ding and Shen 2007',
  value:
    'a switch on a 2 GHz Xeon costs 3.8 µs direct, 7,600 cycles, and above 1 ms with the caches',
  difference:
    'Theirs is the switch of a process to another on one CPU; what its cache is worth depends on the ' +
    'program. Here a migration is charged one refill of the first-level cache, whatever the program ' +
    'had in it, and no second-level cache.',
} as const;

/** Of the cycles that a migration adds, how many are the cold cache. */
function parts(points: readonly Point[]): Finding[] {
  const [moved, stays] = movedAndNot(points, SHORTEST);
  if (moved === undefined || stays === undefined) return [];
  const pair = [moved, stays];
  const each = perSeed(pair, (a, b) => (a['cycles']! - b['cycles']!) / a['migrations']!);
  const shareOf = (part: string) =>
    perSeed(pair, (a, b) => (a[part]! - b[part]!) / (a['cycles']! - b['cycles']!));
  const [share, copies] = [shareOf(partOf('migration')), shareOf(partOf('state_copy'))];
  return [
    {
      claim: 'Most of what a migration costs is the cold cache, and not what lguest does for it.',
      verdict: verdictOf(share, { above: 0.5 }),
      answer:
        `Of the ${inWords(each)} cycles that each migration adds, ${inWords(share)} are the cache, ` +
        `${inWords(copies)} the copy of the vCPU’s IDT and GDT into the new CPU’s page, and the rest ` +
        'the Switcher’s pages.',
      figure: { name: 'share of the cache', unit: '1', ...share },
    },
  ];
}

/** Each entry loads CR3, so that the TLB is empty whether the vCPU moved or not. */
function refill(points: readonly Point[]): Finding[] {
  const [moved, stays] = movedAndNot(points, SHORTEST);
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

/** What it is worth to know whose pages are mapped. */
const lastHostCpu = (points: readonly Point[]): Finding[] =>
  [CPUS[0], CPUS.at(-1)!].flatMap((cpus) => {
    const [forgotten, kept] = pairOf(
      points,
      'last_host_cpu',
      { last_host_cpu: 'forgotten', cpus },
      { last_host_cpu: 'kept', cpus },
    );
    if (forgotten === undefined || kept === undefined) return [];
    const ratio = ratioOfPoints(forgotten, kept, 'removal_cycles');
    const spared = perSeed(
      [forgotten, kept],
      (a, b) => (a['removal_cycles']! - b['removal_cycles']!) / b['cycles']!,
    );
    return [
      {
        claim: `On ${cpus} host CPUs, last_host_cpu spares a guest that moves all the time one cycle in a hundred.`,
        verdict: verdictOf(spared, { above: 0.01 }),
        answer:
          `Without it remaps take ${inWords(ratio)} times as many cycles: ${inWords(inPercent(spared))} % of ` +
          'all that the guest takes.',
        figure: { name: 'cycles spared, of all', unit: '1', ...spared },
      },
    ];
  });

/** Policies that keep a vCPU where it was. */
const staying = (points: readonly Point[]): Finding[] =>
  (['sticky', 'work-stealing'] as const).flatMap((policy) => {
    const [random, stays] = pairOf(points, 'policy', { policy: 'random' }, { policy });
    if (random === undefined || stays === undefined) return [];
    const { ratio, verdict, sensitivity } = beside(random, stays);
    const migrations = ratioOfPoints(stays, random, 'migrations');
    return [
      {
        claim: `With more guests than CPUs, ${policy} takes fewer cycles than any CPU at random.`,
        verdict,
        answer:
          `Random takes ${inWords(ratio)} times the cycles; ${policy} has ${inWords(migrations)} times ` +
          `its migrations.${sensitivity}`,
        figure: { name: `cycles, random to ${policy}`, unit: '1', ...ratio },
      },
    ];
  });

/** A pgdir that several vCPUs enter by has one set of Switcher pages. */
function sharing(points: readonly Point[]): Finding[] {
  const at = { pgdirs: 'shared', vcpus: 4 };
  const [together, apart] = pairOf(
    points,
    'shared',
    { ...at, switcher: 'in the pgdirs' },
    { ...at, switcher: 'a table each' },
  );
  if (together === undefined || apart === undefined) return [];
  const share = perSeed([together], ({ remaps_per_entry: remaps }) => remaps!);
  const { ratio } = beside(together, apart);
  return [
    {
      claim:
        'Four vCPUs on one pgdir that never move take one another’s Switcher pages away where these hang in the pgdir.',
      verdict: verdictOf(share, { above: 0.01 }),
      answer:
        `${inWords(inPercent(share))} % of the entries change them, which makes ${inWords(ratio)} times the ` +
        'cycles that they take with a table each.',
      figure: { name: 'entries that remap', unit: '1', ...share },
    },
  ];
}
