/** What follows for each claim. A claim is told as lguest's code has it, or as its opposite would be. */

import { estimateText as inWords } from '../../report/estimate-text.ts';
import type { Estimate } from '../../report/statistics.ts';
import type { Finding, Point } from '../../report/study-result.ts';
import { changed, inPercent, perSeed, pointAt, ratioOfPoints, verdictOf } from '../findings.ts';
import { beside } from '../sides.ts';
import type { Levels } from '../study.ts';
import { ORDERS } from './top-levels.ts';

/** All that can be said of the experiments that were run. */
export const conclude = (points: readonly Point[]): readonly Finding[] => [
  ...atOnce(points),
  ...leastRecentlyUsed(points),
  ...kernelKept(points),
  ...throwingAway(points),
  ...middleLevels(points),
  ...batches(points),
  ...held(points),
  ...shrinker(points),
  ...notifier(points),
];

interface Comparison {
  readonly experiment: string;
  readonly levels?: Levels;
  /** The one that is to have more cycles, and the other. */
  readonly of: Levels;
  readonly to: Levels;
}

/** The two points, or nothing where one of them was not run. */
function pair(points: readonly Point[], { experiment, levels, of, to }: Comparison) {
  const [a, b] = [of, to].map((own) => pointAt(points, experiment, { ...levels, ...own }));
  return a === undefined || b === undefined ? undefined : ([a, b] as const);
}

const LGUEST_COMMENT = 'lguest, comment on do_set_pte';

function atOnce(points: readonly Point[]): Finding[] {
  const sides = pair(points, {
    experiment: 'set-pte',
    levels: { program: 'copy-on-write' },
    of: { set_pte: 'on-fault' },
    to: { set_pte: 'at-once' },
  });
  if (sides === undefined) return [];
  const { ratio, verdict, sensitivity } = beside(...sides);
  const saved = percentSaved(ratio);
  const each = sides.map(({ measures }) => measures['cycles_each']!.median);
  const cost = thousands((each[0]! - each[1]!) / 0.1);
  return [
    {
      claim: 'Mapping an entry at once that has ACCESSED shaves cycles off copy-on-write (H:420).',
      verdict,
      answer: `It saves ${inWords(saved)} % of them.${sensitivity}`,
      figure: { name: 'cycles saved', unit: '%', ...saved },
      published: {
        source: LGUEST_COMMENT,
        value: '10 %',
        difference:
          'What is saved is one fault a page. That would be 10 % if a copied page took ' +
          `${cost},000 cycles in all, and here it takes ${thousands(each[0]!)},000: this guest’s ` +
          'kernel does less for a fault than Linux, and copies pages that are in the cache.',
      },
    },
  ];
}

const thousands = (n: number): number => Math.round(n / 1000);

/** 1.25 times the cycles without are 20 % saved. */
const percentSaved = (ratio: Estimate): Estimate => changed(ratio, (n) => (1 - 1 / n) * 100);

const ORDER_WORDS = {
  circle: 'when processes take turns in a circle',
  any: 'when any process is next',
  favourites: 'when some processes run more often than others',
} as const;

function leastRecentlyUsed(points: readonly Point[]): Finding[] {
  return ORDERS.flatMap((order) => {
    const sides = pair(points, {
      experiment: 'eviction',
      levels: { order },
      of: { eviction: 'random' },
      to: { eviction: 'lru' },
    });
    if (sides === undefined) return [];
    const { ratio, verdict, sensitivity } = beside(...sides);
    return [
      {
        claim: `Choosing the least recently used pgdir is better, ${ORDER_WORDS[order]} (H:435).`,
        verdict,
        answer: `Random replacement takes ${inWords(ratio)} times its cycles.${sensitivity}`,
        figure: { name: 'cycles, random to LRU', unit: '1', ...ratio },
      },
    ];
  });
}

/** From here on a speed-up is called immense. */
const IMMENSE = 2;

function kernelKept(points: readonly Point[]): Finding[] {
  return [
    { processes: 4, bound: 1, claim: 'speeds up context switches even if all pgdirs fit' },
    {
      processes: 8,
      bound: IMMENSE,
      claim: `speeds up context switches immensely (${IMMENSE} times)`,
    },
  ].flatMap(({ processes, bound, claim }) => {
    const sides = pair(points, {
      experiment: 'kernel-mappings',
      levels: { processes },
      of: { kernel_mappings: 'dropped' },
      to: { kernel_mappings: 'kept' },
    });
    if (sides === undefined) return [];
    const { ratio, verdict, sensitivity } = beside(...sides, bound);
    return [
      {
        claim: `Keeping the kernel’s mappings ${claim} (H:410).`,
        verdict,
        answer:
          `With ${processes} processes on 4 pgdirs a switch takes ${inWords(ratio)} times the cycles ` +
          `without.${sensitivity}`,
        figure: { name: 'cycles, dropped to kept', unit: '1', ...ratio },
        published: {
          source: 'lguest, comment on guest_set_pte',
          value: 'immensely, without a figure',
          difference:
            'It grows with the kernel pages that a process uses before the next one’s turn, a fault ' +
            `each: here ${faultsMore(sides)} for each switch. A real kernel uses more.`,
        },
      },
    ];
  });
}

/** Faults for each switch that the one has more than the other. */
function faultsMore(sides: readonly [Point, Point]): string {
  const [more, less] = sides.map(({ measures }) => measures['faults_fixed']!.median);
  const { cycles, cycles_each } = sides[0].measures;
  return ((more! - less!) / (cycles!.median / cycles_each!.median)).toPrecision(2);
}

/** The memory from which on lguest's remark says that guests are slower. */
const REMARK_PAGES = (700 << 20) / 4096;

