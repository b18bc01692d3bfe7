/**
 * Sweep: first the operations one after the other, in every order; then with one preemption,
 * before each access that conflicts with one of another CPU in such an order, where each other CPU
 * runs for one of its operations, two, and so on to its end; then with two. It is
 * iterative context bounding (Musuvathi, Qadeer, PLDI 2007; see fewest-switches.ts), but switches
 * between operations are free, and preemptions only where their order may matter. Hardware does
 * not act by itself, and the machine draws zeros.
 *
 * Orders with few switches come first: those in which each CPU but one goes on without a break,
 * then one preemption in those, then all other orders and one preemption in those.
 */

import { Conflicts } from './conflicts.ts';
import type { Situation, Strategy } from './strategy.ts';
import { BY_ITSELF, type Leg, type Point, type SweepPlan, SweepRun } from './sweep-run.ts';

export interface SweepBounds {
  /** Preemptions in a schedule: 0 to 2. */
  readonly preemptions: number;
  /** Whether CPUs are preempted, too, before their first operation and after their last. */
  readonly edges: boolean;
}

export class Sweep implements Strategy {
  readonly bound: number;
  readonly isListed = true;
  exhausted = false;
  /** Of the current run, or the last one. */
  preemptions = 0;
  readonly #edges: boolean;
  readonly #runs: Generator<SweepRun, void, void>;
  #run: SweepRun;
  /** Places that each CPU has reached, the most in any run: its operations and its end. */
  readonly #totals: number[] = [];
  readonly #conflicts = new Conflicts();

  constructor({ preemptions, edges }: SweepBounds) {
    this.bound = preemptions;
    this.#edges = edges;
    this.#runs = this.#all();
    this.#run = this.#make(BY_ITSELF, true);
  }

  begin(): void {
    const next = this.#runs.next();
    if (!next.done) this.#run = next.value;
    else {
      this.exhausted = true;
      this.#run = this.#make(BY_ITSELF, false);
    }
  }

  next(situation: Situation): number {
    return this.#run.next(situation);
  }

  get until(): number {
    return this.#run.until;
  }

  get eachPiece(): boolean {
    return this.#run.eachPiece;
  }

  ended(): void {
    for (const [cpu, reached] of this.#run.standings.reached.entries()) {
      this.#totals[cpu] = Math.max(this.#totals[cpu] ?? 0, reached);
    }
  }

  draw(): number {
    return 0;
  }

  #make(plan: SweepPlan, records: boolean): SweepRun {
    return new SweepRun(plan, records ? this.#conflicts : undefined);
  }

  /** Each is run before the next one is requested. */
  *#all(): Generator<SweepRun, void, void> {
    const alone = this.#make(BY_ITSELF, true);
    yield alone;
    const { cpus } = alone;
    if (cpus === 1) return;
    const operations = Array.from({ length: cpus }, (_, i) =>
      Math.max(0, (this.#totals[i] ?? 0) - 1),
    );
    const all = operations.reduce((sum, n) => sum + n, 0);
    const few = cpus + 1;
    const bases = [alone];
    for (let blocks = 0; blocks <= few; blocks++) {
      for (const order of ordersOf(operations, blocks)) {
        const run = this.#make(inOrder(order, cpus), true);
        yield run;
        bases.push(run);
      }
    }
    const preempted: SweepPlan[] = [];
    if (this.bound > 0) yield* this.#preemptedOnce(bases, 0, preempted);
    for (let blocks = few + 1; blocks <= all; blocks++) {
      for (const order of ordersOf(operations, blocks)) {
        const run = this.#make(inOrder(order, cpus), true);
        yield run;
        bases.push(run);
        if (this.bound === 0) continue;
        yield* this.#preemptedOnce(bases, bases.length - 1, preempted);
      }
    }
    if (this.bound < 2) return;
    for (const plan of preempted) {
      // Once more, recorded.
      this.preemptions = 1;
      const run = this.#make(plan, true);
      yield run;
      this.preemptions = 2;
      yield* this.#preempted(run, plan.from + 1, [...WITHIN, ...EDGES]);
    }
  }

  /** One preemption in the bases from one on; the runs are added to `plans`. */
  *#preemptedOnce(
    bases: readonly SweepRun[],
    from: number,
    plans: SweepPlan[],
  ): Generator<SweepRun, void, void> {
    this.preemptions = 1;
    for (const parts of this.#edges ? ([WITHIN, EDGES] as const) : [WITHIN]) {
      for (let i = from; i < bases.length; i++) {
        const own = Math.max(0, ...bases.slice(0, i).map((other) => parting(other, bases[i]!)));
        for (const run of this.#preempted(bases[i]!, own, parts)) {
          yield run;
          plans.push(run.plan);
        }
      }
    }
    this.preemptions = 0;
  }

