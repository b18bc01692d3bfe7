/** The claims, beside published ones. */

import type { Claim } from '../claim.ts';
import type { Levels, Measures } from '../study.ts';
import { BATCHES, SCATTERED_PAGES } from './experiments.ts';

/** The same program in some of the ways. */
const inWays = (levels: Levels, ...ways: ('shadow' | 'direct' | 'nested')[]): Levels[] =>
  ways.map((virtualization) => ({ ...levels, virtualization }));

const PIPELINE = { program: 'pipeline' } as const;
const MOST_PAGES = SCATTERED_PAGES.at(-1)!;
const MOST_TOGETHER = BATCHES.at(-1)!;

const ADAMS = 'Adams and Agesen 2006, as quoted from memory';

/** Cycles of a changed entry beyond those where the host does not hear of it. */
const changesTold = (batch: number) =>
  ({
    experiment: 'modification',
    arms: inWays({ batch }, 'shadow', 'nested'),
    figure: (shadow: Measures, nested: Measures) => shadow['cycles_each']! - nested['cycles_each']!,
    name: 'cycles more a changed entry, shadow to nested',
    unit: 'cycles',
    answer: (more: string) =>
      `It costs ${more} cycles more than where the host does not hear of it.`,
  }) as const;

export const CLAIMS: readonly Claim[] = [
  {
    claim: 'A walk of nested paging makes 14 references where one of a shadow makes 2.',
    experiment: 'locality',
    arms: inWays({ pages: MOST_PAGES }, 'nested', 'shadow'),
    figure: (nested) => nested['references_per_walk']!,
    bounds: { above: 13.99, below: 14.01 },
    name: 'references a walk, nested',
    answer: (references, { arms: [, shadow] }) =>
      `It makes ${references}; one of a shadow makes ` +
      `${shadow!.measures['references_per_walk']!.median}.`,
    published: {
      source: 'figures for a 32-bit guest over a table of four levels',
      value: '2 → 14',
      difference: 'None: each is made by the simulated processor, and counted there.',
    },
  },
  {
    claim: 'A shadow makes a guest be left more often than a nested table does.',
    experiment: 'programs',
    arms: inWays(PIPELINE, 'shadow', 'nested'),
    figure: 'exits',
    bounds: { above: 1 },
    name: 'exits, shadow to nested',
    answer: (ratio) => `In a pipeline of real programs ${ratio} times as often.`,
  },
  {
    claim:
      'Programs that begin, do their work and end are faster by nested paging than by a shadow.',
    experiment: 'programs',
    arms: inWays(PIPELINE, 'shadow', 'nested'),
    figure: 'cycles',
    bounds: { above: 1 },
    name: 'cycles, shadow to nested',
    answer: (ratio) => `By a shadow a pipeline of real ones takes ${ratio} times the cycles.`,
    published: {
      source: 'Xiao 2011, a kernel build in a 32-bit guest',
      value: '194–196 s by shadow, 85.6–89.5 s nested: 2.2 times',
      difference:
        'It is of the same kind, many short processes, but not the same program, and how much ' +
        'of it costs the same either way decides. Time there is all time; here no device is ' +
        'waited for. That processor kept its TLB across exits, and walks the host’s table by ' +
        'caches that are not simulated.',
    },
  },
  {
    claim: 'Direct paging is cheaper than a shadow: no fault is there only to fill an entry in.',
    experiment: 'programs',
    arms: inWays(PIPELINE, 'shadow', 'direct'),
    figure: 'cycles',
    bounds: { above: 1 },
    name: 'cycles, shadow to direct',
    answer: (ratio) => `In a pipeline of real programs a shadow takes ${ratio} times the cycles.`,
  },
  {
    claim: 'A program that misses the TLB and changes no table is slower by nested paging.',
    experiment: 'locality',
    arms: inWays({ pages: MOST_PAGES }, 'nested', 'shadow'),
    figure: 'cycles',
    bounds: { above: 1 },
    name: 'cycles, nested to shadow',
    answer: (ratio) => `Reading words of ${MOST_PAGES} pages takes ${ratio} times the cycles.`,
  },
  {
    claim:
      `Told ${MOST_TOGETHER} at a time, a changed entry costs a shadow hundreds of cycles, ` +
      'not thousands.',
    ...changesTold(MOST_TOGETHER),
    bounds: { above: 100, below: 1000 },
    published: {
      source: ADAMS,
      value: '391 cycles by translated code',
      difference:
        'What is saved there by translating the guest’s code is saved here by a ring of ' +
        'hypercalls: one exit for many changes.',
    },
  },
  {
    claim: 'Told one at a time, it costs thousands.',
    ...changesTold(1),
    bounds: { above: 1000, below: 10_000 },
    published: {
      source: ADAMS,
      value: 'about 9,000 cycles by a trap for each',
      difference:
        'That trap was the hardware’s on a Pentium 4, and the host had to find out by the ' +
        'instruction what was changed; here the guest says so, and the switch is lguest’s.',
    },
  },
];
