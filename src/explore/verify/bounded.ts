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
 *
 * Both hold whatever runs are made of those with equally many, in whatever order: so a part of them
 * is a unit, which any thread may do (bounded-frontier.ts).
 */

import { assert } from '../../errors.ts';
import { toPtr } from '../../hardware/address.ts';
import { Access } from '../engine/access.ts';
import { actorOf } from '../engine/actors.ts';
import type { Board } from '../engine/board.ts';
import type { RecordingTrace } from '../engine/recording-trace.ts';
import { canBe, type Situation, type Strategy } from '../strategies/strategy.ts';
import { bitsOf, lowest } from './node.ts';
import { type Accessed, SharedWords } from './shared-words.ts';

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

/** A run that is to be made. */
export interface Pending {
  readonly way: Way;
  /** How many acts of hardware are in its way. */
  readonly acts: number;
  /** The behaviour up to where it leaves another's way, and who goes on there: see Bounded.seen. */
  readonly key: string;
}

/** A part of the runs with so many preemptions. */
export interface BoundedPart {
  readonly bounds: Bounds;
  readonly preemptions: number;
  /** What is known of who accesses what. */
  readonly accessed: Accessed;
  /** Those to begin with; they lead to others. */
  readonly pending: readonly Pending[];
}

/** Of TLB entries that hardware may drop; more than litmus tests have. */
const ENTRIES = 4;

export const FIRST: Pending = { way: [], acts: 0, key: '' };

export class Bounded implements Strategy {
  /** Runs that are to be made: the last one is next; and those with a preemption more. */
  readonly waiting: Pending[];
  readonly later: Pending[] = [];
  /** Behaviours so far, each with who has gone on: what follows is done, or waits. */
  readonly seen = new Set<string>();
  readonly shared: SharedWords;
  readonly #bounds: Bounds;
  readonly #preemptions: number;
  readonly #recording: RecordingTrace;
  /** It matters where pieces of work begin, too. */
  readonly #pieces: boolean;
  #run: Pending = FIRST;
  /** The place of what comes next in the way of this run. */
  #next = 0;
  #drawn = 0;
  #isOver = false;

  /** `board`: of abridged runs; `pieces`: it is looked at between steps. */
  constructor({ recording, host }: Board, part: BoundedPart, pieces: boolean) {
    assert(recording !== undefined, 'accesses are recorded');
    this.waiting = [...part.pending];
    this.#bounds = part.bounds;
    this.#preemptions = part.preemptions;
    this.#recording = recording;
    this.shared = new SharedWords(host.words.plain.length, part.accessed);
    this.#pieces = pieces;
  }

  /** Before each run: false when there are no more, or what is known of words was too little. */
  goOn(): boolean {
    const next = this.shared.hasGrown ? undefined : this.waiting.pop();
    this.#run = next ?? FIRST;
    return next !== undefined;
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
    if (isPoint || mayAct) this.#isNew(this.#keyOf(actor));
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
    const isAct = actor >= situation.actors;
    this.#isNew(isAct ? this.#keyOf(actor, this.#drawn, situation.current) : this.#keyOf(actor));
    return this.#goesOn(actor);
  }

  /** What it accesses is noted from here on. */
  #goesOn(actor: number): number {
    this.shared.actor = actor;
    this.#recording.recorder = this.shared;
    return actor;
  }

  /** Throws Known where the run has been before. */
  #isNew(key: string): void {
    if (this.seen.has(key)) throw new Known();
    this.seen.add(key);
  }

  /** Whether it matters that somebody else goes on here. */
  #isPoint(situation: Situation): boolean {
    const kind = situation.pendingKind(situation.current);
    if (kind === 0 || MANY.includes(kind)) return true;
    const at = situation.pendingAt(situation.current);
    return this.shared.has(at) || this.shared.has(toPtr(at + 1));
  }

  /** By itself `byItself` goes on here; others are to in other runs. */
  #switch({ step, runnable }: Situation, byItself: number, cost: number): void {
    if (this.#preemptions + cost > this.#bounds.preemptions) return;
    const { acts } = this.#run;
    const list = cost === 0 ? this.waiting : this.later;
    for (const actor of bitsOf(runnable & ~(1 << byItself))) {
      this.#plan(list, [step, actor, 0], this.#keyOf(actor), acts);
    }
  }

  #act({ step, events, cpus, current }: Situation): void {
    const acts = this.#run.acts + 1;
    for (const act of bitsOf(events)) {
      const isDrawn = actorOf(act, cpus).kind === 'eviction';
      for (let drawn = 0; drawn < (isDrawn ? ENTRIES : 1); drawn++) {
        this.#plan(this.waiting, [step, act, drawn], this.#keyOf(act, drawn, current), acts);
      }
    }
  }

  #plan(list: Pending[], leaving: Way, key: string, acts: number): void {
    if (!this.seen.has(key)) list.push({ way: [...this.#run.way, ...leaving], acts, key });
  }

  /** Of an act of hardware also what was drawn for it, and who goes on after it by himself. */
  #keyOf(actor: number, ...more: readonly number[]): string {
    return [`${this.#recording.digest}${actor}`, ...more].join('/');
  }
}

/** Accesses of many words at once. */
const MANY: readonly number[] = [Access.Scan, Access.Fill, Access.Copy];
