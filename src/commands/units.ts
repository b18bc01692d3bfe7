/** Options of the commands whose units may be done elsewhere, by workers of a queue. */

import type { Command } from 'commander';
import { UserError } from '../../shared/errors.ts';

export interface QueueOptions {
  readonly queue?: string;
  readonly wait?: true;
}

export const QUEUE_OPTION = [
  '--queue <url>',
  'send the units to this queue, for umbra work: postgres://…, embedded or embedded:FOLDER',
] as const;

const WAIT_OPTION = ['--wait', 'with --queue, stay until they are done'] as const;

/** An address is not checked here: what is wrong with it would be shown, and a password with it. */
export const withQueue = (command: Command): Command =>
  command.option(...QUEUE_OPTION).option(...WAIT_OPTION);

/** Throws UserError for what a queue decides by itself. */
export function checkQueueOptions(
  { queue, wait, shard }: QueueOptions & { readonly shard?: { readonly of: number } },
  command: Command,
): void {
  if (queue === undefined) {
    if (wait) throw new UserError('--wait is for --queue: give both, or neither');
    return;
  }
  if ((shard?.of ?? 1) > 1) {
    throw new UserError('--queue hands out the work itself: leave --shard out');
  }
  if (command.getOptionValueSource('threads') === 'cli') {
    throw new UserError(
      '--queue leaves the work to umbra work, whose --jobs says how much at a time: leave --threads out',
    );
  }
}
