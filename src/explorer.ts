/**
 * The explorer as a library: schedules of a litmus test, run until one goes wrong.
 *
 *     import { explore } from 'umbra';
 *
 *     const { failure } = await explore('R6-no-shootdown', { schedules: 10_000 });
 *     expect(failure).toBeUndefined();
 */

import { inspect } from 'node:util';
import * as z from 'zod';
import { DISCIPLINES, type DisciplineName } from '../shared/discipline.ts';
import { ALL_DEFECTS, type DefectId } from './defects.ts';
import { UserError } from './errors.ts';
import { Behaviours } from './explore/behaviours.ts';
import { subjectOf } from './explore/find-subject.ts';
import { litmusPath } from './explore/litmus/find-files.ts';
import { type Litmus, parseLitmus } from './explore/litmus/litmus.ts';
import { readLitmus } from './explore/litmus/read.ts';
import { replayToken, tokenOf } from './explore/replay.ts';
import type { Ending, Result } from './explore/result.ts';
import { type Setting, someSettingsOf } from './explore/setting.ts';
import { shrink as shrinkFailure } from './explore/shrink/shrink.ts';
import { STRATEGIES, type StrategyName } from './explore/strategies/catalogue.ts';
import { Subject } from './explore/subject.ts';
import { decodeToken } from './explore/token.ts';
import { Turns } from './explore/turns.ts';
import { isWorldToken, replayOfWorld, type WorldReplayed } from './explore/worlds/token.ts';
import type { World } from './explore/worlds/world.ts';
import type { PagingName } from './hardware/entry.ts';
import {
  exploreWorld,
  type ShrunkWorldFailure,
  shrinkOfWorld,
  type WorldExploration,
  type WorldOptions,
} from './world-explorer.ts';
import { checkedOptions } from './yaml/mistakes.ts';

/** A litmus test: the name of one that comes with umbra, a file's path, or the text of one. */
export type LitmusTest = string | { readonly yaml: string };

export interface ExploreOptions {
  /** How schedules are chosen; by default `portfolio`. */
  readonly strategy?: StrategyName;
  /** At most, in each setting; by default 1,000. */
  readonly schedules?: number;
  /** Of the first schedule; each further one has the next. By default 1. */
  readonly seed?: number;
  /** By default each that the test is for, as with the discipline. */
  readonly paging?: PagingName;
  readonly discipline?: DisciplineName;
  /** `tso`: plain stores wait in store buffers. By default `sc`. */
  readonly memory?: 'sc' | 'tso';
  /** Turned on; by default none. */
  readonly defects?: readonly DefectId[];
  /** Aborting it ends the search early, with what there is. */
  readonly signal?: AbortSignal;
}

export interface Failure {
  /** A forbidden outcome, a violation, a killed guest, a dead host, a deadlock or a livelock. */
  readonly ending: Exclude<Ending, 'ok'>;
  readonly message: string;
  readonly paging: PagingName;
  readonly discipline: DisciplineName;
  /** The schedule as one word, for `replay` and `shrink` here, and for `umbra replay`. */
  readonly token: string;
}

export interface Exploration {
  /** That were run, in all settings. */
  readonly schedules: number;
  /** Behaviours among them: schedules count once if conflicting accesses came in the same order. */
  readonly different: number;
  /** How often each declared outcome was met, by its condition; 0 for those that were not. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** The first that went wrong, which ended the search; undefined if none did. */
  readonly failure: Failure | undefined;
  /** By `signal`, before all schedules were run. */
  readonly interrupted: boolean;
}

export interface Replayed {
  readonly ending: Ending;
  /** What is wrong; '' if nothing is. */
  readonly message: string;
  /** Accesses of shared memory. */
  readonly steps: number;
}

export interface ShrinkOptions {
  /** The test's text, where the token was found with one that is in no file. */
  readonly test?: LitmusTest;
  /** Aborting it ends the search with the smallest so far. */
  readonly signal?: AbortSignal;
}

export interface ShrinkWorldOptions {
  readonly test: World;
  readonly signal?: AbortSignal | undefined;
}

export interface ShrunkFailure extends Failure {
  /** The operations that are left, of each vCPU. */
  readonly operations: readonly (readonly string[])[];
  /** Each vCPU, operation and switch that is left was tried without, in vain. */
  readonly proven: boolean;
  /** The nearest schedule that ends well, and how it differs; undefined if none was seen. */
  readonly passing: { readonly difference: string; readonly token: string } | undefined;
}

/** The names that `strategy` may have. */
export const strategies = Object.keys(STRATEGIES) as readonly StrategyName[];

const optionsSchema = z.strictObject({
  strategy: z.enum(strategies).default('portfolio'),
  schedules: z.int().min(1).default(1000),
  seed: z.int().min(0).default(1),
  paging: z.enum(['nonpae', 'pae']).optional(),
  discipline: z.enum(DISCIPLINES).optional(),
  memory: z.enum(['sc', 'tso']).optional(),
  defects: z.array(z.enum(ALL_DEFECTS)).optional(),
  signal: z.instanceof(AbortSignal).meta({ title: 'an AbortSignal' }).optional(),
});

/**
 * Run a test by many schedules in each setting that it is for, or a world, until one goes wrong.
 * The same arguments run the same schedules. Rejects with a `UserError` for a mistake in the test,
 * with its line and column, or in the options.
 */
