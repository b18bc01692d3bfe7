/** What lguest's code says of itself: each claim as it has it, or as its opposite would be. */

import type { Point } from '../../report/study-result.ts';
import { type Claim, concluding, inPercent, percentMore, percentSaved } from '../claim.ts';
import type { Levels, Measures } from '../study.ts';
import { ORDERS } from './top-levels.ts';

/** From here on a speed-up is called immense. */
const IMMENSE = 2;
const BATCH = 8;
/** Savings from here on are worth it. */
const WORTH = 1.01;
/** The share of a guest's memory that is held counts as most from here on. */
const MOST = 0.5;
const LARGEST = { pgdirs: 16 };

const heldShare = ({ held_share: held }: Measures): number => held!;

const ORDER_WORDS = {
  circle: 'when processes take turns in a circle',
  any: 'when any process is next',
  favourites: 'when some processes run more often than others',
} as const;

const throwingAndComparing = (levels: Levels): Levels[] =>
  ['clear-all', 'compare'].map((kernel_change) => ({ ...levels, kernel_change }));

/** The memory from which on lguest's remark says that guests are slower. */
const REMARK_PAGES = (700 << 20) / 4096;

/** With the fewest pages that are used again, and with the most. */
function throwingAway(least: number, most: number): Claim[] {
  if (!(least < most)) return [];
  const perPage = (many: Measures, few: Measures): number =>
    (many['cycles_each']! - few['cycles_each']!) / (most - least);
  return [
    {
      claim:
        'Throwing all away on a kernel change costs more, the more memory a guest uses (M:009).',
      experiment: 'kernel-change',
      arms: [most, least].map((used_pages) => ({ used_pages, kernel_change: 'clear-all' })),
      figure: perPage,
      bounds: { above: 0 },
      name: 'cycles a change and page',
      unit: 'cycles',
      answer: (cycles, { estimate }) =>
        `Each change costs ${cycles} cycles for every page that is used again: with 700 MB ` +
        `of such pages, ${Math.round((estimate(perPage).value * REMARK_PAGES) / 1e6)} million.`,
      published: {
        source: 'lguest, remark M:009',
        value: 'above some 700 MB a guest is slower than with less memory',
        difference:
          'From there on Linux has highmem, and changes kernel mappings all the time. This guest ' +
          'does so when it is told to; what a change costs is the same matter.',
      },
    },
    {
      claim:
        'It can be repaired: entries that are still so can stay (M:009, which its author gave ' +
        'up on).',
      experiment: 'kernel-change',
      arms: throwingAndComparing({ used_pages: most }),
      figure: 'cycles',
      bounds: { above: 1 },
      name: 'cycles, clear-all to compare',
      answer: (ratio) =>
        `Throwing all away takes ${ratio} times the cycles of comparing, with ${most} pages. ` +
        'Comparing, too, costs more the more is mapped.',
    },
  ];
}

/** Faults for each switch that the first has more than the second. */
function faultsMore([more, less]: readonly Point[]): string {
  const [a, b] = [more!, less!].map(({ measures }) => measures['faults_fixed']!.median);
  const { cycles, cycles_each } = more!.measures;
  return ((a! - b!) / (cycles!.median / cycles_each!.median)).toPrecision(2);
}

const thousands = (n: number): number => Math.round(n / 1000);

