/**
 * The explorer for worlds of the user's own: a few threads over shared words.
 *
 *     import { explore, world } from 'umbra';
 *
 *     const { failure } = await explore(world('mine', …), { schedules: 10_000 });
 *     expect(failure).toBeUndefined();
 */

import { setImmediate } from 'node:timers/promises';
import * as z from 'zod';
import { UserError } from './errors.ts';
import { Behaviours } from './explore/behaviours.ts';
import { shrinkWorld } from './explore/shrink/world.ts';
import { WORLD_STRATEGIES, type WorldStrategyName } from './explore/strategies/catalogue.ts';
import { Diverged, Recorded } from './explore/strategies/recorded.ts';
import { verifyWorld } from './explore/verify/world.ts';
import {
  MOST_STEPS,
  WorldBoard,
  type WorldEnding,
  type WorldResult,
} from './explore/worlds/board.ts';
import { replayOfWorld, replayWorld, worldToken } from './explore/worlds/token.ts';
import type { World } from './explore/worlds/world.ts';
import { checkedOptions } from './yaml/mistakes.ts';

export interface WorldOptions {
  /** How schedules are chosen; by default `portfolio`. */
  readonly strategy?: WorldStrategyName;
  /** At most; by default 1,000, and as many as there are for `verify`. */
  readonly schedules?: number;
  /** Of the first schedule; each further one has the next. By default 1. */
  readonly seed?: number;
  /** A run of so many steps does not end; by default 10,000. */
  readonly mostSteps?: number;
  /** Aborting it ends the search early, with what there is. */
  readonly signal?: AbortSignal;
}

export interface WorldFailure {
  /** An error was thrown, or there was a deadlock or a livelock. */
  readonly ending: Exclude<WorldEnding, 'ok'>;
  /** The error's message, or what each thread waits for. */
  readonly message: string;
  /** The schedule as one word, for `replay` and `shrink`, beside the world. */
  readonly token: string;
  /** Its steps, a line each: thread, access and result. */
  readonly story: readonly string[];
}

export interface WorldExploration {
  /** That were run. */
  readonly schedules: number;
  /** Behaviours among them: schedules count once if conflicting accesses came in the same order. */
  readonly different: number;
  /** The first that went wrong, which ended the search; undefined if none did. */
  readonly failure: WorldFailure | undefined;
  /** By `signal`, before all schedules were run. */
  readonly interrupted: boolean;
}

export interface ShrunkWorldFailure extends WorldFailure {
  /** Switches away from a thread that could have gone on. */
  readonly preemptions: number;
  /** Leaving out any one switch that is left makes the failure go away. */
  readonly proven: boolean;
}

/** An outcome of a world. */
export interface WorldVerdict {
  /** Behaviours that were run, each once. */
  readonly classes: number;
  /** Runs left in the middle, since the rest of them was done before. */
  readonly blocked: number;
  /** They are all that there are. */
  readonly complete: boolean;
  /** The outcomes: first the allowed ones, then failures. */
  readonly outcomes: readonly {
    readonly ending: WorldEnding;
    readonly message: string;
    readonly classes: number;
    readonly token: string;
  }[];
  /** One that goes wrong, if any does. */
  readonly failure: WorldFailure | undefined;
}

/** The names that `strategy` may have. */
export const worldStrategies = Object.keys(WORLD_STRATEGIES) as readonly WorldStrategyName[];

const optionsSchema = z.strictObject({
  strategy: z.enum(worldStrategies).default('portfolio'),
  schedules: z.int().min(1).optional(),
  seed: z.int().min(0).default(1),
  mostSteps: z.int().min(1).default(MOST_STEPS),
  signal: z.instanceof(AbortSignal).meta({ title: 'an AbortSignal' }).optional(),
});

/** Schedules between two turns of the event loop. */
const BATCH = 100;

