/** What follows from the study of shootdowns. */

import type { Finding, Point } from '../../report/study-result.ts';
import { inWords, pointAt, ratioOfPoints, verdictOf } from '../findings.ts';
import { beside } from '../sides.ts';
import type { Levels } from '../study.ts';
import { CPUS, PAGES } from './experiments.ts';

export const conclude = (points: readonly Point[]): readonly Finding[] => [
  ...perCpu(points),
  ...others(points),
  ...batches(points),
  ...meanwhile(points),
];

function pairOf(points: readonly Point[], experiment: string, a: Levels, b: Levels) {
  const [one, other] = [a, b].map((levels) => pointAt(points, experiment, levels));
  return one === undefined || other === undefined ? undefined : ([one, other] as const);
}

const MOST = CPUS.at(-1)!;

/** CPUs are asked to leave and waited for one after the other. */
function perCpu(points: readonly Point[]): Finding[] {
  const at = { discipline: 'lock-free', pgdir: 'the same' };
  const pair = pairOf(points, 'cpus', { ...at, cpus: MOST }, { ...at, cpus: 2 });
  if (pair === undefined) return [];
  const ratio = ratioOfPoints(...pair, 'change_ticks_p50');
  return [
    {
      claim:
        'To take an entry away costs more, the more CPUs are inside: twice as much with three as with one, or more.',
      verdict: verdictOf(ratio, { above: 2 }),
      answer: `It takes ${inWords(ratio)} times the ticks: they are got out of the guest one after the other, and each is waited for.`,
      figure: { name: 'ticks of a change, three others to one', unit: '1', ...ratio },
      published: {
        source: 'Kumar et al. 2018 (LATR)',
        value:
          'munmap of a page takes some 2 µs on one core and above 8 µs with 16, on two sockets',
        difference:
          'Interrupts there are sent to all CPUs at once and then waited for, and a socket’s CPUs are near. lguest’s repaired code asks one CPU after the other, and a tick is an access, near or far. The figure was quoted from memory.',
      },
    },
  ];
}

/** Who is on another pgdir is left alone. */
function others(points: readonly Point[]): Finding[] {
  const at = { discipline: 'lock-free', pgdir: 'another' };
  const pair = pairOf(points, 'cpus', { ...at, cpus: MOST }, { ...at, cpus: 1 });
  if (pair === undefined) return [];
  const ratio = ratioOfPoints(...pair, 'change_ticks_p50');
  return [
    {
      claim: 'CPUs that run on another pgdir cost who changes an entry nothing.',
      verdict: verdictOf(ratio, { below: 1.05 }),
      answer: `With three of them a change takes ${inWords(ratio)} times the ticks that it takes alone.`,
      figure: { name: 'ticks of a change, three on other pgdirs to none', unit: '1', ...ratio },
    },
  ];
}

/** One flush against many changes, and from how many pages on. */
function batches(points: readonly Point[]): Finding[] {
  const sides = PAGES.flatMap((pages) => {
    const pair = pairOf(
      points,
      'batching',
      { how: 'a SET_PTE each', pages },
      { how: 'one flush', pages },
    );
    return pair === undefined ? [] : [{ pages, pair, ...beside(...pair) }];
  });
  const last = sides.at(-1);
  if (last === undefined) return [];
  const pays = sides.find(({ verdict }) => verdict === 'holds');
  const from =
    pays === undefined
      ? 'It pays for no number of pages here.'
      : `It pays from ${pays.pages} pages on.`;
  const waited = ratioOfPoints(...last.pair, 'change_ticks');
  return [
    {
      claim: `To take ${last.pages} pages away by one flush takes fewer cycles than by a SET_PTE each, while three others run.`,
      verdict: last.verdict,
      answer:
        `A SET_PTE each takes ${inWords(last.ratio)} times the cycles, all CPUs together, and ${inWords(waited)} times ` +
        `the ticks of who changes them. ${from}${last.sensitivity}`,
      figure: { name: 'cycles, a SET_PTE each to one flush', unit: '1', ...last.ratio },
    },
  ];
}

/** What the others lose. */
function meanwhile(points: readonly Point[]): Finding[] {
  return [64, 4].flatMap((interval) => {
    const pair = pairOf(points, 'meanwhile', { interval }, { interval: 0 });
    if (pair === undefined) return [];
    const ratio = ratioOfPoints(...pair, 'ticks_per_load');
    return [
      {
        claim: `Three CPUs that only read take twice as long, or more, when another changes an entry every ${interval} loads.`,
        verdict: verdictOf(ratio, { above: 2 }),
        answer: `They take ${inWords(ratio)} times the ticks: each change throws all of them out of the guest, and their TLBs with it.`,
        figure: {
          name: `ticks a load, a change every ${interval} loads to none`,
          unit: '1',
          ...ratio,
        },
      },
    ];
  });
}
