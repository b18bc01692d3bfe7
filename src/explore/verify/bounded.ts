/**
 * All behaviours with so many preemptions at most: those with none, those with one, and so on. A
 * preemption is a switch away from a host CPU that could go on (Musuvathi, Qadeer: Iterative
 * Context Bounding, PLDI 2007). Acts of hardware have a bound of their own.
 *
 * To leave runs out as the search without a bound does would be wrong here: a run that stands for
 * others that behave alike may have more preemptions than they. Two things may be left out:
 *
 * - What follows from where a run has been before: from the same behaviour so far, with the same
 *   CPU going on, and no fewer preemptions (happens-before caching). Runs come in the order of
 *   their preemptions, so whoever was there first had no more.
 * - Preemptions before an access of a word that no two CPUs access one of which changes it: it is
 *   the same after it. Which words do is seen in the runs. Should one be found late, all is done
 *   again: where those that were known at the beginning are all there are, nothing is missed, since
 *   of what is missed the first access of another one would have been seen.
 */

import { assert } from '../../errors.ts';
import { type Ptr, toPtr } from '../../hardware/address.ts';
import { Access } from '../engine/access.ts';
import { actorOf } from '../engine/actors.ts';
import type { Board } from '../engine/board.ts';
import type { Recorder, RecordingTrace } from '../engine/recording-trace.ts';
import { PAGE_BITS } from '../engine/trace.ts';
import { canBe, type Situation, type Strategy } from '../strategies/strategy.ts';
import { bitsOf, lowest } from './node.ts';

/** Thrown to leave a run where another has been. */
export class Known extends Error {
  override readonly name = 'Known';
}

export interface Bounds {
  readonly preemptions: number;
  /** Acts of hardware in a run. */
  readonly acts: number;
}

/** Where a run leaves the way it would go by itself: triples of step, actor, number drawn. */
type Way = readonly number[];

/** A run that is to be made, and how many acts of hardware are in its way. */
interface Pending {
  readonly way: Way;
  readonly acts: number;
}

const FIRST: Pending = { way: [], acts: 0 };

/** Of TLB entries that hardware may drop; more than litmus tests have. */
const ENTRIES = 4;

export class Bounded implements Strategy {
  /** Of the run that goes on, or the last one. */
  preemptions = 0;
  /** How often all was begun anew, so that what was done before does not count. */
  round = 0;
  readonly #bounds: Bounds;
  readonly #recording: RecordingTrace;
  readonly #shared: SharedWords;
  /** It matters where pieces of work begin, too. */
  readonly #pieces: boolean;
  /** By their preemptions; the last one is next. */
  #waiting: Pending[][] = [[FIRST]];
  /** Behaviours so far, each with who goes on. */
  readonly #seen = new Set<string>();
  #knownWords = 0;
  #run = FIRST;
  /** The place of what comes next in the way of this run. */
  #next = 0;
  #drawn = 0;
  #isOver = false;

  /** `board`: of abridged runs. */
  constructor({ recording, host }: Board, bounds: Bounds, pieces = false) {
    this.#pieces = pieces;
    assert(recording !== undefined, 'accesses are recorded');
    this.#recording = recording;
    this.#bounds = bounds;
    this.#shared = new SharedWords(host.words.plain.length);
  }

