#!/usr/bin/env node
/**
 * The command line. A command is a function in commands/ that returns a commander
 * Command whose action sets `process.exitCode`; here they are put together, and what
 * goes wrong in them is told apart by whose mistake it is.
 */

import { Command, CommanderError } from 'commander';
import { UserError } from '../shared/errors.ts';
import { campaignCommand } from './commands/campaign.ts';
import { compareCommand } from './commands/compare.ts';
import { conformanceCommand } from './commands/conformance.ts';
import { defectsCommand } from './commands/defects.ts';
import { ExitCode } from './commands/exit-code.ts';
import { exploreCommand } from './commands/explore.ts';
import { importCommand } from './commands/import.ts';
import { litmusCommand } from './commands/litmus.ts';
import { mergeCommand } from './commands/merge.ts';
import { mutantsCommand } from './commands/mutants.ts';
import { replayCommand } from './commands/replay.ts';
import { runCommand } from './commands/run.ts';
import { shrinkCommand } from './commands/shrink.ts';
import { startCommand } from './commands/start.ts';
import { stressCommand } from './commands/stress.ts';
import { columnsOf, wrap } from './commands/terminal.ts';

const COMMANDS: readonly (() => Command)[] = [
  startCommand,
  runCommand,
  stressCommand,
  litmusCommand,
  exploreCommand,
  replayCommand,
  shrinkCommand,
  campaignCommand,
  mergeCommand,
  mutantsCommand,
  importCommand,
  conformanceCommand,
  compareCommand,
  defectsCommand,
];

const program = new Command('umbra')
  .description("A laboratory for lguest's shadow page tables on a simulated multiprocessor.")
  .showSuggestionAfterError()
  .showHelpAfterError('(umbra --help, or umbra COMMAND --help, says what there is)')
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, 'umbra:')) })
  .exitOverride();
for (const command of COMMANDS) {
  program.addCommand(command().copyInheritedSettings(program));
}

// Whoever reads our output may stop early (`umbra … | head`): the command still
// finishes, and its exit code stands.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Say what went wrong; returns the exit code. */
function report(error: unknown): ExitCode {
  if (error instanceof CommanderError) {
    // Commander has printed it already. Help that was asked for is no mistake.
    return error.exitCode === 0 ? ExitCode.Ok : ExitCode.UserMistake;
  }
  if (error instanceof UserError) {
    for (const paragraph of error.message.split('\n')) {
      console.error(wrap(`umbra: ${paragraph}`, columnsOf(process.stderr)));
    }
    return ExitCode.UserMistake;
  }
  console.error('umbra: this is a bug in umbra itself.');
  console.error(error);
  return ExitCode.Bug;
}
