/** One unit of a campaign: some schedules of a fresh instance of one strategy. */

import { assert } from '../../errors.ts';
import { digestOf } from '../litmus/meaning.ts';
import { readLitmus } from '../litmus/read.ts';
import { tokenOf } from '../replay.ts';
import type { Ending } from '../result.ts';
import type { Setting } from '../setting.ts';
import { STRATEGIES } from '../strategies/catalogue.ts';
import type { Situation, Strategy } from '../strategies/strategy.ts';
import { Subject } from '../subject.ts';
import { depthOf } from './bound.ts';

export interface Work {
  readonly strategy: string;
  readonly seed: number;
  readonly runs: number;
  /** Warm-up schedules, with seeds 0, 1, …, which are not counted. */
  readonly warmUp: number;
}

export interface UnitResult {
  /** Fewer than asked for only when there are no more. */
  readonly schedules: number;
  /** Of all schedules, and of the longest. */
  readonly steps: number;
  readonly mostSteps: number;
  /** The number of actors: the n of PCT's bound. */
  readonly actors: number;
  /** The r of PCT's bound: schedules of PCT without acts of hardware. */
  readonly bounded: number;
  /** The most preemptions in one schedule, for a strategy that enumerates by them; else 0. */
  readonly preemptions: number;
  /** A strategy that enumerates its schedules has run all of them. */
  readonly exhausted: boolean;
  /** The behaviours of the schedules (see Trace), and how many schedules showed each. */
  readonly behaviours: ReadonlyMap<string, number>;
  readonly failures: readonly Failure[];
}

export interface Failure {
  /** Which schedule of the unit, from 0. */
  readonly run: number;
  readonly ending: Ending;
  readonly message: string;
  /** For the first few of the same kind. */
  readonly token?: string;
}

/** Further tokens of the same kind would add nothing, and each costs a run. */
const TOKENS_OF_A_KIND = 3;

/**
 * A pure function of the subject's file and setting, and of the work: a strategy that learns
 * (PCT how long runs are, SURW which words there are) learns within the unit, from its warm-up.
 */
export function runUnit(
  subject: Subject,
  { strategy: name, seed, runs, warmUp }: Work,
): UnitResult {
  const strategy = STRATEGIES[name]!();
  const isPct = depthOf(name) !== undefined;
  for (let i = 0; i < warmUp; i++) subject.run(strategy, i);
  const observed = new Observed(strategy);
  const behaviours = new Map<string, number>();
  const failures: Failure[] = [];
  const kinds = new Map<string, number>();
  let [schedules, steps, mostSteps, bounded, preemptions] = [0, 0, 0, 0, 0];
  while (schedules < runs) {
    const result = subject.run(observed, seed + schedules);
    // Only beginning a run shows that there are no more.
    if (strategy.exhausted) break;
    const { run, ending, kind, message } = result;
    steps += run.steps;
    mostSteps = Math.max(mostSteps, run.steps);
    preemptions = Math.max(preemptions, strategy.preemptions ?? 0);
    behaviours.set(run.trace, (behaviours.get(run.trace) ?? 0) + 1);
    if (isPct && isUndisturbed(seed + schedules)) {
      assert(!observed.hasEvents, 'hardware does nothing by itself with an even seed');
      bounded++;
    }
    if (ending !== 'ok') {
      const before = kinds.get(kind) ?? 0;
      kinds.set(kind, before + 1);
      const token = before < TOKENS_OF_A_KIND ? { token: tokenOf(subject, result) } : {};
      failures.push({ run: schedules, ending, message, ...token });
    }
    schedules++;
  }
  const { actors } = observed;
  return {
    schedules,
    steps,
    mostSteps,
    actors,
    bounded,
    preemptions,
    exhausted: strategy.exhausted ?? false,
    behaviours,
    failures,
  };
}

/** See strategies/with-events.ts. */
const isUndisturbed = (seed: number): boolean => seed % 2 === 0;

/** Wraps a strategy, and records what it was asked and decided. */
class Observed implements Strategy {
  actors = 0;
  /** In this run hardware acted. */
  hasEvents = false;
  readonly #strategy: Strategy;

  constructor(strategy: Strategy) {
    this.#strategy = strategy;
  }

  begin(seed: number, actors: number): void {
    this.actors = actors;
    this.hasEvents = false;
    this.#strategy.begin(seed, actors);
  }

  next(situation: Situation): number {
    const next = this.#strategy.next(situation);
    if (next >= situation.actors) this.hasEvents = true;
    return next;
  }

  get until(): number {
    return this.#strategy.until ?? 0;
  }

  get eachPiece(): boolean {
    return this.#strategy.eachPiece ?? false;
  }

  ended(steps: number, trace: string): void {
    this.#strategy.ended?.(steps, trace);
  }

  draw(): number {
    return this.#strategy.draw();
  }
}

let warm: Subject | undefined;

/** A subject; cached, with its warm board, if it is the same as last time, and so is its test. */
export function warmSubject(path: string, setting: Setting, litmus = readLitmus(path)): Subject {
  const isSame =
    warm?.path === path &&
    JSON.stringify(warm.setting) === JSON.stringify(setting) &&
    digestOf(warm.litmus) === digestOf(litmus);
  if (!isSame) warm = new Subject(path, litmus, setting);
  return warm!;
}