export function explore(test: LitmusTest, options?: ExploreOptions): Promise<Exploration>;
export function explore(test: World, options?: WorldOptions): Promise<WorldExploration>;
export async function explore(
  test: LitmusTest | World,
  options: ExploreOptions | WorldOptions = {},
): Promise<Exploration | WorldExploration> {
  return isWorld(test)
    ? await exploreWorld(test, options as WorldOptions)
    : await exploreTest(test, options as ExploreOptions);
}

const isWorld = (test: LitmusTest | World | undefined): test is World =>
  typeof test === 'object' && test !== null && 'make' in test;

async function exploreTest(test: LitmusTest, options: ExploreOptions): Promise<Exploration> {
  const {
    strategy,
    schedules: most,
    seed,
    signal,
    ...given
  } = checkedOptions(optionsSchema, options);
  const { path, litmus } = testOf(test);
  const outcomes = new Map(litmus.outcomes.map(({ text }) => [text, 0]));
  let [schedules, different] = [0, 0];
  let failure: Failure | undefined;
  let interrupted = false;
  const turns = new Turns();
  for (const setting of someSettingsOf(path, litmus, given as Partial<Setting>)) {
    const subject = new Subject(path, litmus, setting);
    const chosen = STRATEGIES[strategy]!();
    const behaviours = new Behaviours();
    for (let n = 0; n < most && failure === undefined; n++) {
      interrupted = signal?.aborted ?? false;
      if (interrupted) break;
      const result = subject.run(chosen, seed + n);
      // It finds out at the beginning of a run.
      if (chosen.exhausted) break;
      schedules++;
      behaviours.add(result.run.trace, !chosen.isListed);
      if (result.ending !== 'ok') failure = failureOf(subject, result);
      if (result.outcome !== undefined) {
        const { text } = litmus.outcomes[result.outcome]!;
        outcomes.set(text, outcomes.get(text)! + 1);
      }
      await turns.take();
    }
    different += behaviours.distinct;
    if (failure !== undefined || interrupted) break;
  }
  return { schedules, different, outcomes: Object.fromEntries(outcomes), failure, interrupted };
}

/**
 * Do a schedule again, step for step. `test` is its world, or its test where that is in no file, or
 * in another. Throws a `UserError` where the test has changed, or the run diverges.
 */
export function replay(token: string, options: { readonly test: World }): WorldReplayed;
export function replay(token: string, options?: Pick<ShrinkOptions, 'test'>): Replayed;
export function replay(
  token: string,
  { test }: { readonly test?: LitmusTest | World | undefined } = {},
): Replayed | WorldReplayed {
  if (isWorld(test)) return replayOfWorld(test, token);
  const { ending, message, run } = replayed(token, test).result;
  return { ending, message, steps: run.steps };
}

/**
 * Leave out of a schedule that goes wrong what it can do without. Rejects with a `UserError` for
 * one that ends well.
 */
export function shrink(token: string, options: ShrinkWorldOptions): Promise<ShrunkWorldFailure>;
export function shrink(token: string, options?: ShrinkOptions): Promise<ShrunkFailure>;
export async function shrink(
  token: string,
  { test, signal }: ShrinkOptions | ShrinkWorldOptions = {},
): Promise<ShrunkFailure | ShrunkWorldFailure> {
  if (isWorld(test)) return await shrinkOfWorld(test, token, { signal });
  const { subject, result } = replayed(token, test);
  if (result.ending === 'ok') {
    throw new UserError('the schedule passes: there is nothing to shrink');
  }
  const shrunk = await shrinkFailure(subject, result, {
    isInterrupted: () => signal?.aborted ?? false,
  });
  const { passing, difference } = shrunk;
  return {
    ...failureOf(shrunk.subject, shrunk.result),
    operations: shrunk.subject.litmus.vcpus.map(({ texts }) => texts),
    proven: shrunk.proven,
    passing: passing && { difference: difference!, token: tokenOf(shrunk.subject, passing) },
  };
}

/** What a test without a file is called in tokens and messages. */
const NO_FILE = 'test.yaml';

function testOf(test: LitmusTest): { readonly path: string; readonly litmus: Litmus } {
  if (typeof test === 'string') return { path: test, litmus: readLitmus(test) };
  const text: unknown = test?.yaml;
  if (typeof text === 'string') return { path: NO_FILE, litmus: parseLitmus(text, NO_FILE) };
  throw new UserError(
    `test: found ${inspect(test)}, expected a litmus test (a name, a path, or { yaml: '…' }) or a ` +
      'world',
  );
}

function replayed(text: string, test: LitmusTest | undefined) {
  if (typeof text !== 'string') {
    throw new UserError(`token: found ${inspect(text)}, expected the token of a failure`);
  }
  if (isWorldToken(text)) {
    throw new UserError('the token is of a world: give that, as { test: WORLD }');
  }
  const token = decodeToken(text);
  const subject = subjectOf(
    token,
    typeof test === 'object'
      ? { text: test.yaml }
      : { test: test === undefined ? undefined : litmusPath(test) },
  );
  return { subject, result: replayToken(subject, token) };
}

const failureOf = (subject: Subject, result: Result): Failure => ({
  ending: result.ending as Failure['ending'],
  message: result.message,
  paging: subject.setting.paging,
  discipline: subject.setting.discipline,
  token: tokenOf(subject, result),
});
