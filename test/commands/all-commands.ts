/** Every command with an action, and its --help. */

import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { makeProgram } from '../../src/commands/catalogue.ts';
import { pathOf } from '../../src/commands/configuration.ts';

export interface Documented {
  /** As typed after `umbra`. */
  readonly name: string;
  readonly command: CommandUnknownOpts;
  readonly help: string;
}

const HIDDEN: readonly string[] = ['help', 'complete'];

export async function commandsBelow(): Promise<readonly Documented[]> {
  const program = await makeProgram(undefined);
  const leaves = (command: CommandUnknownOpts): readonly CommandUnknownOpts[] =>
    command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
  return [program, ...program.commands.flatMap(leaves)]
    .filter((command) => !HIDDEN.includes(command.name()))
    .map((command) => ({ name: pathOf(command), command, help: helpOf(command) }));
}

function helpOf(command: CommandUnknownOpts): string {
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
  return help;
}
