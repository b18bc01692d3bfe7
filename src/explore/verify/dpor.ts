/**
 * All behaviours of a program, once each, by source sets and sleep sets (Abdulla, Aronsson,
 * Jonsson, Sagonas: Optimal Dynamic Partial Order Reduction, POPL 2014; Source Sets, JACM 2017).
 *
 * A run is a list of events, each a step of one actor with what belongs to it. Two events of
 * different actors conflict if they access the same place and one changes it. Runs in which all
 * conflicting events come in the same order behave alike. Of each run it is asked which two events
 * could have come the other way round, and a run in which they do is planned. An actor whose
 * runs from some place on are done sleeps beside those that follow, until something happens that
 * conflicts with its step; where all sleep, the rest of the run was done before.
 *
 * An actor may have to wait for a word: its step is then one that can be taken while the word is
 * as it should be (`Guard`), and it accesses the word. A change that let the step happen cannot be
 * turned round with it; but the last change before which the step could have been taken can. The
 * same holds for who waits for ever. Without that, behaviours are missed. Who waits for several
 * words together needs all their changes to conflict with one another (RecordingTrace.tie).
 *
 * With two actors no run is left in the middle: who sleeps is woken by the very event that is
 * turned round. With more, some are, and are counted apart.
 */

import { assert } from '../../errors.ts';
import type { Guard } from '../engine/guard.ts';
import type { Recorder } from '../engine/recording-trace.ts';
import { Accesses, type Footprint, NONE } from './accesses.ts';
import { left, lowest, NO_STEPS, type Node, type Plan, stepsOf, withStep } from './node.ts';

/** For what an actor's next step waits, if for anything. */
export type GuardOf = (actor: number) => Guard | undefined;

/** What `next` says where all that can go on sleep: the rest of the run was done before. */
export const ALL_SLEEP = -1;

export class Dpor implements Recorder {
  readonly accesses: Accesses;
  /** Runs to their end, each of which behaves in another way, and runs left where all slept. */
  classes = 0;
  blocked = 0;
  readonly #actors: number;
  /** One for each event of this run. */
  readonly #nodes: Node[] = [];
  /** How many events have begun; the last one lasts until the next decision. */
  #events = 0;
  #isOpen = false;
  /** Where the accesses of each event begin. */
  readonly #from: number[] = [];
  readonly #guards: (Guard | undefined)[] = [];
  /** Of each event, how many events of each actor are it or come before it by conflicts. */
  #clocks = new Int32Array(1 << 12);
  /** The events of each actor, in order. */
  readonly #own: number[][];
  /** What is looked at is a step of this actor's; the last event of each other that it conflicts with, */
  #actor = 0;
  readonly #met: number[];
  /** and how many events of each come before it, as far as is known. */
  readonly #seen: Int32Array;
  #hasBegun = false;
  /** So many of the first nodes are somebody else's; who is to go on there is told, not done. */
  #foreign = 0;
  plans: Plan[] = [];
  readonly #now: (word: number) => number;

  /**
   * `actors`: numbered from 0; `words`: of the memory that they share; `now`: what is in one of
   * them.
   */
  constructor(actors: number, words: number, now: (word: number) => number) {
    this.accesses = new Accesses(words);
    this.#now = now;
    this.#actors = actors;
    this.#own = Array.from({ length: actors }, () => []);
    this.#met = Array<number>(actors).fill(NONE);
    this.#seen = new Int32Array(actors);
  }