/** False once it is aborted, or so many runs were begun; now and then others have a turn. */
function goingOn(signal: AbortSignal | undefined, most = Number.POSITIVE_INFINITY) {
  let runs = 0;
  return (): boolean | Promise<boolean> => {
    if (runs === most || signal?.aborted) return false;
    return ++runs % BATCH === 0 ? setImmediate(true) : true;
  };
}

/** Run a world by many schedules, until one goes wrong. The same arguments run the same ones. */
export async function exploreWorld(
  world: World,
  options: WorldOptions = {},
): Promise<WorldExploration> {
  const {
    strategy,
    schedules: most = 1000,
    seed,
    mostSteps,
    signal,
  } = checkedOptions(optionsSchema, options);
  const board = new WorldBoard(world, { mostSteps });
  const chosen = WORLD_STRATEGIES[strategy]!();
  const behaviours = new Behaviours();
  const goOn = goingOn(signal, most);
  let failing: WorldResult | undefined;
  let schedules = 0;
  while (failing === undefined && (await goOn())) {
    const result = board.run(chosen, seed + schedules);
    // It finds out at the beginning of a run.
    if (chosen.exhausted) break;
    schedules++;
    if (schedules === 1) mustRepeat(board, result);
    behaviours.add(result.trace, !chosen.isListed);
    if (result.ending !== 'ok') failing = result;
  }
  const failure = failing && failureOf(world, failing);
  const isWhole = failure !== undefined || schedules === most || chosen.exhausted === true;
  return { schedules, different: behaviours.distinct, failure, interrupted: !isWhole };
}

function repeats(board: WorldBoard, { decisions, digest, message }: WorldResult): boolean {
  try {
    const again = board.run(new Recorded(decisions), 0);
    return again.digest === digest && again.message === message;
  } catch (error) {
    if (error instanceof Diverged) return false;
    throw error;
  }
}

/** Throws UserError if the same schedule leads elsewhere: then nothing that is found counts. */
function mustRepeat(board: WorldBoard, result: WorldResult): void {
  if (repeats(board, result)) return;
  throw new UserError(
    `world ${board.world.name}: found other steps in the second run of one schedule, expected the ` +
      'same: its code must be deterministic, without a clock, random numbers or a state kept ' +
      'between runs',
  );
}

/** Run all behaviours of a world, each once. Rejects with a `UserError` for one that spins. */
export async function verify(world: World, options: WorldOptions = {}): Promise<WorldVerdict> {
  const { schedules, mostSteps, signal } = checkedOptions(optionsSchema, options);
  const found = await verifyWorld(world, mostSteps, goingOn(signal, schedules));
  const { classes, blocked, complete } = found;
  const runs = found.outcomes.map((outcome) => {
    const board = new WorldBoard(world, { mostSteps });
    return { outcome, result: board.run(new Recorded(outcome.decisions), 0) };
  });
  const wrong = runs.find(({ result }) => result.ending !== 'ok');
  return {
    classes,
    blocked,
    complete,
    outcomes: runs.map(({ outcome: { ending, message, classes: n }, result }) => ({
      ending,
      message,
      classes: n,
      token: worldToken(world, result),
    })),
    failure: wrong && failureOf(world, wrong.result),
  };
}

/** Leave out of a schedule that goes wrong what it can do without. */
export async function shrinkOfWorld(
  world: World,
  token: string,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<ShrunkWorldFailure> {
  const failing = replayWorld(world, token);
  if (failing.ending === 'ok') {
    throw new UserError('the schedule passes: there is nothing to shrink');
  }
  const { result, preemptions, proven } = await shrinkWorld(world, failing, goingOn(signal));
  return { ...failureOf(world, result), preemptions, proven };
}

function failureOf(world: World, result: WorldResult): WorldFailure {
  const token = worldToken(world, result);
  const { story } = replayOfWorld(world, token);
  return { ending: result.ending as WorldFailure['ending'], message: result.message, token, story };
}
