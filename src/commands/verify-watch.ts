/** `umbra verify --watch`: live progress of the search. */

import { keyOf } from '../explore/verify/outcomes.ts';
import { type Entry, guessOf, tokenOf } from '../explore/verify/verification.ts';
import { duration, grouped } from '../numbers.ts';
import { settingInShort } from '../report/litmus-setting.ts';
import { rounded } from './verify-report.ts';
import type { LiveState, Watch } from './watch.ts';

/** The current state, on each call; reports new failures to `watch`. */
export function liveOf(entries: readonly Entry[], watch: Watch): () => LiveState {
  const start = performance.now();
  const before = runsOf(entries);
  const told = new Set<string>();
  return () => {
    for (const entry of entries) {
      for (const met of entry.frontier.met.filter(({ ending }) => ending !== 'ok')) {
        const of = nameOf(entry);
        const says = `${met.ending}: ${met.message}`;
        const kind = `${of} ${keyOf(met)}`;
        if (told.has(kind)) continue;
        told.add(kind);
        watch.failed({ of, says, again: `umbra replay ${tokenOf(entry, met)}` });
      }
    }
    const seconds = (performance.now() - start) / 1000;
    const done = runsOf(entries);
    const rate = (done - before) / seconds;
    const guesses = entries.map(guessOf);
    const all = guesses.includes(undefined)
      ? undefined
      : guesses.reduce<number>((sum, n) => sum + n!, 0);
    return {
      advance: {
        done,
        all: all && Math.round(all),
        unit: 'behaviours',
        rate,
        eta:
          all === undefined || rate <= 0 ? '–' : `some ${duration(Math.max(0, all - done) / rate)}`,
        failures: told.size,
      },
      facts: [
        [
          'Tests in settings',
          `${entries.filter(({ frontier }) => frontier.isDone).length} of ${entries.length} done`,
        ],
      ],
      tables: [
        {
          caption: 'Behaviours so far',
          head: ['Test, setting', 'Behaviours', 'Of some', 'State', 'Wrong'],
          rows: entries.map(rowOf),
        },
      ],
    };
  };
}

const classesOf = ({ frontier }: Entry): number => frontier.totals.classes;

const runsOf = (entries: readonly Entry[]): number =>
  entries.reduce((sum, entry) => sum + classesOf(entry), 0);

const nameOf = ({ litmus, setting, insteadOf, bounds }: Entry): string =>
  `${litmus.name}, ${settingInShort(setting)}` +
  (insteadOf === undefined ? '' : `, ${bounds!.preemptions} preemptions`);

function rowOf(entry: Entry): string[] {
  const guess = guessOf(entry);
  const wrong = entry.frontier.met.filter(({ ending }) => ending !== 'ok').length;
  const classes = classesOf(entry);
  const state = entry.frontier.isDone ? 'done' : classes > 0 ? 'under way' : 'waits';
  const all = guess === undefined ? '–' : entry.frontier.isDone ? grouped(guess) : rounded(guess);
  return [nameOf(entry), grouped(classes), all, state, grouped(wrong)];
}
