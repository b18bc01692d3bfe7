/** `umbra work`: units of a queue, taken and done, on any machine that has its address. */

import { availableParallelism } from 'node:os';
import { Command, type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { SCHEDULE_DEFECTS } from '../defects.ts';
import { UserError } from '../errors.ts';
import { counted } from '../numbers.ts';
import type { RoundMaker, Rounds } from '../queue/forever.ts';
import { ExitCode } from './exit-code.ts';
import { QUIET_OPTION } from './json-output.ts';
import { atATime, integer, mustGoWith, type OptionsOf } from './options.ts';
import { QUEUE_OPTION } from './units.ts';

function declare() {
  return new Command('work')
    .summary('Run units from a queue that other commands have filled')
    .description(
      'Take units that umbra campaign and other commands have sent to a queue, run them in a ' +
        'pool ' +
        'of threads, and store the results. Any number of workers may do so, on any machines.',
    )
    .optionsGroup('Work:')
    .option(QUEUE_OPTION[0], 'the queue: postgres://…, embedded or embedded:FOLDER')
    .option('--jobs <n>', 'units at a time', atATime, availableParallelism())
    .option('--stay', 'wait for more units when none is left')
    .optionsGroup('Endless search (docs/campaigns.md):')
    .option(
      '--forever',
      'also begin rounds of standing plans (umbra campaign --forever), each with new seeds',
    )
    .option('--rounds <n>', 'with --forever: end after so many', integer(1))
    .addOption(
      new Option('--canary <id>', 'with --forever: the mutant that must be caught in each round')
        .choices(SCHEDULE_DEFECTS)
        .default('R15'),
    )
    .option(...QUIET_OPTION)
    .addHelpText(
      'after',
      '\nIt may be killed at any time, also with -9: another worker redoes its units. Ctrl-C ' +
        'gives ' +
        'back units that are not done. docs/campaigns.md says how to set up several machines.\n\n' +
        `Exit code: ${ExitCode.Ok} nothing is left to do, ${ExitCode.Failed} a unit that ran ` +
        `here found a failure, ${ExitCode.UserMistake} a mistake in the input, ` +
        `${ExitCode.Interrupted} Ctrl-C.\n\n` +
        'Examples:\n  umbra work --queue embedded\n' +
        '  UMBRA_QUEUE=embedded umbra work --jobs 8',
    );
}

type Options = OptionsOf<typeof declare>;

export const workCommand = (): CommandUnknownOpts => declare().action(run);

async function run(
  { queue: text, jobs, stay, quiet, ...options }: Options,
  command: CommandUnknownOpts,
): Promise<void> {
  if (text === undefined)
    throw new UserError('which queue? Give --queue, or UMBRA_QUEUE in the environment');
  const [{ parseAddress, shownAddress }, { Queue }, { work }] = await Promise.all([
    import('../queue/address.ts'),
    import('../queue/queue.ts'),
    import('../queue/worker.ts'),
  ]);
  const { forever = false, rounds: most, canary } = options;
  mustGoWith(command, 'forever', ['rounds', 'canary']);
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
    const say = (line: string): void => void process.stderr.write(`umbra: ${line}\n`);
    const rounds = forever ? await roundsOf({ queue, canary, most, say }) : undefined;
    const { units, failures } = await work({
      queue,
      jobs,
      say,
      signal: ended.signal,
      version: command.parent!.version()!,
      stay: stay || (forever && most === undefined),
      ...(rounds !== undefined && { more: () => rounds.more() }),
    });
    await rounds?.close();
    if (!quiet) process.stdout.write(`${counted(units, 'unit')} done\n`);
    const isBad = failures > 0 || (rounds?.failed ?? 0) > 0;
    process.exitCode = isBad ? ExitCode.Failed : ExitCode.Ok;
    if (signal === 'SIGINT') process.exitCode = ExitCode.Interrupted;
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
    await queue.close();
  }
}

async function roundsOf(given: Omit<Rounds, 'version'>): Promise<RoundMaker> {
  const [{ RoundMaker }, { codeVersion }] = await Promise.all([
    import('../queue/forever.ts'),
    import('../queue/version.ts'),
  ]);
  return new RoundMaker({ ...given, version: codeVersion() });
}
