/**
 * Shrinking a failure until nothing can be left out (Zeller, Hildebrandt: Simplifying and Isolating
 * Failure-Inducing Input, TSE 2002): whole columns of vCPUs, operations, switches; and then towards
 * a sequential schedule.
 *
 * The failure is the same if ending and kind are the same (a declared outcome, an invariant, a
 * reason without its numbers) and the smaller test is still meaningful (yardstick.ts, chain.ts).
 * Everything is tried by real runs, and nothing here is random: the same failure shrinks in the
 * same way.
 */

import { nextTurn } from '../../platform.ts';
import { type Kept, keepAll } from '../litmus/kept.ts';
import type { Result } from '../result.ts';
import { STRATEGIES } from '../strategies/catalogue.ts';
import { Lenient, Noted, type Plan } from '../strategies/lenient.ts';
import { Recorded } from '../strategies/recorded.ts';
import type { Strategy } from '../strategies/strategy.ts';
import type { Subject } from '../subject.ts';
import { Chain } from './chain.ts';
import { nearestPassing, type Passing } from './nearest.ts';
import { earlier, exchanged, moved, without } from './plans.ts';
import { type Control, type Effort, Yardstick } from './yardstick.ts';

export interface Shrunk {
  /** With the operations that are left: `subject.litmus` has them. */
  readonly subject: Subject;
  readonly result: Result;
  /** The stretches that have to be planned: all other switches are forced. */
  readonly plan: Plan;
  /** The schedule of the same operations that ends well and differs least, if one was seen. */
  readonly passing: Result | undefined;
  /** The difference, in words. */
  readonly difference: string | undefined;
  /**
   * How the rest was run without the defects, or the whole test if that fails; undefined if not
   * yet.
   */
  readonly control: Control | undefined;
  /** Runs made, without those. */
  readonly tries: number;
  /** Of them, runs of the last round, in which nothing could be left out any more. */
  readonly lastRound: number;
  /**
   * 1-minimal: without any one vCPU, operation or switch that is left, the failure goes away, or
   * the test is no longer meaningful.
   */
  readonly proven: boolean;
  /** Before it was proven, or before a schedule that passes was found. */
  readonly interrupted: boolean;
}

export interface ShrinkOptions {
  /** The search that found it, by default none: the rest is run as often without the defects. */
  readonly search?: Effort;
  /** Called whenever it has shrunk, now and then while trying, and for runs without the defects. */
  readonly onProgress?: (
    size: Size & { readonly tries: number; readonly control?: Control | undefined },
  ) => void;
  /** Polled between two turns of the event loop: end with the smallest so far. */
  readonly isInterrupted?: () => boolean;
}

export interface Size {
  /** vCPUs that have an operation. */
  readonly vcpus: number;
  readonly operations: number;
  /** Switches, with the one at the beginning. */
  readonly switches: number;
  readonly steps: number;
}

/** `result` is a run of `subject` that did not end well. */
export async function shrink(
  subject: Subject,
  result: Result,
  options: ShrinkOptions = {},
): Promise<Shrunk> {
  const shrinking = new Shrinking(subject, result, options);
  const proven = await shrinking.untilMinimal();
  const passing = proven ? await shrinking.nearestPassing() : undefined;
  const { best, control, tries, lastRound, interrupted } = shrinking;
  return {
    subject: best.subject,
    result: best.result,
    plan: best.plan,
    passing: passing?.result,
    difference: passing?.difference,
    control,
    tries,
    lastRound,
    proven,
    interrupted,
  };
}

/** Switches of a run away from a CPU that could have gone on. */
export const preemptionsOf = (subject: Subject, result: Result): number =>
  noted(subject, result).preemptions;

/** Once more, recording its decisions. */
function noted(subject: Subject, { run }: Result): Noted {
  const strategy = new Noted(new Recorded(run.decisions));
  subject.run(strategy, 0);
  return strategy;
}

export const sizeOf = ({ subject, result }: Pick<Shrunk, 'subject' | 'result'>): Size => {
  const columns = subject.litmus.vcpus.map(({ ops }) => ops.length);
  return {
    vcpus: columns.filter((n) => n > 0).length,
    operations: columns.reduce((sum, n) => sum + n, 0),
    switches: result.run.decisions.turns.length / 2,
    steps: result.run.steps,
  };
};

interface Failure {
  readonly subject: Subject;
  readonly kept: Kept;
  readonly plan: Plan;
  readonly result: Result;
}

const INTERRUPTED = Symbol('interrupted');