  /**
   * A run begins. Returns how many of its first events are those of the last run, and are not to
   * be told again; undefined when there are no more runs.
   */
  begin(): number | undefined {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      return 0;
    }
    let depth = this.#nodes.length;
    while (depth > this.#foreign && left(this.#nodes[depth - 1]!) === 0) depth--;
    if (depth === this.#foreign) return undefined;
    this.#goBack(depth - 1);
    return depth - 1;
  }

  /**
   * Before the first run: only those are to be that begin with the steps of these nodes, which are
   * somebody else's. The last node's step is one that no run has taken there yet.
   */
  enter(nodes: readonly Node[]): void {
    this.#nodes.push(...nodes);
    this.#foreign = nodes.length;
  }

  /** Between two runs: from which nodes on there are more, down to the last of them. */
  rest(): readonly Node[] {
    let depth = this.#nodes.length;
    while (depth > this.#foreign && left(this.#nodes[depth - 1]!) === 0) depth--;
    const nodes = this.#nodes.slice(this.#foreign, depth);
    for (const [i, node] of nodes.entries()) {
      node.steps = withStep(node.steps, node.actor, this.stepOf(this.#foreign + i));
    }
    return nodes;
  }

  /** What step `event` of the last run has accessed. */
  stepOf(event: number): Footprint {
    const to = event + 1 < this.#events ? this.#from[event + 1]! : this.accesses.count;
    return this.accesses.footprint(this.#from[event]!, to);
  }

  /** Who took the n-th step of the last run, and takes it in this one. */
  actorOf(event: number): number {
    return this.#nodes[event]!.actor;
  }

  /** `able`: a bit for each actor that can take the next step. Who does; or ALL_SLEEP. */
  next(able: number, guardOf: GuardOf): number {
    this.#close();
    const event = this.#events;
    const node = this.#nodes[event] ?? this.#newNode(able);
    if (node === undefined) {
      // What those do that wait here, and not where the rest was done, may wake who sleeps.
      this.#beforeWaiting(able, guardOf);
      this.blocked++;
      return ALL_SLEEP;
    }
    const { actor } = node;
    assert(((able >>> actor) & 1) === 1, 'who is to go on can');
    this.#from[event] = this.accesses.count;
    this.#guards[event] = guardOf(actor);
    this.#own[actor]!.push(event);
    this.#events = event + 1;
    this.#isOpen = true;
    return actor;
  }

  /** The step that was decided last has loaded a word, or all of a page (see pageOf). */
  read(place: number): void {
    this.accesses.add(this.#events - 1, place, false, 0);
  }

  /** It has changed it; `old` was there before. */
  change(place: number, old: number): void {
    this.accesses.add(this.#events - 1, place, true, old);
  }

  /** Nobody can go on, and the run is at its end. */
  end(guardOf: GuardOf): void {
    this.#close();
    this.#beforeWaiting(0, guardOf);
    this.classes++;
  }

  /** Who waits at the end of a run might have gone on earlier. */
  #beforeWaiting(able: number, guardOf: GuardOf): void {
    for (let actor = 0; actor < this.#actors; actor++) {
      const guard = ((able >>> actor) & 1) === 1 ? undefined : guardOf(actor);
      if (guard === undefined) continue;
      this.#begin(actor, this.#own[actor]!.at(-1));
      this.#beforeDisabled(this.#events, guard);
    }
  }

  /** At a place that no run before has come to in this way. Undefined where all sleep. */
  #newNode(able: number): Node | undefined {
    const asleep = this.#sleepers();
    const steps = asleep === 0 ? NO_STEPS : stepsOf(this.#nodes[this.#events - 1]!.steps, asleep);
    const awake = able & ~asleep;
    if (awake === 0) return undefined;
    // Who went on last, if possible: so a run has few switches.
    const last = this.#events === 0 ? 0 : this.#nodes[this.#events - 1]!.actor;
    const actor = ((awake >>> last) & 1) === 1 ? last : lowest(awake);
    const node = { actor, planned: 1 << actor, done: 1 << actor, asleep, steps };
    this.#nodes.push(node);
    return node;
  }

  /** Who slept or was done before the last event, and whose step does not conflict with it. */
  #sleepers(): number {
    const event = this.#events - 1;
    if (event < 0) return 0;
    const before = this.#nodes[event]!;
    let asleep = 0;
    let mask = (before.asleep | before.done) & ~(1 << before.actor);
    for (; mask !== 0; mask &= mask - 1) {
      const actor = lowest(mask);
      const step = before.steps[actor]!;
      if (this.accesses.conflict(step, this.#from[event]!, this.accesses.count)) continue;
      asleep |= 1 << actor;
    }
    return asleep;
  }

  /** To where event `depth` is another one than in the last run. */
  #goBack(depth: number): void {
    const node = this.#nodes[depth]!;
    node.steps = withStep(node.steps, node.actor, this.stepOf(depth));
    this.accesses.takeBack(this.#from[depth]!);
    for (const own of this.#own) while (own.length > 0 && own.at(-1)! >= depth) own.pop();
    this.#nodes.length = depth + 1;
    this.#events = depth;
    this.#isOpen = false;
    node.actor = lowest(left(node));
    node.done |= 1 << node.actor;
  }

  /** All accesses of the last event are known: what could have come the other way round? */
  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const event = this.#events - 1;
    // One that accesses nothing would conflict with nothing, and be no part of the behaviour.
    assert(this.accesses.count > this.#from[event]!, 'each step accesses something');
    const { actor } = this.#nodes[event]!;
    const own = this.#own[actor]!;
    const guard = this.#guards[event];
    this.#begin(actor, own.at(-2));
    this.#meet(event);
    let enabler = NONE;
    for (let last = this.#latestMet(); last !== NONE; last = this.#latestMet()) {
      this.#met[this.#nodes[last]!.actor] = NONE;
      // Otherwise another event lies between them.
      if (!this.#isSeen(last)) {
        if (guard !== undefined && this.#enables(last, guard)) enabler = last;
        else this.#plan(last, event);
        this.#join(last);
      }
    }
    this.#seen[actor] = own.length;
    this.#keepSeen(event);
    if (enabler !== NONE) this.#withoutEnabler(event, guard!);
  }

  /** Something let `event` happen: it comes before an earlier change instead, or not at all. */
  #withoutEnabler(event: number, guard: Guard): void {
    const { actor } = this.#nodes[event]!;
    this.#begin(actor, this.#own[actor]!.at(-2));
    this.#meet(event, guard.words);
    for (const [other, last] of this.#met.entries()) {
      if (last !== NONE) this.#join(last);
      this.#met[other] = NONE;
    }
    this.#beforeDisabled(event, guard);
  }

  /** From now on, what is seen is what was before `actor`'s next event, behind its event `last`. */
  #begin(actor: number, last: number | undefined): void {
    this.#actor = actor;
    this.#seen.fill(0);
    if (last !== undefined) this.#join(last);
  }

  #keepSeen(event: number): void {
    const at = event * this.#actors;
    if (at + this.#actors > this.#clocks.length) {
      const clocks = new Int32Array(this.#clocks.length * 2);
      clocks.set(this.#clocks);
      this.#clocks = clocks;
    }
    this.#clocks.set(this.#seen, at);
  }

  #join(event: number): void {
    const at = event * this.#actors;
    for (let actor = 0; actor < this.#actors; actor++) {
      this.#seen[actor] = Math.max(this.#seen[actor]!, this.#clocks[at + actor]!);
    }
  }

  /** Which event of each other actor is the last that conflicts with this one, but for `except`. */
  #meet(event: number, except: readonly number[] = NO_WORDS): void {
    for (let access = this.#from[event]!; access < this.accesses.count; access++) {
      if (except.includes(this.accesses.place(access))) continue;
      this.accesses.eachConflict(access, this.#tell);
    }
  }

  readonly #tell = (other: number): void => {
    const { actor } = this.#nodes[other]!;
    if (actor !== this.#actor && other > this.#met[actor]!) this.#met[actor] = other;
  };

  #latestMet(): number {
    let latest = NONE;
    for (const last of this.#met) if (last > latest) latest = last;
    return latest;
  }

  /** Whether the step that waited for `guard` could not have been taken before `event`. */
  #enables(event: number, guard: Guard): boolean {
    return this.accesses.changesOf(guard.words).includes(event) && !this.#heldBefore(event, guard);
  }

  #heldBefore(event: number, { words, holds }: Guard): boolean {
    return holds(words.map((word) => this.accesses.before(word, event) ?? this.#now(word)));
  }

  /**
   * The actor could not take its step, which is `event`, just before it did, or never could: it is
   * to take it before the last change that kept it from that, if it can be there by then.
   */
  #beforeDisabled(event: number, guard: Guard): void {
    for (const change of this.accesses.changesOf(guard.words)) {
      if (change === event) continue;
      if (this.#isSeen(change)) return;
      if (this.#heldBefore(change, guard)) return this.#plan(change, event);
    }
  }

  /**
   * In another run the actor's step `second` is to come before `first`, with what of the events
   * between them does not come after `first`. Any of these will do to begin with that comes after
   * none of the others.
   */
  #plan(first: number, second: number): void {
    // Of two steps that others have taken, they know.
    if (second < this.#foreign - 1) return;
    const node = this.#nodes[first]!;
    const heads = this.#own.map((own, actor) => this.#headOf(own, actor, first, second));
    let initial = 0;
    for (const [actor, head] of heads.entries()) {
      const isFirst = (other: number, i: number): boolean =>
        i === actor || other === NONE || !this.#isBefore(other, head, second);
      if (head !== NONE && heads.every(isFirst)) initial |= 1 << actor;
    }
    if ((initial & (node.planned | node.asleep)) !== 0) return;
    const mine = 1 << this.#actor;
    const actor = (initial & mine) === 0 ? lowest(initial) : this.#actor;
    node.planned |= 1 << actor;
    if (first < this.#foreign) this.plans.push({ step: first, actor });
  }

  /** An actor's first event behind `first` that does not come after it; `second`, if not before. */
  #headOf(own: readonly number[], actor: number, first: number, second: number): number {
    const head = own[firstAbove(own, first)];
    const isSecond = head === undefined || head >= second || this.#isBefore(first, head, second);
    if (!isSecond) return head;
    return actor === this.#actor ? second : NONE;
  }

  /** Whether `event` comes before what is looked at. */
  #isSeen(event: number): boolean {
    return this.#seen[this.#nodes[event]!.actor]! >= this.#placeOf(event);
  }

  /** Whether `event` comes before `other`, by conflicts; `second` is what is looked at. */
  #isBefore(event: number, other: number, second: number): boolean {
    if (event >= other) return false;
    if (other === second) return this.#isSeen(event);
    const { actor } = this.#nodes[event]!;
    return this.#clocks[other * this.#actors + actor]! >= this.#placeOf(event);
  }

  /** Which event of its actor's it is, from 1. */
  #placeOf(event: number): number {
    return this.#clocks[event * this.#actors + this.#nodes[event]!.actor]!;
  }
}

const NO_WORDS: readonly number[] = [];

/** Where the first number greater than `limit` is in a list in ascending order. */
function firstAbove(list: readonly number[], limit: number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle]! > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}