export const conclude = concluding([
  {
    claim: 'Mapping an entry at once that has ACCESSED shaves cycles off copy-on-write (H:420).',
    experiment: 'set-pte',
    arms: ['on-fault', 'at-once'].map((choice) => ({
      program: 'copy-on-write',
      set_pte: choice,
    })),
    figure: 'cycles',
    bounds: { above: 1 },
    name: 'cycles saved',
    unit: '%',
    shown: percentSaved,
    answer: (saved) => `It saves ${saved} % of them.`,
    published: ({ arms }) => {
      const [onFault, atOnce] = arms.map(({ measures }) => measures['cycles_each']!.median);
      return {
        source: 'lguest, comment on do_set_pte',
        value: '10 %',
        difference:
          'What is saved is one fault a page. That would be 10 % if a copied page took ' +
          `${thousands((onFault! - atOnce!) / 0.1)},000 cycles in all, and here it takes ` +
          `${thousands(onFault!)},000: this guest’s ` +
          'kernel does less for a fault than Linux, and copies pages that are in the cache.',
      };
    },
  },
  ...ORDERS.map(
    (order): Claim => ({
      claim: `Choosing the least recently used pgdir is better, ${ORDER_WORDS[order]} (H:435).`,
      experiment: 'eviction',
      arms: ['random', 'lru'].map((eviction) => ({ order, eviction })),
      figure: 'cycles',
      bounds: { above: 1 },
      name: 'cycles, random to LRU',
      answer: (ratio) => `Random replacement takes ${ratio} times its cycles.`,
    }),
  ),
  ...[
    { processes: 4, bound: 1, does: 'speeds up context switches even if all pgdirs fit' },
    {
      processes: 8,
      bound: IMMENSE,
      does: `speeds up context switches immensely (${IMMENSE} times)`,
    },
  ].map(
    ({ processes, bound, does }): Claim => ({
      claim: `Keeping the kernel’s mappings ${does} (H:410).`,
      experiment: 'kernel-mappings',
      arms: ['dropped', 'kept'].map((choice) => ({ processes, kernel_mappings: choice })),
      figure: 'cycles',
      bounds: { above: bound },
      name: 'cycles, dropped to kept',
      answer: (ratio) =>
        `With ${processes} processes on 4 pgdirs a switch takes ${ratio} times the cycles without.`,
      published: ({ arms }) => ({
        source: 'lguest, comment on guest_set_pte',
        value: 'immensely, without a figure',
        difference:
          'It grows with the kernel pages that a process uses before the next one’s turn, a ' +
          `fault each: here ${faultsMore(arms)} for each switch. A real kernel uses more.`,
      }),
    }),
  ),
  (points) => {
    const sizes = points
      .filter(({ experiment }) => experiment === 'kernel-change')
      .map(({ levels }) => Number(levels['used_pages']));
    return throwingAway(Math.min(...sizes), Math.max(...sizes));
  },
  {
    claim: 'With PAE a new process pays for SET_PMD, which throws all away as well (H:400).',
    experiment: 'middle-level',
    arms: throwingAndComparing({ program: 'fork-bomb' }),
    figure: 'cycles',
    bounds: { above: 1 },
    name: 'cycles, clear-all to compare',
    answer: (ratio) => `It takes ${ratio} times the cycles of comparing.`,
  },
  ...Object.entries({
    'all used': 'if what is beside a page is used, too',
    'few used': 'if little of what is beside it is used',
    pipeline: 'for real programs',
  }).map(
    ([program, where]): Claim => ({
      claim: `Grabbing batches of ${BATCH} pages saves a percent or more, ${where} (M:007).`,
      experiment: 'prefault',
      arms: [1, BATCH].map((prefault) => ({ program, prefault })),
      figure: 'cycles',
      bounds: { above: WORTH },
      name: 'cycles saved',
      unit: '%',
      shown: percentSaved,
      answer: (saved) => `It saves ${saved} % of the cycles.`,
    }),
  ),
  {
    claim: 'References of the shadows keep most of a guest’s memory from being swapped (M:008).',
    experiment: 'reclaim',
    arms: [{ ...LARGEST, reclaim: 'never' }],
    figure: heldShare,
    bounds: { above: MOST },
    name: 'pages held',
    unit: '%',
    shown: inPercent,
    answer: (held) => `At its peak shadows hold ${held} % of the pages that it has in memory.`,
  },
  {
    claim: 'A shrinker for page tables lets a guest do with less memory of the host (M:008).',
    experiment: 'reclaim',
    arms: ['never', 'when-short'].map((reclaim) => ({ ...LARGEST, reclaim })),
    figure: 'least_frames',
    bounds: { above: 1 },
    name: 'least frames, without to with',
    answer: (ratio, { words }) =>
      `Without it the guest needs ${ratio} times the frames. With as few as it can do with, ` +
      `it takes ${words((without, within) => within['cycles']! / without['cycles']!)} times ` +
      'the cycles.',
  },
  {
    claim: 'A notifier for pages that go costs something even if no shadow holds them (M:008).',
    experiment: 'notifier',
    arms: ['when-short', 'never'].map((reclaim) => ({ reclaim })),
    figure: 'cycles',
    bounds: { above: 1 },
    name: 'cycles more',
    unit: '%',
    shown: percentMore,
    answer: (more) => `It costs ${more} % more cycles, with a page discarded for every 256 used.`,
  },
]);
