/** Small random programs, to compare the search through all behaviours with brute force. */

import { Dice } from '../../../src/explore/strategies/dice.ts';
import {
  type Access,
  add,
  cas,
  count,
  down,
  exchange,
  fence,
  load,
  lock,
  MUTEX,
  store,
  type Task,
  unlock,
  up,
  waitUntil,
  waitUntilAny,
  waitWhile,
} from './tasks.ts';

/** Words that are only counted up and down, stored to and loaded. */
const REFERENCES = 11;

const WORDS = 3;

const PLAIN = [load, load, load, store, store, store, fence] as const;

/** Few words and mostly buffered stores: two or three accesses of each of two tasks. */
export function drawnPlain(seed: number): readonly Task[] {
  const dice = new Dice();
  dice.seed(seed);
  return Array.from({ length: 2 }, () => {
    const accesses = Array.from({ length: 2 + dice.below(2) }, (): Access => {
      const kind = PLAIN[dice.below(PLAIN.length)]!;
      return kind === fence ? fence() : kind(1 + dice.below(2), dice.below(3));
    });
    return function* () {
      yield* accesses;
    };
  });
}

export interface Drawn {
  /** Some wait for one of two words. */
  readonly several?: boolean;
  /** Some add to a word and do not use the result; tasks wait only for the lock. */
  readonly counts?: boolean;
  /** Some count references up and down, from 0 or from what a task has stored. */
  readonly references?: boolean;
  /** Half of them take the lock or let go of it, under which references are handed on. */
  readonly handed?: boolean;
  /** Some steps access a second word. */
  readonly more?: boolean;
  readonly lengths?: readonly number[];
}

/** The next access of a task; each task takes the lock at most once. */
function drawn(
  dice: Dice,
  task: number,
  words: number,
  { several, counts, references, handed }: Drawn,
): Access | 'lock' {
  if (handed && dice.below(2) === 0) return 'lock';
  if (references && dice.below(3) > 0) return drawnReference(dice);
  const at = 1 + dice.below(words);
  const value = dice.below(3);
  if (several && dice.below(3) === 0) return waitUntilAny(at, 1 + dice.below(words), value);
  switch (dice.below(11)) {
    case 0:
    case 1:
    case 2:
      return load(at);
    case 3:
    case 4:
      return store(at, value);
    case 5:
      return add(at);
    case 6:
      return cas(at, value, dice.below(3));
    case 7:
      return exchange(at, value);
    case 8:
      return counts ? count(at, value - 1) : waitUntil(at, value);
    case 9:
      return counts ? count(at, value + 1) : waitWhile(at, value);
    default:
      return task < 0 ? load(at) : 'lock';
  }
}

function drawnReference(dice: Dice): Access {
  const at = REFERENCES + dice.below(2);
  const kind = dice.below(8);
  if (kind < 3) return up(at);
  if (kind < 6) return down(at);
  return kind === 6 ? load(at) : store(at, 1 + 2 * dice.below(4));
}

/** The same step, perhaps with a load or a store of a word. */
function withMore(dice: Dice, access: Access, words: number): Access {
  if (dice.below(2) === 0) return access;
  const at = 1 + dice.below(words);
  return { ...access, also: dice.below(2) === 0 ? load(at) : store(at, dice.below(3)) };
}

function drawnTask(dice: Dice, task: number, words: number, length: number, which: Drawn): Task {
  const accesses: Access[] = [];
  let holds = false;
  for (let i = 0; i < length; i++) {
    const access = drawn(dice, task, words, which);
    const isLock = access === 'lock';
    const made = !isLock ? access : holds ? unlock(MUTEX) : lock(MUTEX, task + 1);
    accesses.push(which.more ? withMore(dice, made, words) : made);
    if (isLock) holds = !holds;
  }
  // Not always: otherwise a task that waits for it waits forever.
  if (holds && dice.below(4) > 0) accesses.push(unlock(MUTEX));
  const branches = dice.below(2) === 0;
  return function* () {
    let found = 0;
    for (const [i, access] of accesses.entries()) {
      const leftOut = branches && access.at !== MUTEX && (found + i) % 2 === 1;
      if (!leftOut) found = yield access;
    }
  };
}

/** With this many accesses of each of 2, 3, 4 tasks. */
export function drawnProgram(
  seed: number,
  { lengths = [5, 3, 2], ...which }: Drawn = {},
): readonly Task[] {
  const dice = new Dice();
  dice.seed(seed);
  const tasks = 2 + dice.below(lengths.length);
  const words = 1 + dice.below(WORDS);
  const most = lengths[tasks - 2]!;
  return Array.from({ length: tasks }, (_, i) =>
    drawnTask(dice, i, words, 1 + dice.below(most), which),
  );
}
