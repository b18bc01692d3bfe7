/** A command line: what goes wrong in a command is told apart by whose mistake it is. */

import { inspect } from 'node:util';
import { CommanderError } from '@commander-js/extra-typings';
import { UserError } from '../errors.ts';
import { makeProgram } from './catalogue.ts';
import { ExitCode } from './exit-code.ts';
import { columnsOf, wrap } from './terminal.ts';

/** Does what these arguments ask for; prints what goes wrong, and sets process.exitCode. */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  try {
    mustHaveFolder();
    const program = await makeProgram(args[0]);
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** Whatever path is given counts from the working folder. */
function mustHaveFolder(): void {
  try {
    process.cwd();
  } catch {
    throw new UserError('the working folder is not there any more: go to another one');
  }
}

/** Say what went wrong; returns the exit code. */
function report(error: unknown): ExitCode {
  if (error instanceof CommanderError) {
    // Commander has printed it already. Help that was asked for is no mistake.
    return error.exitCode === 0 ? ExitCode.Ok : ExitCode.UserMistake;
  }
  if (error instanceof UserError) {
    for (const paragraph of error.message.split('\n')) {
      process.stderr.write(`${wrap(`umbra: ${paragraph}`, columnsOf(process.stderr))}\n`);
    }
    return ExitCode.UserMistake;
  }
  process.stderr.write(`umbra: this is a bug in umbra itself.\n${inspect(error)}\n`);
  return ExitCode.Bug;
}
