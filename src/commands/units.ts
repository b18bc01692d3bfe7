/** Units of a command, done: here on a pool of threads, or elsewhere by workers of a queue. */

import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { UserError } from '../errors.ts';
import type { PlanFile } from '../queue/plan.ts';
import { group, type None, type OptionsOf } from './options.ts';
import { type Job, onPool } from './pool.ts';
import { showProgress } from './terminal.ts';

export const QUEUE_OPTION = [
  '--queue <url>',
  'send the units to this queue, for umbra work: postgres://…, embedded or embedded:FOLDER',
] as const;

/** An address is not checked here: the message would show it, with its password. */
export const withQueue = group((command) =>
  command
    .optionsGroup('Across machines (docs/campaigns.md):')
    .option(...QUEUE_OPTION)
    .option('--wait', 'with --queue, wait until they are done'),
);

export type QueueOptions = OptionsOf<typeof withQueue<[], None, None>>;

/** Throws UserError for options that a queue decides by itself. */
export function checkQueueOptions(
  { queue, wait, shard }: QueueOptions & { readonly shard?: { readonly of: number } },
  command: CommandUnknownOpts,
): void {
  if (queue === undefined) {
    if (wait) throw new UserError('--wait is for --queue: give both, or neither');
    return;
  }
  if ((shard?.of ?? 1) > 1) {
    throw new UserError('--queue hands out the work itself: leave --shard out');
  }
  const own = ['threads', 'jobs'].find((name) => command.getOptionValueSource(name) === 'cli');
  if (own !== undefined) {
    throw new UserError(
      '--queue leaves the work to umbra work, whose --jobs says how much at a time: leave ' +
        `--${own} out`,
    );
  }
}

/** Units for a pool, with what a queue needs. */
export interface UnitsJob<Task, Done> extends Job<Task, Done> {
  /** One of KINDS (src/queue/kinds.ts). */
  readonly kind: string;
  /** The command, for --watch. */
  readonly title: string;
  /** What all results depend on, as JSON, where `tasks` may be a part of it only. */
  readonly plan?: unknown;
  /** Of a task in the plan; by default among `tasks`. */
  readonly place?: (task: Task) => number;
  /** Files that tasks name by `path`. */
  readonly files?: readonly PlanFile[];
  readonly untilFailure?: boolean;
  /** How far the work is, where it is done here. */
  readonly progress: () => string;
}

/** Returns how many are still missing: none, unless they are done elsewhere. */
export async function doUnits<Task, Done>(
  job: UnitsJob<Task, Done>,
  options: QueueOptions,
): Promise<number> {
  if (options.queue !== undefined) return (await import('./via-queue.ts')).viaQueue(job, options);
  const stopProgress = showProgress(job.progress);
  try {
    await onPool(job);
    return 0;
  } finally {
    stopProgress();
  }
}
