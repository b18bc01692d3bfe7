/** `umbra work`: units of a queue, taken and done, on any machine that has its address. */

import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { UserError } from '../../shared/errors.ts';
import { ExitCode } from './exit-code.ts';
import { QUIET_OPTION } from './json-output.ts';
import { integer } from './options.ts';
import { QUEUE_OPTION } from './units.ts';

interface Options {
  readonly queue?: string;
  readonly jobs: number;
  readonly stay?: boolean;
  readonly quiet?: boolean;
}

export function workCommand(): Command {
  return new Command('work')
    .summary('Do units of a queue that other commands have filled')
    .description(
      'Take units that umbra campaign and others have sent to a queue, do them in a pool of threads, and ' +
        'put the results beside them; on any machine, by as many workers as there are.',
    )
    .option(QUEUE_OPTION[0], 'the queue: postgres://…, embedded or embedded:FOLDER')
    .option('--jobs <n>', 'units at a time', integer(1), availableParallelism())
    .option('--stay', 'wait for more when nothing is left, instead of ending')
    .option(...QUIET_OPTION)
    .addHelpText(
      'after',
      '\nIt may be killed at any time, also with -9: what it was at is done by another. Ctrl-C gives back what ' +
        'is not done. docs/campaigns.md says how to set up several machines.\n\n' +
        `Exit code: ${ExitCode.Ok} nothing is left to do, ${ExitCode.Failed} something went wrong in what was ` +
        `done here, ${ExitCode.UserMistake} a mistake in what was given, ${ExitCode.Interrupted} Ctrl-C.\n\n` +
        'Examples:\n  umbra work --queue embedded\n' +
        '  UMBRA_QUEUE=embedded umbra work --jobs 8',
    )
    .action(run);
}

async function run(
  { queue: text, jobs, stay = false, quiet = false }: Options,
  command: Command,
): Promise<void> {
  if (text === undefined)
    throw new UserError('which queue? Give --queue, or UMBRA_QUEUE in the environment');
  const [{ parseAddress, shownAddress }, { Queue }, { work }] = await Promise.all([
    import('../queue/address.ts'),
    import('../queue/queue.ts'),
    import('../queue/worker.ts'),
  ]);
  const address = parseAddress(text);
  const ended = new AbortController();
  let signal: NodeJS.Signals | undefined;
  const end = (name: NodeJS.Signals): void => {
    signal = name;
    ended.abort();
  };
  process.once('SIGINT', end).once('SIGTERM', end);
  const queue = await Queue.open(address);
  try {
    if (!quiet)
      process.stderr.write(`umbra: at work for ${shownAddress(address)}, ${jobs} at a time\n`);
    const { units, failures } = await work({
      ...{ queue, jobs, stay, signal: ended.signal, version: command.parent!.version()! },
      say: (line) => process.stderr.write(`umbra: ${line}\n`),
    });
    if (!quiet) process.stdout.write(`${units.toLocaleString('en-US')} units done\n`);
    process.exitCode = failures > 0 ? ExitCode.Failed : ExitCode.Ok;
    if (signal === 'SIGINT') process.exitCode = ExitCode.Interrupted;
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
    await queue.close();
  }
}
