/** Which engine runs schedules: all host CPUs in one thread, or each in a worker thread. */

import { Option } from '@commander-js/extra-typings';
import { bootThreads } from '../explore/boot-threads.ts';
import type { Result } from '../explore/result.ts';
import { STRATEGIES } from '../explore/strategies/catalogue.ts';
import type { Subject } from '../explore/subject.ts';

const ENGINES = ['isolate', 'threads'] as const;

export type EngineName = (typeof ENGINES)[number];

export const engineOption = () =>
  new Option(
    '--engine <name>',
    'host CPUs all in one thread (isolate), which is faster, or in worker threads of their own',
  )
    .choices(ENGINES)
    .default('isolate');

export interface Engine {
  /** Undefined when there are no more schedules. */
  run(seed: number): Promise<Result | undefined>;
  /** Whether the last schedule was one of a list, and not drawn. */
  readonly isListed: boolean;
  close(): Promise<void>;
}

/** Throws UserError, on the first run, for a strategy that does not go from thread to thread. */
export async function startEngine(
  name: EngineName,
  subject: Subject,
  strategyName: string,
): Promise<Engine> {
  if (name === 'isolate') {
    const strategy = STRATEGIES[strategyName]!();
    return {
      run: async (seed) => {
        const result = subject.run(strategy, seed);
        // Only beginning a run shows that there are no more.
        return strategy.exhausted ? undefined : result;
      },
      get isListed() {
        return strategy.isListed ?? false;
      },
      close: async () => {},
    };
  }
  const board = await bootThreads(subject);
  return {
    run: async (seed) => subject.judged(await board.run(strategyName, seed)),
    // Those that keep a list do not go from thread to thread.
    isListed: false,
    close: () => board.close(),
  };
}

/**
 * Do a run again on worker threads, and say so in a line. The engines are the same code, so a
 * run that goes another way there is a bug of ours.
 */
export async function confirmOnThreads(subject: Subject, { run }: Result): Promise<string> {
  const board = await bootThreads(subject);
  try {
    const { digest, steps } = await board.run(run.decisions, 0);
    if (digest !== run.digest) {
      throw new Error(`on worker threads the run is another one: ${digest} after ${steps} steps`);
    }
  } finally {
    await board.close();
  }
  const count = subject.litmus.cpus;
  const threads = count === 1 ? 'one thread' : `${count} threads`;
  return `on ${threads} it takes the same steps\n`;
}
