/**
 * A machine with its host CPUs in threads of their own, under control: the same code as on a board
 * in one thread, and the same runs, step for step. The calling thread is host CPU 0's, which saves
 * a wake-up per run. With fewer cores than host CPUs, all threads share one core.
 */

import { availableParallelism } from 'node:os';
import { threadId, Worker } from 'node:worker_threads';
import { type Remote, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { Host, SharedMachine } from '../../../../shared/host.ts';
import { makeMemory } from '../../../../shared/words.ts';
import { stayOnOne } from '../../../cores.ts';
import { UserError } from '../../../errors.ts';
import { workerUrl } from '../../../worker-url.ts';
import type { Strategy } from '../../strategies/strategy.ts';
import type { Beginning } from '../beginning.ts';
import type { Limits } from '../board.ts';
import { ControlState } from '../control-state.ts';
import { type End, endOfGuests, type Run } from '../run.ts';
import { Trace } from '../trace.ts';
import { CpuThread, strategyOf } from './cpu-thread.ts';
import type { Chosen, CpuThreadApi, LoadFrom } from './cpu-thread-api.ts';

/** The load of the machine; the threads' file in workers/ makes the same load from the message. */
export interface World<Told> {
  readonly worker: string;
  readonly loadFrom: LoadFrom<Told>;
  readonly told: Told;
}

interface Parts {
  readonly host: Host;
  readonly beginning: Beginning;
  /** Of host CPU 0, which is in this thread. */
  readonly first: Pick<CpuThread<unknown>, 'controller' | 'takePart'>;
  readonly mostSteps: number;
  /** Of the other CPUs, by number less one. */
  readonly workers: readonly Worker[];
  readonly apis: readonly Remote<Pick<CpuThreadApi<unknown>, 'play'>>[];
  /** This thread may be on any of its cores again. */
  readonly leaveCore: () => void;
}

export class ThreadBoard {
  readonly #parts: Parts;
  /** The promises of the other threads while they play, by number. */
  readonly #playing: (Promise<End | undefined> | undefined)[] = [];
  #runs = 0;
  /** The last choice, and its strategy, which learns from run to run. */
  #last: { readonly chosen: Chosen; readonly strategy: Strategy } | undefined;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** `host`, `beginning`: of the board in one thread, with which it shares the machine. */
  static async boot<Told>(
    shared: SharedMachine,
    host: Host,
    beginning: Beginning,
    { worker, loadFrom, told }: World<Told>,
    { mostSteps, ...mode }: Limits,
  ): Promise<ThreadBoard> {
    const state = makeMemory(ControlState.wordsFor(host.cpus.length, mostSteps));
    const { touched } = beginning;
    const { length } = host.words.plain;
    const versions = new Int32Array(new SharedArrayBuffer(4 * Trace.memoryFor(length)));
    const coreEach = availableParallelism() >= host.cpus.length;
    const boot = {
      shared,
      told,
      state,
      mostSteps,
      mode,
      coreEach,
      touched,
      versions,
    };
    // The workers inherit this thread's affinity.
    const leaveCore = coreEach ? () => {} : stayOnOne(threadId);
    const first = new CpuThread(loadFrom);
    first.boot({ ...boot, index: 0 });
    const workers = host.cpus
      .slice(1)
      .map(
        ({ index }) => new Worker(workerUrl(worker), { name: `host CPU ${index} under control` }),
      );
    const apis = workers.map((worker) => wrap<CpuThreadApi<Told>>(nodeEndpoint(worker)));
    try {
      await Promise.all(apis.map((api, i) => api.boot({ ...boot, index: i + 1 })));
    } catch (error) {
      await Promise.all(workers.map((worker) => worker.terminate()));
      leaveCore();
      throw error;
    }
    return new ThreadBoard({ host, beginning, first, mostSteps, workers, apis, leaveCore });
  }

  /**
   * Run once from the beginning; this thread is one of those that take part. Throws UserError
   * for a strategy that cannot decide in several threads, and Error when the run is stuck.
   */
  async run(chosen: Chosen, seed: number): Promise<Run> {
    const { host, beginning, first, mostSteps } = this.#parts;
    const { controller } = first;
    const { state } = controller;
    if (this.#last?.chosen !== chosen) await this.#choose(chosen);
    const { strategy } = this.#last!;
    beginning.putBack();
    state.reset();
    state.run = ++this.#runs;
    state.seed = seed;
    this.#letPlay(chosen);
    controller.join(strategy, seed, mostSteps);
    controller.give(controller.decide());
    controller.sleep(0);
    const error = state.over ? undefined : first.takePart(strategy);
    return controller.runOf(error ?? (await this.#endOf(state.failed)) ?? endOfGuests(host));
  }

  async close(): Promise<void> {
    const { workers, leaveCore } = this.#parts;
    await Promise.all(workers.map((worker) => worker.terminate()));
    leaveCore();
  }

  /** Throws UserError for a strategy that cannot decide in several threads. */
  async #choose(chosen: Chosen): Promise<void> {
    const strategy = strategyOf(chosen);
    if (strategy.carry === undefined) {
      throw new UserError(
        `the strategy ${String(chosen)} has too much state for worker threads: choose random, ` +
          'pct-1 to pct-5 or pos, or the engine isolate',
      );
    }
    this.#parts.first.controller.dismiss();
    await Promise.all(this.#playing);
    this.#playing.length = 0;
    this.#last = { chosen, strategy };
  }

  /** From now on the other threads wait until control comes to them. */
  #letPlay(chosen: Chosen): void {
    for (const [i, api] of this.#parts.apis.entries()) this.#playing[i + 1] ??= api.play(chosen);
  }

  /** The error that ended the run in the thread of host CPU `failed`; undefined for 0. */
  async #endOf(failed: number): Promise<End | undefined> {
    const end = this.#playing[failed];
    this.#playing[failed] = undefined;
    return end;
  }
}