function throwingAway(points: readonly Point[]): Finding[] {
  const sizes = points
    .filter(({ experiment }) => experiment === 'kernel-change')
    .map(({ levels }) => Number(levels['used_pages']));
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const at = (pages: number) =>
    pair(points, {
      experiment: 'kernel-change',
      levels: { used_pages: pages },
      of: { kernel_change: 'clear-all' },
      to: { kernel_change: 'compare' },
    });
  const [few, many] = [at(least), at(most)];
  if (few === undefined || many === undefined || least === most) return [];
  const figure = perSeed(
    [many[0], few[0]],
    (a, b) => (a['cycles_each']! - b['cycles_each']!) / (most - least),
  );
  const { ratio, verdict, sensitivity } = beside(...many);
  return [
    {
      claim:
        'Throwing all away on a kernel change costs more, the more memory a guest uses (M:009).',
      verdict: verdictOf(figure, { above: 0 }),
      answer:
        `Each change costs ${inWords(figure)} cycles for every page that is used again: with 700 MB ` +
        `of such pages, ${Math.round((figure.value * REMARK_PAGES) / 1e6)} million.`,
      figure: { name: 'cycles a change and page', unit: 'cycles', ...figure },
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
        'It can be repaired: entries that are still so can stay (M:009, which its author gave up on).',
      verdict,
      answer:
        `Throwing all away takes ${inWords(ratio)} times the cycles of comparing, with ${most} pages. ` +
        `Comparing, too, costs more the more is mapped.${sensitivity}`,
      figure: { name: 'cycles, clear-all to compare', unit: '1', ...ratio },
    },
  ];
}

function middleLevels(points: readonly Point[]): Finding[] {
  const sides = pair(points, {
    experiment: 'middle-level',
    levels: { program: 'fork-bomb' },
    of: { kernel_change: 'clear-all' },
    to: { kernel_change: 'compare' },
  });
  if (sides === undefined) return [];
  const { ratio, verdict, sensitivity } = beside(...sides);
  return [
    {
      claim: 'With PAE a new process pays for SET_PMD, which throws all away as well (H:400).',
      verdict,
      answer: `It takes ${inWords(ratio)} times the cycles of comparing.${sensitivity}`,
      figure: { name: 'cycles, clear-all to compare', unit: '1', ...ratio },
    },
  ];
}

const BATCH = 8;
/** What is saved is worth it from here on. */
const WORTH = 1.01;

const BATCH_WORDS = {
  'all used': 'if what is beside a page is used, too',
  'few used': 'if little of what is beside it is used',
  pipeline: 'for real programs',
} as const;

function batches(points: readonly Point[]): Finding[] {
  return (Object.keys(BATCH_WORDS) as (keyof typeof BATCH_WORDS)[]).flatMap((program) => {
    const sides = pair(points, {
      experiment: 'prefault',
      levels: { program },
      of: { prefault: 1 },
      to: { prefault: BATCH },
    });
    if (sides === undefined) return [];
    const { ratio, verdict, sensitivity } = beside(...sides, WORTH);
    const saved = percentSaved(ratio);
    return [
      {
        claim: `Grabbing batches of ${BATCH} pages saves a percent or more, ${BATCH_WORDS[program]} (M:007).`,
        verdict,
        answer: `It saves ${inWords(saved)} % of the cycles.${sensitivity}`,
        figure: { name: 'cycles saved', unit: '%', ...saved },
      },
    ];
  });
}

/** Of a guest's memory, what is held is most. */
const MOST = 0.5;
const LARGEST = { pgdirs: 16 };

function held(points: readonly Point[]): Finding[] {
  const point = pointAt(points, 'reclaim', { ...LARGEST, reclaim: 'never' });
  if (point === undefined) return [];
  const share = perSeed([point], ({ held_share: held }) => held!);
  const figure = inPercent(share);
  return [
    {
      claim: 'References of the shadows keep most of a guest’s memory from being swapped (M:008).',
      verdict: verdictOf(share, { above: MOST }),
      answer: `At its peak shadows hold ${inWords(figure)} % of the pages that it has in memory.`,
      figure: { name: 'pages held', unit: '%', ...figure },
    },
  ];
}

function shrinker(points: readonly Point[]): Finding[] {
  const sides = pair(points, {
    experiment: 'reclaim',
    levels: LARGEST,
    of: { reclaim: 'never' },
    to: { reclaim: 'when-short' },
  });
  if (sides === undefined) return [];
  const ratio = ratioOfPoints(...sides, 'least_frames');
  const slower = ratioOfPoints(sides[1], sides[0], 'cycles');
  return [
    {
      claim: 'A shrinker for page tables lets a guest do with less memory of the host (M:008).',
      verdict: verdictOf(ratio, { above: 1 }),
      answer:
        `Without it the guest needs ${inWords(ratio)} times the frames. With as few as it can do with, ` +
        `it takes ${inWords(slower)} times the cycles.`,
      figure: { name: 'least frames, without to with', unit: '1', ...ratio },
    },
  ];
}

function notifier(points: readonly Point[]): Finding[] {
  const sides = pair(points, {
    experiment: 'notifier',
    of: { reclaim: 'when-short' },
    to: { reclaim: 'never' },
  });
  if (sides === undefined) return [];
  const { ratio, verdict, sensitivity } = beside(...sides);
  const more = changed(ratio, (times) => (times - 1) * 100);
  return [
    {
      claim: 'A notifier for pages that go costs something even if no shadow holds them (M:008).',
      verdict,
      answer: `It costs ${inWords(more)} % more cycles, with a page discarded for every 256 used.${sensitivity}`,
      figure: { name: 'cycles more', unit: '%', ...more },
    },
  ];
}
