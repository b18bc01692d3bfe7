/**
 * A litmus test's machine with its host CPUs in threads of their own, under control: the
 * same code as on a board in one thread, and the same runs, step for step.
 */

import { Worker } from 'node:worker_threads';
import { type Remote, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { UserError } from '../../../../shared/errors.ts';
import type { Host, SharedMachine } from '../../../../shared/host.ts';
import { makeMemory } from '../../../../shared/words.ts';
import { workerUrl } from '../../../../shared/worker-url.ts';
import type { Kept } from '../../litmus/kept.ts';
import type { Strategy } from '../../strategies/strategy.ts';
import type { Beginning } from '../beginning.ts';
import type { Limits } from '../board.ts';
import type { Run } from '../run.ts';
import { TurnState } from '../turn-state.ts';
import type { ThreadTurn } from './thread-turn.ts';
import { makeThreadTurn, strategyOf } from './turn-cpu.ts';
import type { Chosen, TurnCpuApi } from './turn-cpu-api.ts';

/** A run whose steps stand still for so long is stuck. */
const PATIENCE_MS = 30_000;

export class ThreadBoard {
  readonly #workers: readonly Worker[];
  readonly #apis: readonly Remote<TurnCpuApi>[];
  readonly #turn: ThreadTurn;
  readonly #beginning: Beginning;
  readonly #mostSteps: number;
  /** Of the strategy that ran last, which learns from run to run. */
  #last: { readonly chosen: Chosen; readonly strategy: Strategy } | undefined;

  private constructor(
    workers: readonly Worker[],
    apis: readonly Remote<TurnCpuApi>[],
    turn: ThreadTurn,
    beginning: Beginning,
    mostSteps: number,
  ) {
    this.#workers = workers;
    this.#apis = apis;
    this.#turn = turn;
    this.#beginning = beginning;
    this.#mostSteps = mostSteps;
  }

  /** `host`, `beginning`: of the board in one thread, with which it shares the machine. */
  static async boot(
    shared: SharedMachine,
    host: Host,
    beginning: Beginning,
    { path, kept }: { readonly path: string; readonly kept: Kept | undefined },
    { mostSteps, memory = 'sc' }: Limits,
  ): Promise<ThreadBoard> {
    const state = makeMemory(TurnState.wordsFor(host.cpus.length, mostSteps));
    const { touched } = beginning;
    const boot = { shared, path, kept, state, mostSteps, memory, touched };
    const workers = host.cpus.map(
      ({ index }) => new Worker(workerUrl('turn-cpu'), { name: `host CPU ${index} under control` }),
    );
    const apis = workers.map((worker) => wrap<TurnCpuApi>(nodeEndpoint(worker)));
    try {
      await Promise.all(apis.map((api, index) => api.boot({ ...boot, index })));
    } catch (error) {
      await Promise.all(workers.map((worker) => worker.terminate()));
      throw error;
    }
    return new ThreadBoard(workers, apis, makeThreadTurn(host, boot), beginning, mostSteps);
  }

  /**
   * Run once from the beginning. Throws UserError for a strategy that cannot decide in several
   * threads, and Error when the run is stuck.
   */
  async run(chosen: Chosen, seed: number): Promise<Run> {
    const turn = this.#turn;
    const { state } = turn;
    const strategy = this.#strategyFor(chosen);
    this.#beginning.putBack();
    state.reset();
    turn.join(strategy, seed, this.#mostSteps);
    const ends = Promise.all(this.#apis.map((api) => api.run(chosen, seed)));
    turn.give(turn.decide());
    const end = (await this.#unlessStuck(ends)).find((one) => one !== undefined)!;
    strategy.ended?.(turn.step);
    return { ...end, steps: turn.step, decisions: turn.decisions, digest: turn.digest };
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #strategyFor(chosen: Chosen): Strategy {
    if (this.#last === undefined || this.#last.chosen !== chosen) {
      this.#last = { chosen, strategy: strategyOf(chosen) };
    }
    const { strategy } = this.#last;
    if (strategy.carry !== undefined) return strategy;
    throw new UserError(
      `the strategy ${String(chosen)} keeps more than can go from thread to thread with the ` +
        'turn: take random, pct-1 to pct-5 or pos, or the engine isolate',
    );
  }

  async #unlessStuck<T>(ends: Promise<T>): Promise<T> {
    const { state } = this.#turn;
    let last = -1;
    let timer: NodeJS.Timeout | undefined;
    const stuck = new Promise<never>((_, reject) => {
      timer = setInterval(() => {
        if (state.step === last) reject(new Error(`the run stands still at step ${last}`));
        last = state.step;
      }, PATIENCE_MS);
    });
    try {
      return await Promise.race([ends, stuck]);
    } finally {
      clearInterval(timer);
    }
  }
}
