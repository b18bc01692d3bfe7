/**
 * All behaviours of a program, once each, by source sets and sleep sets (Abdulla, Aronsson,
 * Jonsson, Sagonas: Optimal Dynamic Partial Order Reduction, POPL 2014; Source Sets, JACM 2017).
 *
 * A run is a list of events, each a step of one actor with its accesses. Two events of different
 * actors conflict if they access the same place and one changes it, unless both add to it and use
 * no result, or none that depends on the order (Words.countDown). Runs in which all conflicting
 * events come in the same order have the same behaviour. For each run, the races that can be
 * reversed are found, and a run that reverses each is planned. An actor whose runs from a node on
 * are explored is in the sleep set of further runs from there, until an event conflicts with its
 * step; where all enabled actors sleep, the rest of the run was explored before.
 *
 * A step may have to wait: it is enabled only while its guard holds (`Guard`), and it accesses the
 * guard's words. The change that enabled it cannot be reversed with it, but the last change before
 * which it was enabled can. The same holds for an actor that waits for ever. Without that,
 * behaviours are missed. A guard on several words needs all their changes to conflict with one
 * another (RecordingTrace.tie).
 *
 * A store buffer is an actor too, whose steps are the stores that drain. A buffer and its CPU never
 * conflict, since a CPU's own loads see what it has stored either way (Abdulla, Aronsson, Atig,
 * Jonsson, Leonardsson, Sagonas: Stateless Model Checking for TSO and PSO, TACAS 2015). A drain
 * comes after its store, and a step that flushes after all drains before: neither is reversed.
 *
 * With two actors no run is blocked: the reversed event itself wakes the sleeping actor. With more,
 * some are, and are counted separately.
 */