  /** Before each run: false when there are no more. */
  goOn(): boolean {
    if (this.#shared.count !== this.#knownWords) this.#startAnew();
    for (;;) {
      const next = this.#waiting[this.preemptions]?.pop();
      if (next !== undefined) {
        this.#run = next;
        return true;
      }
      if (this.preemptions >= this.#waiting.length) return false;
      this.preemptions++;
    }
  }

  #startAnew(): void {
    this.#knownWords = this.#shared.count;
    this.#seen.clear();
    this.round++;
    this.preemptions = 0;
    this.#waiting = [[FIRST]];
  }

  begin(): void {
    this.#next = 0;
    this.#drawn = 0;
    this.#isOver = false;
    this.#recording.recorder = undefined;
  }

  /** Throws Known. */
  next(situation: Situation): number {
    const { step, current, runnable, hasEnded } = situation;
    if (hasEnded || this.#isOver) {
      this.#isOver = true;
      this.#recording.recorder = undefined;
      return lowest(runnable);
    }
    const { way } = this.#run;
    if (way[this.#next] === step) return this.#asPlanned(situation);
    const isStopped = ((runnable >>> current) & 1) === 0;
    const actor = isStopped ? lowest(runnable) : current;
    if (this.#next < way.length) return actor;
    // Who begins is as free as who goes on where one cannot.
    const isFree = isStopped || step === 0;
    const isPoint = isFree || this.#isPoint(situation) || (this.#pieces && situation.begins);
    const mayAct = this.#run.acts < this.#bounds.acts && situation.events !== 0;
    if (isPoint || mayAct) this.#isNew(actor);
    if (isPoint) this.#switch(situation, actor, isFree ? 0 : 1);
    // Anywhere: whether it can still happen at the next point hangs on what is private to a CPU.
    if (mayAct) this.#act(situation);
    return this.#goesOn(actor);
  }

  get until(): number {
    return this.#isOver ? Number.POSITIVE_INFINITY : (this.#run.way[this.#next] ?? 0);
  }

  draw(): number {
    const drawn = this.#drawn;
    this.#drawn = 0;
    return drawn;
  }

  ended(): void {
    this.#recording.recorder = undefined;
  }

  #asPlanned(situation: Situation): number {
    const { way } = this.#run;
    const actor = way[this.#next + 1]!;
    this.#drawn = way[this.#next + 2]!;
    this.#next += 3;
    assert(canBe(situation, actor), 'who is to go on can');
    if (this.#next < way.length) return actor;
    // An act of hardware is part of the behaviour, and who goes on is asked after it.
    if (actor < situation.actors) this.#isNew(actor);
    return this.#goesOn(actor);
  }

  /** What it accesses is noted from here on. */
  #goesOn(actor: number): number {
    this.#shared.actor = actor;
    this.#recording.recorder = this.#shared;
    return actor;
  }

  /** Throws Known where `actor` went on from here before. */
  #isNew(actor: number): void {
    const key = `${this.#recording.digest}${actor}`;
    if (this.#seen.has(key)) throw new Known();
    this.#seen.add(key);
  }

  /** Whether it matters that somebody else goes on here. */
  #isPoint(situation: Situation): boolean {
    const kind = situation.pendingKind(situation.current);
    if (kind === 0 || MANY.includes(kind)) return true;
    const at = situation.pendingAt(situation.current);
    return this.#shared.has(at) || this.#shared.has(toPtr(at + 1));
  }

  /** By itself `byItself` goes on here; others are to in other runs. */
  #switch({ step, runnable }: Situation, byItself: number, cost: number): void {
    const { way, acts } = this.#run;
    const preemptions = this.preemptions + cost;
    if (preemptions > this.#bounds.preemptions) return;
    this.#waiting[preemptions] ??= [];
    for (const actor of bitsOf(runnable & ~(1 << byItself))) {
      if (this.#seen.has(`${this.#recording.digest}${actor}`)) continue;
      this.#waiting[preemptions]!.push({ way: [...way, step, actor, 0], acts });
    }
  }

  #act({ step, events, cpus }: Situation): void {
    const { way, acts } = this.#run;
    for (const act of bitsOf(events)) {
      const isDrawn = actorOf(act, cpus).kind === 'eviction';
      for (let drawn = 0; drawn < (isDrawn ? ENTRIES : 1); drawn++) {
        this.#waiting[this.preemptions]!.push({ way: [...way, step, act, drawn], acts: acts + 1 });
      }
    }
  }
}

/** Accesses of many words at once. */
const MANY: readonly number[] = [Access.Scan, Access.Fill, Access.Copy];

/** Which words several actors access, one of which changes them. */
class SharedWords implements Recorder {
  /** Whose accesses are told. */
  actor = 0;
  /** Counts up whenever there may be more of them. */
  count = 0;
  /** Of each word, and of each page accessed as a whole: a bit for each actor that has. */
  readonly #accessed: Int32Array;
  readonly #changed: Int32Array;
  readonly #pagesAccessed: Int32Array;
  readonly #pagesChanged: Int32Array;

  constructor(words: number) {
    const pages = (words >>> PAGE_BITS) + 1;
    this.#accessed = new Int32Array(words);
    this.#changed = new Int32Array(words);
    this.#pagesAccessed = new Int32Array(pages);
    this.#pagesChanged = new Int32Array(pages);
  }

  has(at: Ptr): boolean {
    const page = at >>> PAGE_BITS;
    const accessed = this.#accessed[at]! | this.#pagesAccessed[page]!;
    return (
      (this.#changed[at]! | this.#pagesChanged[page]!) !== 0 && (accessed & (accessed - 1)) !== 0
    );
  }

  read(place: number): void {
    this.#note(place, this.#accessed, this.#pagesAccessed);
  }

  change(place: number): void {
    this.#note(place, this.#accessed, this.#pagesAccessed);
    this.#note(place, this.#changed, this.#pagesChanged);
  }

  #note(place: number, words: Int32Array, pages: Int32Array): void {
    const mine = 1 << this.actor;
    const [list, at] = place < 0 ? [pages, ~place] : [words, place];
    if ((list[at]! & mine) !== 0) return;
    const was = place < 0 || this.has(toPtr(place));
    list[at]! |= mine;
    if (place < 0 || was !== this.has(toPtr(place))) this.count++;
  }
}
