#!/usr/bin/env node
/** The command line: what goes wrong in a command is told apart by whose mistake it is. */

import '../shared/compile-cache.ts';
import { CommanderError } from 'commander';
import { UserError } from '../shared/errors.ts';
import { makeProgram } from './commands/catalogue.ts';
import { ExitCode } from './commands/exit-code.ts';
import { columnsOf, wrap } from './commands/terminal.ts';

// Whoever reads our output may stop early (`umbra … | head`): the command still
// finishes, and its exit code stands.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

try {
  const program = await makeProgram(process.argv[2]);
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
