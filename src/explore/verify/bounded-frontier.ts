/**
 * The frontier of a search with a preemption bound: planned runs, parts of which are units that
 * threads run in parallel. Runs with one preemption more come when all with fewer are done, since
 * what was reached with fewer need not be explored again.
 *
 * The number of runs may depend on the order in which units finish: two units may reach the same
 * place. The behaviours, and their least numbers of preemptions, do not.
 */

import { type BoundedPart, type Bounds, FIRST, type Pending } from './bounded.ts';
import { type Done, type Due, noTotals, type Totals } from './frontier.ts';
import { type Met, Outcomes } from './outcomes.ts';
import { AllShared } from './shared-words.ts';
import type { BoundedResult } from './unit.ts';

/** A unit is a part of what waits, since its runs lead to more: so that there is some for all. */
const PARTS = 16;
const MOST_PENDING = 500;

interface Part {
  readonly pending: readonly Pending[];
  readonly round: number;
}

export class BoundedFrontier {
  readonly totals: Totals = noTotals();
  readonly guess = undefined;
  readonly #bounds: Bounds;
  /** All with fewer preemptions are done. */
  #level = 0;
  #within = 0;
  /** How often all was begun anew: see bounded.ts. */
  #round = 0;
  #met = new Outcomes();
  #waiting: Pending[] = [FIRST];
  #later: Pending[] = [];
  /** Where runs have been (Bounded.seen), and behaviours, each with a full stop. */
  readonly #seen = new Set<string>();
  readonly #working = new Set<Part>();
  /** Keys of what units are about to do. */
  readonly #out = new Set<string>();
  readonly #shared = new AllShared();

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  get isDone(): boolean {
    return this.#level > this.#bounds.preemptions;
  }

  get isUnderWay(): boolean {
    return this.#working.size > 0;
  }

  /** All with so many are done; −1 if not even those with none are. */
  get bound(): number {
    return this.#level - 1;
  }

  /** How many behaviours have at most `bound`. */
  get within(): number {
    return this.#within;
  }

  get met(): readonly Met[] {
    return this.#met.all;
  }

  due(): Due<BoundedPart, BoundedResult> | undefined {
    this.#goUp();
    const pending = this.#take();
    if (pending.length === 0) return undefined;
    const part = { pending, round: this.#round };
    this.#working.add(part);
    return {
      place: [this.#round, this.#level],
      part: {
        bounds: this.#bounds,
        preemptions: this.#level,
        accessed: this.#shared.all,
        pending,
      },
      add: (result) => {
        this.#end(part);
        this.#add(part.round, result);
        this.#goUp();
      },
      giveBack: () => {
        this.#end(part);
        if (part.round === this.#round) this.#waiting.push(...pending);
      },
    };
  }

  /** As Frontier does. */
  resume(units: Iterable<Done<BoundedResult>>): void {
    for (const { place, result } of units) {
      const [round, level] = place as readonly [number, number];
      while (round === this.#round && this.#level < level) this.#lift();
      this.#add(round, result);
      this.#drop();
    }
    this.#goUp();
  }

  /** As Frontier does. */
  leave(): void {
    this.#waiting = [];
    this.#later = [];
    this.#seen.clear();
  }

  #take(): Pending[] {
    const most = Math.min(MOST_PENDING, Math.ceil(this.#waiting.length / PARTS));
    const taken: Pending[] = [];
    while (taken.length < most && this.#waiting.length > 0) {
      const next = this.#waiting.pop()!;
      if (this.#seen.has(next.key) || this.#out.has(next.key)) continue;
      this.#out.add(next.key);
      taken.push(next);
    }
    // The last one is the next one there, too.
    return taken.reverse();
  }

  #end(part: Part): void {
    this.#working.delete(part);
    for (const { key } of part.pending) this.#out.delete(key);
  }

  #add(round: number, result: BoundedResult): void {
    const { totals } = this;
    totals.seconds += result.seconds;
    if (this.#shared.add(result.accessed)) this.#startAnew();
    if (round !== this.#round) return;
    totals.steps += result.steps;
    for (const key of result.seen) this.#seen.add(key);
    this.#met.addAll(
      result.met.map(({ traces, ...met }) => ({ ...met, classes: this.#count(traces) })),
    );
    for (const pending of result.waiting) this.#waiting.push(pending);
    for (const pending of result.later) {
      if (!this.#seen.has(pending.key)) this.#later.push(pending);
    }
  }

  /** How many of these behaviours are new. */
  #count(traces: readonly string[]): number {
    const before = this.#seen.size;
    for (const trace of traces) this.#seen.add(`${trace}.`);
    const count = this.#seen.size - before;
    this.totals.classes += count;
    return count;
  }

  /** To those with one preemption more, once all with fewer are done. */
  #goUp(): void {
    while (!this.isDone && this.#working.size === 0) {
      this.#drop();
      if (this.#waiting.length > 0) return;
      this.#lift();
    }
  }

  /** Drops from the end those that another unit has done in the meantime. */
  #drop(): void {
    while (this.#waiting.length > 0 && this.#seen.has(this.#waiting.at(-1)!.key)) {
      this.#waiting.pop();
    }
  }

  #lift(): void {
    this.#level++;
    this.#within = this.totals.classes;
    this.#waiting = this.#later;
    this.#later = [];
  }

  #startAnew(): void {
    this.#round++;
    this.#level = 0;
    this.#within = 0;
    this.#met = new Outcomes();
    this.#waiting = [FIRST];
    this.#later = [];
    this.#seen.clear();
    this.#out.clear();
    Object.assign(this.totals, { ...noTotals(), seconds: this.totals.seconds });
  }
}
