/** The claims on shootdowns. */

import { FEWEST } from '../../report/statistics.ts';
import { type Claim, type Comparison, compared } from '../claim.ts';
import type { Levels, Measures } from '../study.ts';
import { BATCHES, OTHERS, THREADS, UNMAPPED, USED_PAGES } from './experiments.ts';

const MOST = OTHERS.at(-1)!;
const MOST_THREADS = THREADS.at(-1)!;

/** One that unmaps, beside so many others. */
const beside = (where: 'on the same pgdir' | 'on another pgdir', ...others: number[]): Levels[] =>
  others.map((count) => ({ where, others: count }));

const share =
  (part: string) =>
  (point: Measures): number =>
    point[part]! / point['cycles']!;

/** So many of the pages in use unmapped in each way. */
const inBothWays = (experiment: string, pages: number): Comparison => ({
  experiment,
  arms: ['a SET_PTE each', 'one flush'].map((way) => ({ way, pages })),
  figure: 'cycles',
  bounds: { above: 1 },
});

/** For half of the pages in use; and from how many on a flush is cheaper. */
const flushIsCheaper = (experiment: keyof typeof BATCHES): Claim => ({
  ...inBothWays(experiment, USED_PAGES / 2),
  claim:
    `With ${BATCHES[experiment] === 0 ? 'no other CPU' : `${BATCHES[experiment]} other CPUs`} in the guest, ` +
    `one flush is cheaper than a SET_PTE each for half of ${USED_PAGES} pages in use.`,
  name: 'cycles, a SET_PTE each to one flush',
  answer: (ratio, { points, estimate }) => {
    const said = `A SET_PTE each takes ${ratio} times the cycles.`;
    if (estimate('cycles').samples < FEWEST) return said;
    const first = UNMAPPED.find(
      (pages) => compared(inBothWays(experiment, pages), points)?.verdict === 'holds',
    );
    const from = first === undefined ? 'at none of those tried' : `from ${first} pages on`;
    return (
      `${said} The flush is cheaper ${from}, of ${UNMAPPED.join(', ')}; what it throws away ` +
      'too faults in again.'
    );
  },
});

export const CLAIMS: readonly Claim[] = [
  {
    claim: 'CPUs in the guest on another pgdir cost a removal no cycles, to within a tenth.',
    experiment: 'participants',
    arms: beside('on another pgdir', MOST, 0),
    figure: 'cycles',
    bounds: { above: 0.9, below: 1.1 },
    name: 'cycles, beside others to alone',
    answer: (ratio, { words }) =>
      `With ${MOST} of them it takes ${ratio} times the cycles of a CPU alone, and no shootdown. ` +
      `What it has to look at makes ${words('ticks_each')} times the ticks.`,
  },
  {
    claim: 'One other CPU in the guest on the same pgdir makes a removal more than twice as dear.',
    experiment: 'participants',
    arms: beside('on the same pgdir', 1, 0),
    figure: 'cycles',
    bounds: { above: 2 },
    name: 'cycles, one other to alone',
    answer: (ratio, { words }) =>
      `It takes ${words(({ cycles }) => cycles!)} cycles, ${ratio} times those of a CPU alone.`,
    published: {
      source: 'Adams and Agesen 2006',
      value:
        'changing an entry of a page table costs about 1 cycle natively, 391 by binary ' +
        'translation, 9,000 by a trap',
      difference:
        'Theirs is one CPU, and the trap is hardware’s, for a write without a hypercall. ' +
        'lguest is told by a hypercall; what is more than for a CPU alone is the other CPU’s.',
    },
  },
  {
    claim: 'Most of the cycles of a removal are spent by the CPU that unmaps.',
    experiment: 'participants',
    arms: beside('on the same pgdir', MOST),
    figure: share('cycles_of_others'),
    bounds: { below: 0.5 },
    name: 'share of the others',
    answer: (others) =>
      `The ${MOST} others, which go out, come back and fill their TLBs, spend ${others} of them; ` +
      'the CPU that unmaps waits.',
  },
  {
    claim: `Waiting for ${MOST} CPUs takes more than twice as long as waiting for one.`,
    experiment: 'participants',
    arms: beside('on the same pgdir', 0, 1, MOST),
    figure: (...arms) => {
      const [alone, one, most] = arms.map(({ ticks_each: ticks }) => ticks!);
      return (most! - alone!) / (one! - alone!);
    },
    bounds: { above: 2 },
    name: 'ticks more, three others to one',
    answer: (ratio) =>
      `A hypercall takes ${ratio} times as many ticks more: CPUs are asked to come out one after ` +
      'the other, each when the one before is out.',
  },
  flushIsCheaper('batches-alone'),
  flushIsCheaper('batches'),
  {
    claim:
      'A process whose threads map and unmap pays a tenth more for each access on ' +
      `${MOST_THREADS} vCPUs than on one.`,
    experiment: 'threads',
    arms: [{ vcpus: MOST_THREADS }, { vcpus: 1 }],
    figure: 'cycles',
    bounds: { above: 1.1 },
    name: `cycles an access, ${MOST_THREADS} vCPUs to one`,
    answer: (ratio, { words }) =>
      `It pays ${ratio} times as many cycles; shootdowns alone are ` +
      `${words(share('cycles_shootdown'))} of them, without what they make others do.`,
  },
];
