/** The claims on migrations. */

import { partOf } from '../../report/figures.ts';
import type { Claim } from '../claim.ts';
import type { Levels, Measures } from '../study.ts';
import { CPUS, SLICES } from './experiments.ts';

/** Moved at the end of each slice, and staying. */
const movedAndNot = (slice: number): Levels[] =>
  ['round-robin', 'pinned'].map((policy) => ({ policy, slice }));

const SHORTEST = SLICES[0];

/** Of the cycles that a migration adds, those that a part has. */
const shareOf = (part: string) => (moved: Measures, stays: Measures) =>
  (moved[part]! - stays[part]!) / (moved['cycles']! - stays['cycles']!);

/** Of all cycles, those that remaps would not take. */
const spared = (forgotten: Measures, kept: Measures): number =>
  (forgotten['removal_cycles']! - kept['removal_cycles']!) / kept['cycles']!;

const remaps = (together: Measures): number => together['remaps_per_entry']!;

export const CLAIMS: readonly Claim[] = [
  ...SLICES.map(
    (slice): Claim => ({
      claim:
        `A guest that is moved every ${slice} operations is slower by a tenth or more than ` +
        'one that stays.',
      experiment: 'interval',
      arms: movedAndNot(slice),
      figure: 'cycles',
      bounds: { above: 1.1 },
      name: 'cycles, moved to staying',
      answer: (ratio) => `It takes ${ratio} times the cycles.`,
      ...(slice === SHORTEST && {
        published: {
          source: 'Li, Ding and Shen 2007',
          value:
            'a switch on a 2 GHz Xeon costs 3.8 µs direct, 7,600 cycles, and above 1 ms with ' +
            'the caches',
          difference:
            'Theirs is the switch of a process to another on one CPU; what its cache is worth ' +
            'depends on the program. Here a migration is charged one refill of the ' +
            'first-level cache, whatever the program had in it, and no second-level cache.',
        },
      }),
    }),
  ),
  {
    claim: 'Most of what a migration costs is the cold cache, and not what lguest does for it.',
    experiment: 'interval',
    arms: movedAndNot(SHORTEST),
    figure: shareOf(partOf('migration')),
    bounds: { above: 0.5 },
    name: 'share of the cache',
    answer: (share, { words }) =>
      'Of the ' +
      `${words((moved, stays) => (moved['cycles']! - stays['cycles']!) / moved['migrations']!)} ` +
      `cycles that each migration adds, ${share} are the cache, ` +
      `${words(shareOf(partOf('state_copy')))} the copy of the vCPU’s IDT and GDT into the ` +
      'new CPU’s page, and the rest the Switcher’s pages.',
  },
  {
    claim: 'A migration costs lguest no refill of the TLB beyond that of every entry.',
    experiment: 'interval',
    arms: movedAndNot(SHORTEST),
    figure: 'walks_per_entry',
    bounds: { above: 0.95, below: 1.05 },
    name: 'walks an entry, moved to staying',
    answer: (ratio) =>
      `There are ${ratio} times the walks an entry: each begins with an empty TLB.`,
  },
  ...[CPUS[0], CPUS.at(-1)!].map(
    (cpus): Claim => ({
      claim:
        `On ${cpus} host CPUs, last_host_cpu spares a guest that moves all the time one cycle ` +
        'in a hundred.',
      experiment: 'last_host_cpu',
      arms: ['forgotten', 'kept'].map((known) => ({ last_host_cpu: known, cpus })),
      figure: spared,
      bounds: { above: 0.01 },
      name: 'cycles spared, of all',
      answer: (_, { words, percent }) =>
        `Without it remaps take ${words('removal_cycles')} times as many cycles: ` +
        `${percent(spared)} % of all that the guest takes.`,
    }),
  ),
  ...(['sticky', 'work-stealing'] as const).map(
    (policy): Claim => ({
      claim: `With more guests than CPUs, ${policy} takes fewer cycles than any CPU at random.`,
      experiment: 'policy',
      arms: [{ policy: 'random' }, { policy }],
      figure: 'cycles',
      bounds: { above: 1 },
      name: `cycles, random to ${policy}`,
      answer: (ratio, { words }) =>
        `Random takes ${ratio} times the cycles; ${policy} has ` +
        `${words((random, stays) => stays['migrations']! / random['migrations']!)} times its ` +
        'migrations.',
    }),
  ),
  {
    claim:
      'Four vCPUs on one pgdir that never move take one another’s Switcher pages away where ' +
      'these hang in the pgdir.',
    experiment: 'shared',
    arms: ['in the pgdirs', 'a table each'].map((switcher) => ({
      pgdirs: 'shared',
      vcpus: 4,
      switcher,
    })),
    figure: remaps,
    bounds: { above: 0.01 },
    name: 'entries that remap',
    answer: (_, { words, percent }) =>
      `${percent(remaps)} % of the entries change them, which makes ${words('cycles')} times the ` +
      'cycles that they take with a table each.',
  },
];
