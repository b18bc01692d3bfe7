/**
 * All behaviours with so many preemptions at most: those with none, those with one, and so on. A
 * preemption is a switch away from a host CPU that could go on (Musuvathi, Qadeer: Iterative
 * Context Bounding, PLDI 2007). Acts of hardware have a bound of their own.
 *
 * The reductions of the search without a bound would be wrong here: the run that represents a
 * behaviour may have more preemptions than another run of it. Two reductions are sound:
 *
 * - Happens-before caching: what follows a visited state is skipped. The state is the behaviour so
 *   far and the CPU that goes on, reached with no more preemptions. Runs come in the order of their
 *   preemptions, so the first visit had no more.
 * - No preemption before an access of an unshared word, one that no two CPUs access with a change:
 *   preempting after the access is the same. Shared words are found in the runs. If one is found
 *   late, the search begins again. If those known at the beginning are all, nothing is missed:
 *   the first access of another shared word in a missed run would have been seen.
 *
 * Both hold for runs with equally many preemptions in any order: so a part of them is a unit, which
 * any thread may run (bounded-frontier.ts).
 */

import { assert } from '../../errors.ts';
import { NULL, toPtr } from '../../hardware/address.ts';
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

/** A planned run. */
export interface Pending {
  readonly way: Way;
  /** How many acts of hardware are in its way. */
  readonly acts: number;
  /** The state at its first deviation: see Bounded.seen. */
  readonly key: string;
}

/** A part of the runs with so many preemptions. */
export interface BoundedPart {
  readonly bounds: Bounds;
  readonly preemptions: number;
  /** The shared words known so far. */
  readonly accessed: Accessed;
  /** Those to begin with; they lead to others. */
  readonly pending: readonly Pending[];
}

/** Of TLB entries that hardware may drop; more than litmus tests have. */
const ENTRIES = 4;

export const FIRST: Pending = { way: [], acts: 0, key: '' };

export class Bounded implements Strategy {
  /** Planned runs: the last one is next; and those with one preemption more. */
  readonly waiting: Pending[];
  readonly later: Pending[] = [];
  /** Visited states, each a behaviour so far and a CPU: what follows is done, or planned. */
  readonly seen = new Set<string>([FIRST.key]);
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

  /** `board`: of abridged runs; `pieces`: invariants are checked between steps. */
  constructor({ recording, host }: Board, part: BoundedPart, pieces: boolean) {
    assert(recording !== undefined, 'accesses are recorded');
    this.waiting = [...part.pending];
    this.#bounds = part.bounds;
    this.#preemptions = part.preemptions;
    this.#recording = recording;
    this.shared = new SharedWords(host.words.plain.length, part.accessed);
    this.#pieces = pieces;
  }

  /** Before each run: false when there are no more, or an unknown shared word was found. */
  goOn(): boolean {
    const next = this.shared.hasGrown ? undefined : this.waiting.pop();
    this.#run = next ?? FIRST;
    return next !== undefined;
  }

  begin(): void {
    this.#next = 0;
    this.#drawn = 0;
    this.#recording.recorder = undefined;
  }

  /** Throws Known. */
  next(situation: Situation): number {
    const { step, current, runnable } = situation;
    const { way } = this.#run;
    if (way[this.#next] === step) return this.#asPlanned(situation);
    const isStopped = ((runnable >>> current) & 1) === 0;
    const actor = isStopped ? lowest(runnable) : current;
    if (this.#next < way.length) return actor;
    // The choice of the first CPU is free, as after a CPU that cannot go on.
    const isFree = isStopped || step === 0;
    const isPoint = isFree || this.#isPoint(situation) || (this.#pieces && situation.begins);
    const mayAct = this.#run.acts < this.#bounds.acts && situation.events !== 0;
    if (isPoint || mayAct) this.#isNew(this.#keyOf(actor));
    if (isPoint) this.#switch(situation, actor, isFree ? 0 : 1);
    // At any point: private state of a CPU decides whether it is still possible at the next one.
    if (mayAct) this.#act(situation);
    return this.#goesOn(situation, actor);
  }

  get until(): number {
    return this.#run.way[this.#next] ?? 0;
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
    return this.#goesOn(situation, actor);
  }

  /** Record its accesses from here on. */
  #goesOn(situation: Situation, actor: number): number {
    this.shared.actor = actor;
    this.shared.step = actor < situation.actors ? situation.pendingAt(actor) : NULL;
    this.#recording.recorder = this.shared;
    return actor;
  }

  /** Throws Known where the run has been before. */
  #isNew(key: string): void {
    if (this.seen.has(key)) throw new Known();
    this.seen.add(key);
  }

  /** Whether a switch here can matter. */
  #isPoint(situation: Situation): boolean {
    const kind = situation.pendingKind(situation.current);
    if (kind === 0 || MANY.includes(kind)) return true;
    const at = situation.pendingAt(situation.current);
    return this.shared.has(at) || this.shared.has(toPtr(at + 1));
  }

  /** `byItself` goes on here by default; plan runs in which others do. */
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

  /** For an act of hardware also the number drawn, and the default CPU after it. */
  #keyOf(actor: number, ...more: readonly number[]): string {
    return [`${this.#recording.digest}${actor}`, ...more].join('/');
  }
}

/** Accesses of many words at once. */
const MANY: readonly number[] = [Access.Scan, Access.Fill, Access.Copy];