/** Runs between two polls. */
const BATCH = 10;

/** Schedules tried on a smaller test when the plan does not fail there. */
const SCHEDULES = 28;

/** Stretches of a plan up to which their ends are tried earlier, one by one. */
const MOST_SHIFTED = 12;

/** A plan of more stretches than these, */
const FEW_STRETCHES = 2;

/** and of no more than these, */
const MANY_STRETCHES = 7;

/** is tried with fewer, and ends moved so far. */
const NEAR = 12;

/** How far the end of a stretch is moved at first. */
const FAR = 64;

class Shrinking {
  best: Failure;
  control: Control | undefined;
  tries = 0;
  lastRound = 0;
  interrupted = false;
  readonly #options: ShrinkOptions;
  readonly #chain: Chain<Failure>;

  constructor(subject: Subject, result: Result, options: ShrinkOptions) {
    const { plan } = noted(subject, result);
    this.#options = options;
    const kept = subject.kept ?? keepAll(subject.litmus);
    this.best = { subject, kept, plan, result };
    const yardstick = new Yardstick(subject, plan, options.search ?? []);
    this.control = yardstick.failed;
    this.#chain = new Chain(yardstick, this.best);
  }

  /** False when it was interrupted. */
  async untilMinimal(): Promise<boolean> {
    try {
      for (;;) {
        const { best, tries } = this;
        await this.#stretches();
        await this.#neighbours();
        await this.#columns();
        await this.#operations();
        await this.#switchLater();
        await this.#retimed();
        this.lastRound = this.tries - tries;
        if (this.best === best && (await this.#isSettled())) return true;
      }
    } catch (error) {
      if (error === INTERRUPTED) return false;
      throw error;
    }
  }

  /**
   * Whether nothing can be left out, and what is left is a failure of the defects as far as can be
   * said.
   */
  async #isSettled(): Promise<boolean> {
    const before = this.control;
    const { best, control } = await this.#chain.settle(this.best, async (soFar) => {
      this.control = soFar;
      await this.#breathe(soFar.schedules);
    });
    const isLoosened = control.failure !== undefined && control !== before;
    const isSettled = best === this.best && !isLoosened;
    this.best = best;
    this.control = control;
    return isSettled;
  }

  async nearestPassing(): Promise<Passing | undefined> {
    const { subject, plan, result } = this.best;
    const { drawn } = result.run.decisions;
    try {
      return await nearestPassing(subject, { plan, drawn }, (strategy, seed) =>
        this.#run(subject, strategy, seed),
      );
    } catch (error) {
      if (error === INTERRUPTED) return undefined;
      throw error;
    }
  }

  async #columns(): Promise<void> {
    for (const column of this.best.kept.keys()) {
      if (this.best.kept[column]!.length > 0) await this.#dropOperations(column, 0, Infinity);
    }
  }

  /** In each column half of them, a quarter, and so on down to each alone. */
  async #operations(): Promise<void> {
    for (const column of this.best.kept.keys()) {
      const left = (): number => this.best.kept[column]!.length;
      for (let count = left() >> 1; count >= 1; count >>= 1) {
        // From the end: later operations depend on earlier ones.
        for (let from = left() - count; from >= 0; ) {
          await this.#dropOperations(column, from, count);
          from = Math.min(from, left()) - count;
        }
      }
    }
  }

  async #stretches(): Promise<void> {
    for (let count = this.best.plan.length; count >= 1; count >>= 1) {
      for (let at = 0; at < this.best.plan.length; ) {
        if (!(await this.#replan(without(this.best.plan, at, count)))) at += count;
      }
    }
  }

  async #neighbours(): Promise<void> {
    for (let at = 0; at + 1 < this.best.plan.length; at++) {
      await this.#replan(exchanged(this.best.plan, at));
    }
  }

  /** The last possible switch: one decision later, and the failure is gone. */
  async #switchLater(): Promise<void> {
    for (let at = 0; at + 1 < this.best.plan.length; at++) {
      for (let by = FAR; by >= 1; by >>= 1) {
        while (at + 1 < this.best.plan.length && (await this.#delay(at, by)));
      }
    }
  }

  async #delay(at: number, by: number): Promise<boolean> {
    const { best } = this;
    const plan = moved(best.plan, at, by);
    const failure = await this.#fails(best, plan);
    if (failure === undefined) return false;
    const [now, then] = [sizeOf(failure), sizeOf(best)];
    const isSame = failure.result.run.digest === best.result.run.digest;
    const isLonger =
      failure.plan.length > best.plan.length ||
      now.switches > then.switches ||
      now.steps > then.steps;
    return !isSame && !isLonger && this.#keep(failure);
  }

  /**
   * Leave out one or two stretches, and move the end of another one: without the interference, a
   * CPU needs fewer decisions to the same place.
   */
  async #retimed(): Promise<void> {
    for (const count of [2, 1]) {
      for (let at = 0; at + count <= this.best.plan.length; at++) {
        if (this.best.plan.length <= FEW_STRETCHES || this.best.plan.length > MANY_STRETCHES)
          return;
        await this.#retimedWithout(at, count);
      }
    }
  }

  async #retimedWithout(from: number, count: number): Promise<boolean> {
    const fewer = without(this.best.plan, from, count);
    for (let by = 1; by <= NEAR; by++) {
      for (const at of fewer.keys()) {
        if (await this.#replan(moved(fewer, at, -by))) return true;
        if (await this.#replan(moved(fewer, at, by))) return true;
      }
    }
    return false;
  }

  /** Whether there are fewer stretches in it, or as many and fewer switches, and it fails. */
  async #replan(plan: Plan): Promise<boolean> {
    const { best } = this;
    if (plan.length > best.plan.length) return false;
    const failure = await this.#fails(best, plan);
    if (failure === undefined) return false;
    const isFewer =
      plan.length < best.plan.length || sizeOf(failure).switches < sizeOf(best).switches;
    return isFewer && this.#keep(failure);
  }

  async #dropOperations(column: number, from: number, count: number): Promise<boolean> {
    const { best } = this;
    const kept = best.kept.with(column, best.kept[column]!.toSpliced(from, count));
    if (this.#chain.isRefused({ kept, plan: best.plan })) return false;
    const smaller = { ...best, kept, subject: best.subject.changed({ kept }) };
    for (const plan of await this.#plansFor(smaller)) {
      const failure = await this.#fails(smaller, plan);
      if (failure !== undefined) return this.#chain.accepts(failure) && this.#keep(failure);
    }
    const portfolio = STRATEGIES.portfolio!();
    for (let seed = 1; seed <= SCHEDULES; seed++) {
      const strategy = new Noted(portfolio);
      const result = await this.#run(smaller.subject, strategy, seed);
      if (!this.#isSame(result)) continue;
      const failure = { ...smaller, result, plan: strategy.plan };
      return this.#chain.accepts(failure) && this.#keep(failure);
    }
    return false;
  }

  /** The same, and with the stretches of a CPU ending as much earlier as it has less to do. */
  async #plansFor({ subject }: Failure): Promise<Plan[]> {
    const { plan, subject: old } = this.best;
    const plans = [plan];
    if (plan.length > MOST_SHIFTED) return plans;
    const [before, now] = [new Noted(new Lenient([])), new Noted(new Lenient([]))];
    await this.#run(old, before);
    await this.#run(subject, now);
    for (const [i, { who }] of plan.entries()) {
      const by = before.times(who) - now.times(who);
      if (by > 0) plans.push(earlier(plan, who, i, by));
    }
    return plans;
  }

  /** A failure of the same kind by this plan, if it fails so. */
  async #fails(failure: Failure, plan: Plan): Promise<Failure | undefined> {
    const { drawn } = this.best.result.run.decisions;
    const result = await this.#run(failure.subject, new Lenient(plan, drawn));
    return this.#isSame(result) ? { ...failure, plan, result } : undefined;
  }

  async #run(subject: Subject, strategy: Strategy, seed = 0): Promise<Result> {
    await this.#breathe(++this.tries);
    return subject.run(strategy, seed);
  }

  /** Every so many runs, yield to the event loop, and heed Ctrl-C. */
  async #breathe(runs: number): Promise<void> {
    if (runs % BATCH !== 0) return;
    await nextTurn();
    this.interrupted = this.#options.isInterrupted?.() ?? false;
    if (this.interrupted) throw INTERRUPTED;
    this.#tell();
  }

  #isSame({ ending, kind }: Result): boolean {
    const { result } = this.best;
    return ending === result.ending && kind === result.kind;
  }

  #keep(failure: Failure): true {
    if (failure.kept !== this.best.kept && this.control?.failure === undefined)
      this.control = undefined;
    this.best = failure;
    this.#tell();
    return true;
  }

  #tell(): void {
    this.#options.onProgress?.({ ...sizeOf(this.best), tries: this.tries, control: this.control });
  }
}
