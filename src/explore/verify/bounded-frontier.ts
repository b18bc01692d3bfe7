/**
 * The frontier of a search with a preemption bound: planned runs, parts of which are units that
 * threads run in parallel. Runs with one preemption more come when all with fewer are done, since
 * what was reached with fewer need not be explored again.
 *
 * The number of runs may depend on the order in which units finish: two units may reach the same
 * place. The behaviours, and their least numbers of preemptions, do not.
 */

import { type BoundedPart, type Bounds, FIRST, type Pending } from './bounded.ts';
import { type Due, noTotals, type Totals } from './frontier.ts';
import { type Met, Outcomes } from './outcomes.ts';
import { type Accessed, AllShared } from './shared-words.ts';
import type { BoundedResult } from './unit.ts';

/** A unit is a part of what waits, since its runs lead to more: so that there is some for all. */
const PARTS = 16;
const MOST_PENDING = 500;

/** As text can hold it. */
export interface SavedBounded extends Totals {
  readonly level: number;
  readonly met: readonly Met[];
  readonly waiting: readonly Pending[];
  readonly later: readonly Pending[];
  /** With spaces between. */
  readonly seen: string;
  readonly accessed: Accessed;
}

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
      part: {
        bounds: this.#bounds,
        preemptions: this.#level,
        accessed: this.#shared.all,
        pending,
      },
      add: (result) => {
        this.#end(part);
        this.#add(part, result);
        this.#goUp();
      },
      giveBack: () => {
        this.#end(part);
        if (part.round === this.#round) this.#waiting.push(...pending);
      },
    };
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

  #add({ round }: Part, result: BoundedResult): void {
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
      while (this.#waiting.length > 0 && this.#seen.has(this.#waiting.at(-1)!.key)) {
        this.#waiting.pop();
      }
      if (this.#waiting.length > 0) return;
      this.#level++;
      this.#waiting = this.#later;
      this.#later = [];
    }
  }

  #startAnew(): void {
    this.#round++;
    this.#level = 0;
    this.#met = new Outcomes();
    this.#waiting = [FIRST];
    this.#later = [];
    this.#seen.clear();
    this.#out.clear();
    Object.assign(this.totals, { ...noTotals(), seconds: this.totals.seconds });
  }

  save(): SavedBounded {
    const current = [...this.#working].filter(({ round }) => round === this.#round);
    return {
      ...this.totals,
      level: this.#level,
      met: this.met,
      waiting: [...this.#waiting, ...current.flatMap(({ pending }) => pending)],
      later: this.#later,
      seen: [...this.#seen].join(' '),
      accessed: this.#shared.all,
    };
  }

  static load(bounds: Bounds, saved: SavedBounded): BoundedFrontier {
    const frontier = new BoundedFrontier(bounds);
    const { classes, blocked, steps, seconds } = saved;
    Object.assign(frontier.totals, { classes, blocked, steps, seconds });
    frontier.#level = saved.level;
    frontier.#met.addAll(saved.met);
    frontier.#waiting = [...saved.waiting];
    frontier.#later = [...saved.later];
    if (saved.seen !== '') for (const key of saved.seen.split(' ')) frontier.#seen.add(key);
    frontier.#shared.add(saved.accessed);
    return frontier;
  }
}
