/**
 * umbra as a library.
 *
 *     import { bootMachine } from 'umbra';
 *
 *     const machine = await bootMachine({ cpus: 2, guests: [{ program: { builtin: 'touch' } }] });
 *     const report = await machine.run();
 *     console.log(report.total.faults_fixed);
 */

import './compile-cache.ts';
import { z } from 'zod';
import { runChecked } from './check/checked-run.ts';
import { UserError as Mistake } from './errors.ts';
import type * as shared from './explore/worlds/shared.ts';
import type * as steps from './explore/worlds/step.ts';
import type * as tokens from './explore/worlds/token.ts';
import {
  type World as MadeWorld,
  world as makeWorld,
  type WorldCode as WorldsCode,
} from './explore/worlds/world.ts';
import * as explorer from './explorer.ts';
import { Machine as BootedMachine, type MachineSpec } from './machine.ts';
import { makeReport, type RunReport, type Statistics, statistics } from './report/run-report.ts';
import { findScenario } from './scenario/find.ts';
import { checkScenario, readScenario, type ScenarioFile } from './scenario/parse.ts';
import type { ScenarioInput } from './scenario/schema.ts';
import { specOf } from './scenario/spec.ts';
import * as stepped from './stepped.ts';
import * as worlds from './world-explorer.ts';
import { checkedOptions } from './yaml/mistakes.ts';

/**
 * A mistake in what was given: its message has each with its place, what was found and what
 * expected.
 */
export const UserError = Mistake;
export type UserError = Mistake;

/** A few threads over shared words, to be explored as litmus tests are. */
export const world = makeWorld;

/** Run a litmus test, or a world, by many schedules, until one goes wrong. */
export const explore = explorer.explore;

/** Do a schedule again, step for step. */
export const replay = explorer.replay;

/** Leave out of a schedule that goes wrong what it can do without. */
export const shrink = explorer.shrink;

/** Run all behaviours of a world, each once. */
export const verify = worlds.verify;

/** The names of the strategies, for litmus tests and for worlds. */
export const strategies = explorer.strategies;
export const worldStrategies = worlds.worldStrategies;

export type LitmusTest = explorer.LitmusTest;
export type ExploreOptions = explorer.ExploreOptions;
export type Exploration = explorer.Exploration;
export type Failure = explorer.Failure;
export type Replayed = explorer.Replayed;
export type ShrinkOptions = explorer.ShrinkOptions;
export type ShrunkFailure = explorer.ShrunkFailure;

export type World = MadeWorld;
export type WorldCode = WorldsCode;
export type Shared = shared.Shared;
export type Word = shared.Word;
export type Mutex = shared.Mutex;
export type Condition = shared.Condition;
export type ThreadHandle = shared.ThreadHandle;
/** What a thread yields: one access of a shared object. */
export type Step = steps.Step;
/** What a thread is, or a part of one: code that yields steps. */
export type Steps<T = void> = steps.Steps<T>;
export type WorldOptions = worlds.WorldOptions;
export type WorldExploration = worlds.WorldExploration;
export type WorldFailure = worlds.WorldFailure;
export type WorldReplayed = tokens.WorldReplayed;
export type ShrunkWorldFailure = worlds.ShrunkWorldFailure;
export type WorldVerdict = worlds.WorldVerdict;

export type SteppedMachine = stepped.SteppedMachine;
export type MachineStep = stepped.MachineStep;
export type MachineEvent = stepped.MachineEvent;

/**
 * What a scenario file may say, as an object; docs in the schema that `umbra run --schema` prints.
 */
export type Scenario = ScenarioInput;

/** What a run came to, as `umbra run --json` has it. */
export type Report = RunReport;

/** The counts so far. */
export type Counts = Statistics;

export interface BootOptions {
  /**
   * Where paths of traces count from, if the scenario is an object; by default the working folder.
   */
  readonly folder?: string;
}

