/** The shared objects of a world: words, mutexes, condition variables, and other threads. */

import { assert, UserError } from '../../errors.ts';
import { Access } from '../engine/access.ts';
import type { Memory, Place, Step, Steps } from './step.ts';
import { type Change, orThrows, WordStep } from './word-step.ts';

/** The most in all, with those of mutexes and the like. */
export const MOST_WORDS = 4095;

/** As many as the bits of a mask. */
export const MOST_THREADS = 31;

/** Throws UserError for what would be another number in a word. */
function inWord(value: number, what: string): number {
  if ((value | 0) === value) return value;
  const range = `from ${-(2 ** 31)} to ${2 ** 31 - 1}`;
  throw new UserError(`${what}: found ${value}, expected a whole number ${range}`);
}

/**
 * A whole number of 32 bits, signed. Each access is one step, and all see steps in one order. What
 * is given to be put into it is such a number, or a UserError; only `add` goes on from the other
 * end.
 */
export class Word {
  readonly name: string;
  readonly place: Place;
  readonly isSync: boolean;
  readonly #shared: Shared;
  readonly #load: Step;

  constructor(name: string, place: Place, shared: Shared, isSync: boolean) {
    this.name = name;
    this.isSync = isSync;
    this.place = place;
    this.#shared = shared;
    this.#load = new WordStep(Access.Load, this, 'load()');
  }

  /** Its value, without a step: for `atEnd`, when no thread runs. */
  get value(): number {
    return this.#shared.now(this.place);
  }

  /** A step of it that is asked for. */
  made(step: Step): Step {
    this.#shared.made++;
    return step;
  }

  load(): Step {
    return this.made(this.#load);
  }

  /** Also of a read-modify-write: the result of the step is the old value. */
  store(value: number): Step {
    return this.#put(Access.Store, `store(${value})`, value);
  }

  exchange(value: number): Step {
    return this.#put(Access.Exchange, `exchange(${value})`, value);
  }

  #put(kind: Access, does: string, value: number): Step {
    inWord(value, `${this.name}.${does}`);
    return this.made(new WordStep(kind, this, does, () => value));
  }

  /** It becomes `value` if it is `expected`; the result is the old value. */
  compareExchange(expected: number, value: number): Step {
    const does = `compareExchange(${expected}, ${value})`;
    for (const each of [expected, value]) inWord(each, `${this.name}.${does}`);
    const change: Change = (found) => (found === expected ? value : found);
    return this.made(new WordStep(Access.CompareExchange, this, does, change));
  }

  add(value: number): Step {
    inWord(value, `${this.name}.add(${value})`);
    const change: Change = (found) => found + value;
    return this.made(new WordStep(Access.Add, this, `add(${value})`, change));
  }

  /** Any read-modify-write, in one step. */
  update(change: (found: number) => number): Step {
    const checked = this.#checked(change, 'update(…)');
    return this.made(new WordStep(Access.Exchange, this, 'update(…)', checked));
  }

  /** Wait until the condition holds, and read it; with `change`, change it in the same step. */
  until(holds: (found: number) => boolean, change?: (found: number) => number): Step {
    const kind = change === undefined ? Access.Load : Access.Exchange;
    const checked = change && this.#checked(change, 'until(…)');
    return this.made(new WordStep(kind, this, 'until(…)', checked, holds));
  }

  #checked(change: Change, does: string): Change {
    return (found) => inWord(change(found), `${this.name}.${does}`);
  }
}

const FREE = 0;

/** Wait until it is free, and take it. Not recursive: taking it twice waits for ever. */
export class Mutex {
  readonly #word: Word;

  constructor(word: Word) {
    this.#word = word;
  }

  lock(): Step {
    return this.#word.made(new MutexStep(this.#word, 'lock'));
  }

  /** The result is 1 if it was free and is taken, else 0. */
  tryLock(): Step {
    return this.#word.made(new MutexStep(this.#word, 'tryLock'));
  }

  /** Throws in a thread that does not hold it. */
  unlock(): Step {
    return this.#word.made(new MutexStep(this.#word, 'unlock'));
  }
}

const isFree = ([found]: readonly number[]): boolean => found === FREE;

class MutexStep implements Step {
  readonly kind: Access;
  readonly place: Place;
  readonly text: string;
  readonly isSync = true;
  declare readonly guard: Step['guard'];
  readonly #does: 'lock' | 'tryLock' | 'unlock';

  constructor({ place, name }: Word, does: 'lock' | 'tryLock' | 'unlock') {
    this.kind = does === 'unlock' ? Access.Store : Access.CompareExchange;
    this.place = place;
    this.text = `${name}.${does}()`;
    this.#does = does;
    if (does === 'lock') this.guard = { words: [place], holds: isFree };
  }

  perform(memory: Memory, thread: number): number {
    const { place } = this;
    const found = memory.read(place);
    if (this.#does === 'unlock') {
      if (found !== thread + 1) throw new Error(`${this.text}: found it not held by this thread`);
      memory.write(place, FREE);
      return 0;
    }
    if (found !== FREE) return 0;
    memory.write(place, thread + 1);
    return 1;
  }
}

/**
 * A condition variable as in POSIX, without spurious wakeups: `signal` wakes any one of those that
 * wait at the time; `broadcast` all.
 */
export class Condition {
  /** As bits by thread: waiting threads, and woken candidates; and how many of these may go on. */
  readonly #waiting: Word;
  readonly #called: Word;
  readonly #permits: Word;
  readonly #name: string;

  constructor(name: string, waiting: Word, called: Word, permits: Word) {
    this.#name = name;
    this.#waiting = waiting;
    this.#called = called;
    this.#permits = permits;
  }

