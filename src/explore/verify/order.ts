/**
 * The happens-before order of a run's events, by conflicts and by fixed orders, as vector clocks. A
 * store buffer's n-th drain comes after its CPU's n-th store, and a step that needs an empty buffer
 * after all drains before.
 */

import type { Guard } from '../engine/guard.ts';
import { NONE } from './accesses.ts';

export class Order {
  /** The actor of the current step. */
  actor = 0;
  readonly #actors: number;
  readonly #cpus: number;
  readonly #actorOf: number[] = [];
  /** The events of each actor, in order. */
  readonly #own: number[][];
  /** Of each CPU, the events that put a store into its buffer. */
  readonly #stores: number[][];
  /** Of each event, how many events of each actor are it or come before it. */
  #clocks = new Int32Array(1 << 12);
  /** How many of each come before the current step, as far as is known. */
  readonly #seen: Int32Array;

  /** As for Dpor. */
  constructor(actors: number, cpus: number) {
    this.#actors = actors;
    this.#cpus = cpus;
    this.#own = Array.from({ length: actors }, () => []);
    this.#stores = Array.from({ length: cpus }, () => []);
    this.#seen = new Int32Array(actors);
  }

  /** The next event is a step of this actor's. */
  add(event: number, actor: number): void {
    this.#actorOf[event] = actor;
    this.#own[actor]!.push(event);
  }

  /** It has put a store into its CPU's buffer. */
  addStore(event: number): void {
    this.#stores[this.#actorOf[event]!]!.push(event);
  }

  /** Only the first events were made, so many. */
  takeBack(events: number): void {
    for (const list of this.#own) cut(list, events);
    for (const list of this.#stores) cut(list, events);
  }

  /** How many events an actor has made. */
  countOf(actor: number): number {
    return this.#own[actor]!.length;
  }

  /** An actor itself, or whose buffer it is. */
  cpuOf(actor: number): number {
    return actor < this.#cpus ? actor : actor - this.#cpus;
  }

  hasBuffered(cpu: number): boolean {
    return this.#stores[cpu]!.length > this.countOf(this.#cpus + cpu);
  }

  isStore(event: number): boolean {
    return this.#stores[this.#actorOf[event]!]?.at(-1) === event;
  }

  /** Set the current step: an actor's n-th one, from 0, with its `guard`. */
  begin(actor: number, nth: number, guard: Guard | undefined): void {
    this.actor = actor;
    this.#seen.fill(0);
    if (nth > 0) this.join(this.#own[actor]![nth - 1]!);
    if (actor >= this.#cpus) this.join(this.#stores[this.cpuOf(actor)]![nth]!);
    const drain = guard?.drained ? this.#own[this.#cpus + actor]?.at(-1) : undefined;
    if (drain !== undefined) this.join(drain);
  }

  /** `event` comes before it, and so does what comes before that. */
  join(event: number): void {
    const at = event * this.#actors;
    for (let actor = 0; actor < this.#actors; actor++) {
      this.#seen[actor] = Math.max(this.#seen[actor]!, this.#clocks[at + actor]!);
    }
  }

  /** It is the last event, and nothing else comes before it. */
  keep(event: number): void {
    const at = event * this.#actors;
    if (at + this.#actors > this.#clocks.length) {
      const clocks = new Int32Array(this.#clocks.length * 2);
      clocks.set(this.#clocks);
      this.#clocks = clocks;
    }
    this.#seen[this.actor] = this.countOf(this.actor);
    this.#clocks.set(this.#seen, at);
  }

  /** Whether `event` comes before the current step. */
  isSeen(event: number): boolean {
    return this.#seen[this.#actorOf[event]!]! >= this.#placeOf(event);
  }

  /**
   * For each actor the first event behind `first` that does not come after it; for the current one
   * `second`, the current step, if none is before; else NONE.
   */
  headsOf(first: number, second: number): number[] {
    return this.#own.map((own, actor) => {
      const head = own[firstAbove(own, first)];
      const isSecond = head === undefined || head >= second || this.isBefore(first, head, second);
      if (!isSecond) return head;
      return actor === this.actor ? second : NONE;
    });
  }

  /** Whether `event` comes before `other`; `second` is the current step. */
  isBefore(event: number, other: number, second: number): boolean {
    if (event >= other) return false;
    if (other === second) return this.isSeen(event);
    const actor = this.#actorOf[event]!;
    return this.#clocks[other * this.#actors + actor]! >= this.#placeOf(event);
  }

  /** Which event of its actor's it is, from 1. */
  #placeOf(event: number): number {
    return this.#clocks[event * this.#actors + this.#actorOf[event]!]!;
  }
}

/** All numbers below `limit`, of a list in ascending order. */
function cut(list: number[], limit: number): void {
  while (list.length > 0 && list.at(-1)! >= limit) list.pop();
}

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