export interface RunOptions {
  /**
   * Hold the running machine to its invariants this often, in milliseconds; by default at rest
   * alone.
   */
  readonly sampleEveryMs?: number;
  /** Give it up when no operation is completed for so many milliseconds; by default 20,000. */
  readonly patienceMs?: number;
  /** Aborting it ends the run early, with what there is. */
  readonly signal?: AbortSignal;
}

/**
 * Boot a machine: lay out its memory, start a worker thread for each host CPU, load the programs.
 *
 * `scenario` is an object, the path of a scenario file (it ends in .yaml), or the name of a
 * scenario that comes with umbra. Rejects with a `UserError` for what is wrong with it, each
 * mistake with its place; no worker is left running then.
 */
export async function bootMachine(
  scenario: Scenario | string,
  { folder = process.cwd() }: BootOptions = {},
): Promise<Machine> {
  return new LibraryMachine(await BootedMachine.boot(specFrom(scenario, folder)));
}

/**
 * A machine that is led step by step, all of it in this thread; the scenario as for `bootMachine`.
 * Throws a `UserError` for what is wrong with it. Traces that its guests run stay open until it is
 * disposed of.
 */
export const stepMachine = (
  scenario: Scenario | string,
  { folder = process.cwd() }: BootOptions = {},
): SteppedMachine => new stepped.Stepped(specFrom(scenario, folder));

function specFrom(scenario: Scenario | string, folder: string): MachineSpec {
  const file: ScenarioFile =
    typeof scenario === 'string'
      ? readScenario(findScenario(scenario))
      : checkScenario(scenario, folder);
  return specOf(file, {});
}

/**
 * A machine that is booted. It is run once, to its end; its workers are gone then. One that is not
 * run keeps the process from ending until it is closed.
 */
export interface Machine extends AsyncDisposable {
  /**
   * Run all guests to their end, take the machine down, and hold what it leaves to the invariants.
   * A guest that is killed, a host that dies and what is broken are in the report; it rejects when
   * it is called again or after `close`, with a `UserError` for mistakes in the options, and for
   * bugs of umbra.
   */
  run(options?: RunOptions): Promise<Report>;
  /**
   * Let go of its workers; resolves when they are gone. A run is ended early, with what there is; a
   * machine that was run, or closed, stays as it is. `await using` does the same at the end of a
   * block.
   */
  close(): Promise<void>;
  /** The sums over all host CPUs and guests, also while it runs. */
  readonly counts: Counts;
}

const runOptions = z.strictObject({
  sampleEveryMs: z.number().positive().exactOptional(),
  patienceMs: z.number().positive().exactOptional(),
  signal: z.instanceof(AbortSignal).meta({ title: 'an AbortSignal' }).exactOptional(),
});

class LibraryMachine implements Machine {
  readonly #machine: BootedMachine;
  #running: Promise<Report> | undefined;
  #closed = false;

  constructor(machine: BootedMachine) {
    this.#machine = machine;
  }

  async run(options: RunOptions = {}): Promise<Report> {
    if (this.#closed) throw new Error('this machine is closed: boot another one to run it');
    if (this.#running) throw new Error('a machine is run once: boot another one to run it again');
    this.#running = this.#run(checkedOptions(runOptions, options));
    return await this.#running;
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#running === undefined) return await this.#machine.close();
    this.#machine.interrupt();
    // The caller of run gets the error.
    await this.#running.catch(() => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run({ signal, ...checking }: RunOptions): Promise<Report> {
    const machine = this.#machine;
    const interrupt = (): void => machine.interrupt();
    signal?.addEventListener('abort', interrupt, { once: true });
    if (signal?.aborted) interrupt();
    try {
      return makeReport(machine, await runChecked(machine, checking));
    } finally {
      signal?.removeEventListener('abort', interrupt);
    }
  }

  get counts(): Counts {
    const { host } = this.#machine;
    return statistics(this.#machine, [...host.cpus.keys()], [...host.guests.keys()]);
  }
}