  *#preempted(
    base: SweepRun,
    from: number,
    parts: readonly boolean[],
  ): Generator<SweepRun, void, void> {
    for (const point of base.points) {
      if (point.step < from || point.begins) continue;
      for (let other = 0; other < base.cpus; other++) {
        const canGoOn = ((point.runnable >>> other) & 1) === 1;
        if (other !== point.actor && canGoOn) yield* this.#inBetween(base, point, other, parts);
      }
    }
  }

  /** One operation of the other's, two, and so on, and all to its end. */
  *#inBetween(
    base: SweepRun,
    point: Point,
    other: number,
    parts: readonly boolean[],
  ): Generator<SweepRun, void, void> {
    const { step, actor, kind, at, standings } = point;
    const switches = base.switches.slice(0, point.switches);
    const total = this.#totals[other] ?? 0;
    const stands = standings.reached[other] ?? 0;
    if (stands >= total && total > 0) return;
    const isWithin = stands > 0 && this.#isWithin(point);
    const rest = toTheEnd([actor, other], base.cpus);
    for (let until = stands + 1; until <= total + 1; until++) {
      if (!parts.includes(isWithin && until <= total)) continue;
      if (!this.#conflicts.with(kind, at, other, stands, until - 1)) continue;
      const legs = [{ who: other, until: until > total ? Infinity : until }, ...rest];
      const run = this.#make({ switches, from: step, standings, legs }, false);
      yield run;
      if (run.blocked) return;
    }
  }

  /** Between its first operation and its end. */
  #isWithin({ actor, standings }: Point): boolean {
    const reached = standings.reached[actor] ?? 0;
    return reached > 0 && reached < this.#totals[actor]!;
  }
}

/** Preemptions between operations of two CPUs: one has begun, the other is before its own. */
const WITHIN = [true] as const;
const EDGES = [false] as const;

/** So many operations of one CPU in a row. */
interface Block {
  readonly who: number;
  readonly count: number;
}

/** Every order of so many operations of each CPU with exactly so many blocks. */
function* ordersOf(
  left: readonly number[],
  blocks: number,
  last = -1,
): Generator<readonly Block[], void, void> {
  const open = left.filter((n) => n > 0).length;
  if (open === 0 && blocks === 0) yield [];
  if (open === 0 || blocks < open) return;
  for (const [who, n] of left.entries()) {
    if (who === last) continue;
    for (let count = n; count > 0; count--) {
      for (const rest of ordersOf(left.with(who, n - count), blocks - 1, who)) {
        yield [{ who, count }, ...rest];
      }
    }
  }
}

/** All reach their first operation, and then run in this order; the last one ends first. */
function inOrder(order: readonly Block[], cpus: number): SweepPlan {
  const done = Array<number>(cpus).fill(1);
  const entering = Array.from({ length: cpus }, (_, who) => ({ who, until: 1 }));
  const blocks = order.map(({ who, count }) => {
    done[who]! += count;
    return { who, until: done[who]! };
  });
  const last = order.at(-1)?.who ?? 0;
  return { ...BY_ITSELF, legs: [...entering, ...blocks, ...toTheEnd([last], cpus)] };
}

/** These first, and then the others. */
function toTheEnd(first: readonly number[], cpus: number): Leg[] {
  const all = new Set([...first, ...Array(cpus).keys()]);
  return [...all].map((who) => ({ who, until: Infinity }));
}

/** The first step at which two runs may differ. */
function parting({ switches: one }: SweepRun, { switches: other }: SweepRun): number {
  for (let i = 0; ; i += 2) {
    const [a, b] = [one[i] ?? Infinity, other[i] ?? Infinity];
    if (a !== b) return Math.min(a, b);
    if (a === Infinity) return Infinity;
    if (one[i + 1] !== other[i + 1]) return a;
  }
}
