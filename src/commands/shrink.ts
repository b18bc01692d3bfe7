/** `umbra shrink`: makes a failing schedule as small as possible. */

import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { UserError } from '../errors.ts';
import { replayToken } from '../explore/replay.ts';
import { ExitCode } from './exit-code.ts';
import { EXIT_CODES } from './explore.ts';
import { strategiesOption } from './explore-options.ts';
import { heedInterrupt } from './interrupt.ts';
import { JSON_OPTION, printer } from './json-output.ts';
import { integer, type OptionsOf } from './options.ts';
import { OUT_OPTION, resultsOf } from './run-folder.ts';
import { SCHEDULE_HELP, scheduleOf, withSchedule } from './schedule.ts';
import { describeShrunk, shrinkShown } from './shrunk.ts';

function declare() {
  const command = new Command('shrink')
    .summary('Shrink a schedule that goes wrong')
    .description(
      'Shrink a schedule that goes wrong: leave out vCPUs, operations and switches, until ' +
        'nothing ' +
        'more can be left out. Then look for the schedule of the same operations that passes and ' +
        'differs least.',
    );
  return withSchedule(command.optionsGroup('The schedule:'))
    .optionsGroup('Schedules that the shrunk test has to pass without the defects:')
    .addOption(strategiesOption())
    .option('--runs <n>', 'schedules of each strategy', integer(1), 1000)
    .optionsGroup('Output:')
    .option(...JSON_OPTION)
    .option(...OUT_OPTION)
    .addHelpText(
      'after',
      '\nThe failure stays the same: the declared outcome, the invariant, or the reason ' +
        'except for ' +
        'its numbers. And the shrunk test passes without the defects in at least 1,000 ' +
        'schedules. ' +
        `Ctrl-C stops with the smallest so far.\n${SCHEDULE_HELP}\nExit codes are those of ` +
        `umbra explore; ${ExitCode.UserMistake} ` +
        'also for a schedule that passes.\n\nExamples:\n' +
        '  umbra explore R10-one-pgdir-two-cpus --defects R10 --no-shrink\n' +
        '  umbra shrink --last',
    );
}

type Options = OptionsOf<typeof declare>;

export const shrinkCommand = (): CommandUnknownOpts => declare().action(shrink);

async function shrink(
  named: string | undefined,
  options: Options,
  command: CommandUnknownOpts,
): Promise<void> {
  const writeResult = resultsOf(options, command);
  const { token, subject } = scheduleOf(named, options);
  const result = replayToken(subject, token);
  if (result.ending === 'ok') {
    throw new UserError('the schedule passes: there is nothing to shrink');
  }
  const search = options.strategy.map((strategy) => ({ strategy, schedules: options.runs }));
  using interrupted = heedInterrupt();
  const shrunk = await shrinkShown(subject, result, interrupted.isInterrupted, search);
  printer(options)(describeShrunk(shrunk).trimStart(), true);
  writeResult({
    schema_version: 1,
    file: token.file,
    paging: token.paging,
    discipline: token.discipline,
    defects: token.defects,
    shrunk,
  });
  process.exitCode = EXIT_CODES[result.ending];
}
