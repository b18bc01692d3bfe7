/** What follows from the study of shootdowns. */

import { estimateText as inWords } from '../../report/estimate-text.ts';
import { FEWEST } from '../../report/statistics.ts';
import type { Finding, Point } from '../../report/study-result.ts';
import { perSeed, pointAt, ratioOfPoints, verdictOf } from '../findings.ts';
import { beside } from '../sides.ts';
import { BATCHES, OTHERS, THREADS, UNMAPPED, USED_PAGES } from './experiments.ts';

export const conclude = (points: readonly Point[]): readonly Finding[] => [
  ...anotherPgdir(points),
  ...oneMore(points),
  ...whoPays(points),
  ...inTurn(points),
  ...evenAt(points, 'batches-alone'),
  ...evenAt(points, 'batches'),
  ...realGuest(points),
];

const MOST = OTHERS.at(-1)!;

const SAME = 'on the same pgdir';

const participants = (points: readonly Point[], where: string, others: number) =>
  pointAt(points, 'participants', { where, others });

/** CPUs that are inside the guest by another shadow are left alone. */
function anotherPgdir(points: readonly Point[]): Finding[] {
  const alone = participants(points, 'on another pgdir', 0);
  const beneath = participants(points, 'on another pgdir', MOST);
  if (alone === undefined || beneath === undefined) return [];
  const ratio = ratioOfPoints(beneath, alone, 'cycles');
  return [
    {
      claim: 'CPUs in the guest on another pgdir cost a removal no cycles, to within a tenth.',
      verdict: verdictOf(ratio, { above: 0.9, below: 1.1 }),
      answer:
        `With ${MOST} of them it takes ${inWords(ratio)} times the cycles of a CPU alone, and no shootdown. ` +
        `What it has to look at makes ${inWords(ratioOfPoints(beneath, alone, 'ticks_each'))} times the ticks.`,
      figure: { name: 'cycles, beside others to alone', unit: '1', ...ratio },
    },
  ];
}

/** On the same pgdir each has to come out. */
function oneMore(points: readonly Point[]): Finding[] {
  const alone = participants(points, SAME, 0);
  const beside1 = participants(points, SAME, 1);
  if (alone === undefined || beside1 === undefined) return [];
  const { ratio, verdict, sensitivity } = beside(beside1, alone, 2);
  const cycles = perSeed([beside1], (measured) => measured['cycles']!);
  return [
    {
      claim:
        'One other CPU in the guest on the same pgdir makes a removal more than twice as dear.',
      verdict,
      answer: `It takes ${inWords(cycles)} cycles, ${inWords(ratio)} times those of a CPU alone.${sensitivity}`,
      figure: { name: 'cycles, one other to alone', unit: '1', ...ratio },
      published: {
        source: 'Adams and Agesen 2006',
        value:
          'changing an entry of a page table costs about 1 cycle natively, 391 by binary translation, 9,000 by a trap',
        difference:
          'Theirs is one CPU, and the trap is hardware’s, for a write that nobody tells of. lguest is told by ' +
          'a hypercall; what is more than for a CPU alone is the other CPU’s.',
      },
    },
  ];
}

/** The one that unmaps, or those that are in its way. */
function whoPays(points: readonly Point[]): Finding[] {
  const point = participants(points, SAME, MOST);
  if (point === undefined) return [];
  const share = perSeed([point], ({ cycles, cycles_of_others: others }) => others! / cycles!);
  return [
    {
      claim: 'Most of the cycles of a removal are spent by the CPU that unmaps.',
      verdict: verdictOf(share, { below: 0.5 }),
      answer:
        `The ${MOST} others, which go out, come back and fill their TLBs, spend ${inWords(share)} of them; ` +
        'the CPU that unmaps waits.',
      figure: { name: 'share of the others', unit: '1', ...share },
    },
  ];
}

/** It waits for one after the other. */
function inTurn(points: readonly Point[]): Finding[] {
  const [alone, one, most] = [0, 1, MOST].map((others) => participants(points, SAME, others));
  if (alone === undefined || one === undefined || most === undefined) return [];
  const ratio = perSeed([alone, one, most], (a, b, c) => {
    const [base, first, all] = [a, b, c].map((measured) => measured['ticks_each']!);
    return (all! - base!) / (first! - base!);
  });
  return [
    {
      claim: `Waiting for ${MOST} CPUs takes more than twice as long as waiting for one.`,
      verdict: verdictOf(ratio, { above: 2 }),
      answer:
        `A hypercall takes ${inWords(ratio)} times as many ticks more: CPUs are asked to come out one after ` +
        'the other, each when the one before is out.',
      figure: { name: 'ticks more, three others to one', unit: '1', ...ratio },
    },
  ];
}

/** From how many pages on a flush is cheaper. */
function evenAt(points: readonly Point[], experiment: keyof typeof BATCHES): Finding[] {
  const others = BATCHES[experiment];
  const sides = UNMAPPED.flatMap((pages) => {
    const [flush, each] = ['one flush', 'a SET_PTE each'].map((way) =>
      pointAt(points, experiment, { way, pages }),
    );
    return flush && each ? [{ pages, ...beside(each, flush), flush, each }] : [];
  });
  const half = sides.find(({ pages }) => pages * 2 === USED_PAGES);
  if (half === undefined) return [];
  const first = sides.find(({ verdict }) => verdict === 'holds');
  const beaten = first === undefined ? 'at none of those tried' : `from ${first.pages} pages on`;
  const cheaper =
    half.ratio.samples < FEWEST
      ? ''
      : ` The flush is cheaper ${beaten}, of ${UNMAPPED.join(', ')}; what it throws away too faults in again.`;
  return [
    {
      claim:
        `With ${others === 0 ? 'no other CPU' : `${others} other CPUs`} in the guest, one flush is cheaper than a SET_PTE each ` +
        `for half of ${USED_PAGES} pages in use.`,
      verdict: half.verdict,
      answer: `A SET_PTE each takes ${inWords(half.ratio)} times the cycles.${cheaper}${half.sensitivity}`,
      figure: { name: 'cycles, a SET_PTE each to one flush', unit: '1', ...half.ratio },
    },
  ];
}

/** Threads of one process, a kernel and all. */
function realGuest(points: readonly Point[]): Finding[] {
  const most = THREADS.at(-1)!;
  const [one, many] = [1, most].map((vcpus) => pointAt(points, 'threads', { vcpus }));
  if (one === undefined || many === undefined) return [];
  const { ratio, verdict, sensitivity } = beside(many, one, 1.1);
  const share = perSeed([many], ({ cycles, cycles_shootdown: part }) => part! / cycles!);
  return [
    {
      claim: `A process whose threads map and unmap pays a tenth more for each access on ${most} vCPUs than on one.`,
      verdict,
      answer:
        `It pays ${inWords(ratio)} times as many cycles; shootdowns alone are ${inWords(share)} of ` +
        `them, without what they make others do.${sensitivity}`,
      figure: { name: `cycles an access, ${most} vCPUs to one`, unit: '1', ...ratio },
    },
  ];
}
