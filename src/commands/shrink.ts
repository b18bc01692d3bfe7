/** `umbra shrink`: what a schedule that goes wrong can do without. */

import { Command } from 'commander';
import { UserError } from '../../shared/errors.ts';
import { subjectOf } from '../explore/subject.ts';
import { decodeToken, ENGINE_VERSION } from '../explore/token.ts';
import { ExitCode } from './exit-code.ts';
import { EXIT_CODES } from './explore.ts';
import { heedingInterrupt } from './interrupt.ts';
import { JSON_OPTION, printer } from './json-output.ts';
import { OUT_OPTION, type ResultOptions, resultsOf } from './run-folder.ts';
import { describeShrunk, shrinkShown } from './shrunk.ts';

export function shrinkCommand(): Command {
  return new Command('shrink')
    .summary('Make a schedule that goes wrong smaller')
    .description(
      'Make a schedule that goes wrong smaller: leave out vCPUs, operations and switches, until ' +
        'without any of what is left it goes wrong no more. Then look for the schedule of the ' +
        'same operations that passes and differs least.',
    )
    .argument('<token>', 'the line that umbra explore printed, from umbra… on')
    .option(...JSON_OPTION)
    .option(...OUT_OPTION)
    .addHelpText(
      'after',
      '\nWhat goes wrong stays the same: the declared outcome, the invariant, or the reason but ' +
        'for its numbers; and what is left of the test passes without the defects. Ctrl-C ends ' +
        'it with the smallest so far.\n\nThe litmus file must be where it was, as it was. Exit ' +
        `codes are those of umbra explore; ${ExitCode.UserMistake} also for a schedule that ends ` +
        'well.\n\nExamples:\n' +
        '  umbra explore litmus/6-switcher/R10-one-pgdir-two-cpus.yaml --defects R10 --no-shrink\n' +
        `  umbra shrink umbra${ENGINE_VERSION}.NY5BbhsxDEXvovW4…`,
    )
    .action(shrink);
}

async function shrink(text: string, options: ResultOptions, command: Command): Promise<void> {
  const writeResult = resultsOf(options, command);
  const token = decodeToken(text);
  const subject = subjectOf(token);
  const result = subject.replay(token);
  if (result.ending === 'ok') {
    throw new UserError('the schedule of the token ends as it may: there is nothing to shrink');
  }
  const shrunk = await heedingInterrupt((isInterrupted) =>
    shrinkShown(subject, result, isInterrupted),
  );
  printer(options)(describeShrunk(shrunk).trimStart(), true);
  writeResult({
    schema_version: 1,
    ...{ file: token.file, paging: token.paging, discipline: token.discipline },
    ...{ defects: token.defects, shrunk },
  });
  process.exitCode = EXIT_CODES[result.ending];
}