import { assert } from '../../errors.ts';
import type { Guard } from '../engine/guard.ts';
import { type AccessKind, Kind, type Recorder } from '../engine/recording-trace.ts';
import { Accesses, type Footprint, NONE } from './accesses.ts';
import { left, lowest, NO_STEPS, type Node, type Plan, stepsOf, withStep } from './node.ts';
import { Order } from './order.ts';

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
  readonly #hasBuffers: boolean;
  readonly #order: Order;
  /** One for each event of this run. */
  readonly #nodes: Node[] = [];
  /** How many events have begun; the last one lasts until the next decision. */
  #events = 0;
  #isOpen = false;
  /** Where the accesses of each event begin. */
  readonly #from: number[] = [];
  readonly #guards: (Guard | undefined)[] = [];
  /** For each actor the last event that conflicts with the current step. */
  readonly #met: number[];
  #hasBegun = false;
  /**
   * So many of the first nodes are another unit's: backtrack requests for them are only reported.
   */
  #foreign = 0;
  plans: Plan[] = [];
  readonly #now: (word: number) => number;

  /**
   * `actors`: numbered from 0, CPUs and then, if there are any, their buffers; `words`: of the
   * memory that they share; `now`: what is in one of them.
   */
  constructor(actors: number, words: number, now: (word: number) => number, cpus = actors) {
    this.accesses = new Accesses(words);
    this.#now = now;
    this.#actors = actors;
    this.#hasBuffers = cpus < actors;
    this.#order = new Order(actors, cpus);
    this.#met = Array<number>(actors).fill(NONE);
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
    return this.accesses.footprint(this.#from[event]!, this.#end(event));
  }

  /** The first access behind its own. */
  #end(event: number): number {
    return event + 1 < this.#events ? this.#from[event + 1]! : this.accesses.count;
  }

  /** The actor of the n-th step of the last run, and of this one. */
  actorOf(event: number): number {
    return this.#nodes[event]!.actor;
  }

  /** `able`: a bit for each enabled actor. Returns the next actor, or ALL_SLEEP. */
  next(able: number, guardOf: GuardOf): number {
    this.#close();
    const event = this.#events;
    const node = this.#nodes[event] ?? this.#newNode(able);
    if (node === undefined) {
      // Steps of actors that wait here, and not where the rest was explored, may wake sleeping
      // ones.
      this.#beforeWaiting(able, guardOf);
      this.blocked++;
      return ALL_SLEEP;
    }
    const { actor } = node;
    assert(((able >>> actor) & 1) === 1, 'who is to go on can');
    this.#from[event] = this.accesses.count;
    this.#guards[event] = guardOf(actor);
    this.#order.add(event, actor);
    this.#events = event + 1;
    this.#isOpen = true;
    return actor;
  }

  /** The step that was decided last has loaded a word, or all of a page (see pageOf). */
  read(place: number): void {
    this.accesses.add(this.#events - 1, place, Kind.Read, 0);
  }

  /** It has changed it; `old` was there before. */
  change(place: number, old: number, kind: AccessKind = Kind.Change): void {
    this.accesses.add(this.#events - 1, place, kind, old);
  }

  /** It has put a store into its CPU's buffer. */
  buffer(): void {
    this.#order.addStore(this.#events - 1);
  }

  /**
   * No actor is enabled: the run is at its end. Or it was cut short before its last step was taken.
   */
  end(guardOf: GuardOf): void {
    const isCut = this.#isOpen && !this.#isDone(this.#events - 1);
    if (isCut) this.#takeBack();
    else this.#close();
    if (!isCut) this.#beforeWaiting(0, guardOf);
    this.classes++;
  }

  /** A step that accesses nothing would conflict with nothing, and be no part of the behaviour. */
  #isDone(event: number): boolean {
    return this.accesses.count > this.#from[event]! || this.#order.isStore(event);
  }

  #takeBack(): void {
    const event = this.#events - 1;
    this.#order.takeBack(event);
    this.#nodes.length = event;
    this.#events = event;
    this.#isOpen = false;
  }

  /** Actors that wait at the end of a run may have been enabled earlier. */
  #beforeWaiting(able: number, guardOf: GuardOf): void {
    for (let actor = 0; actor < this.#actors; actor++) {
      const guard = ((able >>> actor) & 1) === 1 ? undefined : guardOf(actor);
      // What is in its buffer, that others sleep for, comes first.
      if (guard === undefined || (guard.drained && this.#order.hasBuffered(actor))) continue;
      this.#order.begin(actor, this.#order.countOf(actor), guard);
      this.#beforeDisabled(this.#events, guard);
    }
  }

  /** The actor at a new node. Undefined where all sleep. */
  #newNode(able: number): Node | undefined {
    const asleep = this.#sleepers();
    const steps = asleep === 0 ? NO_STEPS : stepsOf(this.#nodes[this.#events - 1]!.steps, asleep);
    const awake = able & ~asleep;
    if (awake === 0) return undefined;
    // The last actor, if possible: so a run has few switches.
    const last = this.#events === 0 ? 0 : this.#nodes[this.#events - 1]!.actor;
    const actor = ((awake >>> last) & 1) === 1 ? last : lowest(awake);
    const node = { actor, planned: 1 << actor, done: 1 << actor, asleep, steps };
    this.#nodes.push(node);
    return node;
  }

  /** Actors that slept or were explored before the last event and do not conflict with it. */
  #sleepers(): number {
    const event = this.#events - 1;
    if (event < 0) return 0;
    const before = this.#nodes[event]!;
    let asleep = 0;
    let mask = (before.asleep | before.done) & ~(1 << before.actor);
    for (; mask !== 0; mask &= mask - 1) {
      const actor = lowest(mask);
      const step = before.steps[actor]!;
      const isOwn = this.#order.cpuOf(actor) === this.#order.cpuOf(before.actor);
      if (!isOwn && this.accesses.conflict(step, this.#from[event]!, this.accesses.count)) continue;
      asleep |= 1 << actor;
    }
    return asleep;
  }

  /** To where event `depth` is another one than in the last run. */
  #goBack(depth: number): void {
    const node = this.#nodes[depth]!;
    node.steps = withStep(node.steps, node.actor, this.stepOf(depth));
    this.accesses.takeBack(this.#from[depth]!);
    this.#order.takeBack(depth);
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
    const { actor } = this.#nodes[event]!;
    const guard = this.#guards[event];
    const order = this.#order;
    assert(this.#isDone(event), 'each step accesses something');
    order.begin(actor, order.countOf(actor) - 1, guard);
    this.#meet(event);
    let enabler = NONE;
    for (let last = this.#latestMet(); last !== NONE; last = this.#latestMet()) {
      this.#met[this.#nodes[last]!.actor] = NONE;
      // Otherwise another event lies between them.
      if (!order.isSeen(last)) {
        if (guard !== undefined && this.#enables(last, guard)) enabler = last;
        else this.#plan(last, event);
        order.join(last);
      }
    }
    order.keep(event);
    if (enabler !== NONE) this.#withoutEnabler(event, guard!);
  }

  /** Something let `event` happen: it comes before an earlier change instead, or not at all. */
  #withoutEnabler(event: number, guard: Guard): void {
    const { actor } = this.#nodes[event]!;
    this.#order.begin(actor, this.#order.countOf(actor) - 1, guard);
    this.#beforeDisabled(event, guard);
  }

  /** Which event of each other actor is the last that conflicts with this one. */
  #meet(event: number): void {
    for (let access = this.#from[event]!; access < this.accesses.count; access++) {
      this.accesses.eachConflict(
        access,
        this.#tell,
        this.#hasBuffers ? this.#cpuOfEvent : undefined,
      );
    }
  }

  readonly #tell = (other: number): void => {
    const { actor } = this.#nodes[other]!;
    const isOwn = this.#order.cpuOf(actor) === this.#order.cpuOf(this.#order.actor);
    if (!isOwn && other > this.#met[actor]!) this.#met[actor] = other;
  };

  readonly #cpuOfEvent = (event: number): number => this.#order.cpuOf(this.#nodes[event]!.actor);

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
      if (this.#order.isSeen(change)) return;
      if (!this.#heldBefore(change, guard)) continue;
      this.#joinOthers(change, event, guard);
      return this.#plan(change, event);
    }
  }

  /**
   * Moved before `first`, `event` still comes after those events between them that do not come
   * after `first` and conflict with its accesses of other words than the guard's.
   */
  #joinOthers(first: number, event: number, guard: Guard): void {
    // If it was never taken, its accesses are known where the actor sleeps.
    const isTaken = event < this.#events;
    const step = isTaken ? this.stepOf(event) : this.#nodes[first]!.steps[this.#order.actor];
    const others = step === undefined ? NOTHING : beyond(guard.words, step);
    for (let between = first + 1; others.length > 0 && between < event; between++) {
      const isOwn =
        this.#order.cpuOf(this.#nodes[between]!.actor) === this.#order.cpuOf(this.#order.actor);
      const stays = !isOwn && !this.#order.isBefore(first, between, event);
      if (!stays) continue;
      const [from, to] = [this.#from[between]!, this.#end(between)];
      if (this.accesses.conflict(others, from, to)) this.#order.join(between);
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
    const heads = this.#order.headsOf(first, second);
    let initial = 0;
    for (const [actor, head] of heads.entries()) {
      const isFirst = (other: number, i: number): boolean =>
        i === actor || other === NONE || !this.#order.isBefore(other, head, second);
      if (head !== NONE && heads.every(isFirst)) initial |= 1 << actor;
    }
    if ((initial & (node.planned | node.asleep)) !== 0) return;
    const mine = 1 << this.#order.actor;
    const actor = (initial & mine) === 0 ? lowest(initial) : this.#order.actor;
    node.planned |= 1 << actor;
    if (first < this.#foreign) this.plans.push({ step: first, actor });
  }
}

const NOTHING: Footprint = new Int32Array();

/** The accesses of a step but for those of some words. */
const beyond = (words: readonly number[], step: Footprint): Footprint =>
  step.filter((_, i) => !words.includes(step[i & ~1]!));
