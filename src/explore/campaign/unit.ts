/** One unit of a campaign: some schedules of one strategy, beginning with a fresh one. */

import { assert } from '../../errors.ts';
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
  /** Schedules, of seeds 0, 1, …, that come before and are not counted. */
  readonly warmUp: number;
}

export interface UnitResult {
  /** Fewer than asked for only when there are no more. */
  readonly schedules: number;
  /** Of all schedules, and of the longest. */
  readonly steps: number;
  readonly mostSteps: number;
  /** Among how many the strategy had to choose: the n of PCT's bound. */
  readonly actors: number;
  /** Schedules that PCT's bound is about, its r: of PCT, with hardware doing nothing by itself. */
  readonly bounded: number;
  /** The most in one schedule, as a strategy counts them that lists its schedules by them; else 0. */
  readonly preemptions: number;
  /** A strategy that lists its schedules has run all of them. */
  readonly exhausted: boolean;
  /** What the schedules did, each once (see Trace), and how many of them did it. */
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

/** More lines that replay the same say nothing new, and each costs a run. */
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
    // It finds out at the beginning of a run that there are no more.
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

/** A strategy, and what it was asked and decided. */
class Observed implements Strategy {
  actors = 0;
  /** In this run hardware did something by itself. */
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

/** A subject; the same as last time, its board still warm, if the same is asked for. */
export function warmSubject(path: string, setting: Setting, litmus = readLitmus(path)): Subject {
  const isSame = warm?.path === path && JSON.stringify(warm.setting) === JSON.stringify(setting);
  if (!isSame) warm = new Subject(path, litmus, setting);
  return warm!;
}
