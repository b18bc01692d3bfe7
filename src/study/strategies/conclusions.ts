/** What follows, beside what others published. */

import { estimateText as inWords } from '../../report/estimate-text.ts';
import type { Estimate } from '../../report/statistics.ts';
import type { Finding, Point } from '../../report/study-result.ts';
import { perSeed, pointAt, ratioOfPoints, verdictOf } from '../findings.ts';
import { beside } from '../sides.ts';
import type { Levels } from '../study.ts';
import { BATCHES, SCATTERED_PAGES } from './experiments.ts';
import type { ProgramName } from './programs.ts';

/** All that can be said of the experiments that were run. */
export const conclude = (points: readonly Point[]): readonly Finding[] => [
  ...walkReferences(points),
  ...exits(points),
  ...processes(points),
  ...directAgainstShadow(points),
  ...scatteredReads(points),
  ...batched(points),
  ...oneByOne(points),
];

type Ways = readonly [shadow: Point, direct: Point, nested: Point];

/** The same in each way; nothing where one was not run. */
function inEachWay(points: readonly Point[], experiment: string, levels: Levels): Ways[] {
  const [shadow, direct, nested] = ['shadow', 'direct', 'nested'].map((virtualization) =>
    pointAt(points, experiment, { ...levels, virtualization }),
  );
  return shadow && direct && nested ? [[shadow, direct, nested]] : [];
}

const ofProgram = (points: readonly Point[], program: ProgramName): Ways[] =>
  inEachWay(points, 'programs', { program });

const MOST_PAGES = SCATTERED_PAGES.at(-1)!;

const walkReferences = (points: readonly Point[]): Finding[] =>
  inEachWay(points, 'locality', { pages: MOST_PAGES }).map(([shadow, , nested]) => {
    const [figure, ofShadow] = [nested, shadow].map((point) =>
      perSeed([point], ({ references_per_walk: references }) => references!),
    ) as [Estimate, Estimate];
    return {
      claim: 'A walk of nested paging makes 14 references where one of a shadow makes 2.',
      verdict: verdictOf(figure, { above: 13.99, below: 14.01 }),
      answer: `It makes ${inWords(figure)}; one of a shadow makes ${ofShadow.value}.`,
      figure: { name: 'references a walk, nested', unit: '1', ...figure },
      published: {
        source: 'figures for a 32-bit guest over a table of four levels',
        value: '2 → 14',
        difference: 'None: each is made by the simulated processor, and counted there.',
      },
    };
  });

const exits = (points: readonly Point[]): Finding[] =>
  ofProgram(points, 'pipeline').map(([shadow, , nested]) => {
    const ratio = ratioOfPoints(shadow, nested, 'exits');
    return {
      claim: 'A shadow makes a guest be left more often than a nested table does.',
      verdict: verdictOf(ratio, { above: 1 }),
      answer: `In a pipeline of real programs ${inWords(ratio)} times as often.`,
      figure: { name: 'exits, shadow to nested', unit: '1', ...ratio },
    };
  });

const XIAO = 'Xiao 2011, a kernel build in a 32-bit guest';

const processes = (points: readonly Point[]): Finding[] =>
  ofProgram(points, 'pipeline').map(([shadow, , nested]) => {
    const { ratio, verdict, sensitivity } = beside(shadow, nested);
    return {
      claim:
        'Programs that begin, do their work and end are faster by nested paging than by a shadow.',
      verdict,
      answer: `By a shadow a pipeline of real ones takes ${inWords(ratio)} times the cycles.${sensitivity}`,
      figure: { name: 'cycles, shadow to nested', unit: '1', ...ratio },
      published: {
        source: XIAO,
        value: '194–196 s by shadow, 85.6–89.5 s nested: 2.2 times',
        difference:
          'It is of the same kind, many short processes, but not the same program, and how much of it costs the ' +
          'same either way decides. Time there is all time; here no device is waited for. That processor ' +
          'kept its TLB across exits, and walks the host’s table by caches that are not simulated.',
      },
    };
  });

const directAgainstShadow = (points: readonly Point[]): Finding[] =>
  ofProgram(points, 'pipeline').map(([shadow, direct]) => {
    const { ratio, verdict, sensitivity } = beside(shadow, direct);
    return {
      claim: 'Direct paging is cheaper than a shadow: no fault is there only to fill an entry in.',
      verdict,
      answer: `In a pipeline of real programs a shadow takes ${inWords(ratio)} times the cycles.${sensitivity}`,
      figure: { name: 'cycles, shadow to direct', unit: '1', ...ratio },
    };
  });

const scatteredReads = (points: readonly Point[]): Finding[] =>
  inEachWay(points, 'locality', { pages: MOST_PAGES }).map(([shadow, , nested]) => {
    const { ratio, verdict, sensitivity } = beside(nested, shadow);
    return {
      claim: 'A program that misses the TLB and changes no table is slower by nested paging.',
      verdict,
      answer: `Reading words of ${MOST_PAGES} pages takes ${inWords(ratio)} times the cycles.${sensitivity}`,
      figure: { name: 'cycles, nested to shadow', unit: '1', ...ratio },
    };
  });

const ADAMS = 'Adams and Agesen 2006, as quoted from memory';
const MOST_TOGETHER = BATCHES.at(-1)!;

const batched = (points: readonly Point[]): Finding[] =>
  inEachWay(points, 'modification', { batch: MOST_TOGETHER }).map(([shadow, , nested]) => {
    const more = moreEach(shadow, nested);
    return {
      claim: `Told ${MOST_TOGETHER} at a time, a changed entry costs a shadow hundreds of cycles, not thousands.`,
      verdict: verdictOf(more, { above: 100, below: 1000 }),
      answer: `It costs ${inWords(more)} cycles more than where the host does not hear of it.`,
      figure: { name: 'cycles more a changed entry, shadow to nested', unit: 'cycles', ...more },
      published: {
        source: ADAMS,
        value: '391 cycles by translated code',
        difference:
          'What is saved there by translating the guest’s code is saved here by a ring of hypercalls: one ' +
          'exit for many changes.',
      },
    };
  });

const oneByOne = (points: readonly Point[]): Finding[] =>
  inEachWay(points, 'modification', { batch: 1 }).map(([shadow, , nested]) => {
    const more = moreEach(shadow, nested);
    return {
      claim: 'Told one at a time, it costs thousands.',
      verdict: verdictOf(more, { above: 1000, below: 10_000 }),
      answer: `It costs ${inWords(more)} cycles more than where the host does not hear of it.`,
      figure: { name: 'cycles more a changed entry, shadow to nested', unit: 'cycles', ...more },
      published: {
        source: ADAMS,
        value: 'about 9,000 cycles by a trap for each',
        difference:
          'That trap was the hardware’s on a Pentium 4, and the host had to find out by the instruction what ' +
          'was changed; here the guest says so, and the switch is lguest’s.',
      },
    };
  });

/** Cycles of a changed entry beyond those of another way, seed by seed. */
const moreEach = (of: Point, to: Point): Estimate =>
  perSeed([of, to], (a, b) => a['cycles_each']! - b['cycles_each']!);
