/** Every command that does something, with its --help. */

import type { Command } from 'commander';
import { makeProgram } from '../../src/commands/catalogue.ts';
import { pathOf } from '../../src/commands/configuration.ts';

export interface Documented {
  /** As it is typed, behind `umbra`. */
  readonly name: string;
  readonly command: Command;
  readonly help: string;
}

const HIDDEN: readonly string[] = ['help', 'complete'];

export async function commandsBelow(): Promise<readonly Documented[]> {
  const program = await makeProgram(undefined);
  const leaves = (command: Command): readonly Command[] =>
    command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
  return [program, ...program.commands.flatMap(leaves)]
    .filter((command) => !HIDDEN.includes(command.name()))
    .map((command) => ({ name: pathOf(command), command, help: helpOf(command) }));
}

function helpOf(command: Command): string {
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
  return help;
}