  /** Release the mutex and wait, in one step; then take it again. `yield*` it. */
  *wait(mutex: Mutex): Steps {
    const [waiting, called, permits] = [this.#waiting, this.#called, this.#permits];
    const name = this.#name;
    const release = mutex.unlock();
    const me: number = yield {
      kind: Access.Or,
      place: waiting.place,
      isSync: true,
      text: `${name}.wait(${release.text.replace('.unlock()', '')})`,
      perform(memory, thread) {
        release.perform(memory, thread);
        memory.write(waiting.place, memory.read(waiting.place) | (1 << thread));
        return thread;
      },
    };
    const mine = 1 << me;
    yield {
      kind: Access.And,
      place: called.place,
      isSync: true,
      text: `${name} goes on`,
      guard: { words: [called.place], holds: ([found]) => (found! & mine) !== 0 },
      perform(memory) {
        const left = memory.read(permits.place) - 1;
        memory.write(permits.place, left);
        memory.write(waiting.place, memory.read(waiting.place) & ~mine);
        memory.write(called.place, left === 0 ? 0 : memory.read(called.place) & ~mine);
        return 0;
      },
    };
    yield mutex.lock();
  }

  signal(): Step {
    return this.#call('signal', 1);
  }

  broadcast(): Step {
    return this.#call('broadcast', MOST_THREADS);
  }

  #call(does: string, most: number): Step {
    const [waiting, called, permits] = [this.#waiting, this.#called, this.#permits];
    return waiting.made({
      kind: Access.Or,
      place: waiting.place,
      text: `${this.#name}.${does}()`,
      isSync: true,
      perform(memory) {
        const all = memory.read(waiting.place);
        const now = memory.read(permits.place);
        const then = Math.min(now + most, countOf(all));
        if (then === now) return 0;
        memory.write(permits.place, then);
        memory.write(called.place, memory.read(called.place) | all);
        return 0;
      },
    });
  }
}

/** A thread that others start. */
export class ThreadHandle {
  readonly #state: Word;

  constructor(state: Word) {
    this.#state = state;
  }

  start(): Step {
    const state = this.#state;
    const change: Change = (found) => {
      if (found !== ThreadState.New) throw new Error(`${state.name} is started twice`);
      return ThreadState.Runs;
    };
    return state.made(new WordStep(Access.Exchange, state, 'start()', change));
  }

  /** Wait until it has come to its end. */
  join(): Step {
    const hasEnded = (found: number): boolean => found === ThreadState.Ended;
    return this.#state.made(new WordStep(Access.Load, this.#state, 'join()', undefined, hasEnded));
  }
}

export const ThreadState = { New: 0, Runs: 1, Ended: 2 } as const;

/** The parameter of a world's code, which makes the shared objects. */
export class Shared {
  readonly words: Word[] = [];
  readonly initial: number[] = [];
  readonly threads: { name: string; code: () => Steps; state: Word | undefined }[] = [];
  readonly now: (place: Place) => number;
  /** Steps that were asked for: one that is not yielded is a mistake. */
  made = 0;

  constructor(now: (place: Place) => number) {
    this.now = now;
  }

  word(name: string, initial = 0): Word {
    return this.#word(name, initial, false);
  }

  #word(name: string, initial: number, isSync: boolean): Word {
    const place = this.words.length + 1;
    if (place > MOST_WORDS) throw new UserError(`a world has at most ${MOST_WORDS} words`);
    if (this.words.some((other) => other.name === name)) {
      throw new UserError(`found a second word called '${name}', expected a name of its own`);
    }
    const word = new Word(name, place, this, isSync);
    this.words.push(word);
    this.initial.push(inWord(initial, `word ${name}`));
    return word;
  }

  /** An array of words. */
  array(name: string, length: number, initial = 0): Word[] {
    return Array.from({ length }, (_, i) => this.word(`${name}[${i}]`, initial));
  }

  mutex(name: string): Mutex {
    return new Mutex(this.#word(name, 0, true));
  }

  condition(name: string): Condition {
    const [waiting, called, permits] = ['waiting', 'called', 'permits'].map((part) =>
      this.#word(`${name}.${part}`, 0, true),
    );
    return new Condition(name, waiting!, called!, permits!);
  }

  /** A thread that does not run before another has started it. */
  thread(name: string, code: () => Steps): ThreadHandle {
    const state = this.#word(name, ThreadState.New, true);
    this.add(name, code, state);
    return new ThreadHandle(state);
  }

  /** Wait until a condition on some words holds: `holds` gets their values. */
  until(words: readonly Word[], holds: (...found: number[]) => boolean): Step {
    assert(words.length > 0, 'words to wait for are given');
    const places = words.map(({ place }) => place);
    return words[0]!.made({
      kind: Access.Load,
      place: places[0]!,
      text: `until(${words.map(({ name }) => name).join(', ')})`,
      guard: { words: places, holds: orThrows(holds) },
      perform(memory) {
        const found = places.map((place) => memory.read(place));
        holds(...found);
        return found[0]!;
      },
    });
  }

  /** Yield, for spin loops: the attempt is in vain until another thread takes a step. */
  relax(): Step {
    this.made++;
    return { kind: Access.Load, place: 0, text: 'relax()', isVain: true, perform: () => 0 };
  }

  add(name: string, code: () => Steps, state?: Word): void {
    if (this.threads.length === MOST_THREADS) {
      throw new UserError(`a world has at most ${MOST_THREADS} threads`);
    }
    this.threads.push({ name, code, state });
  }
}

function countOf(mask: number): number {
  let n = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) n++;
  return n;
}
