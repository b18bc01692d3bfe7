/** `umbra completion SHELL`: commands, options, names and files completed where they are typed. */

import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import tab from '@bomb.sh/tab/commander';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { Command } from 'commander';
import { ALL_DEFECTS } from '../defects.ts';
import { STRATEGIES } from '../explore/strategies/catalogue.ts';
import { scenarioNames } from '../scenario/find.ts';
import { ExitCode } from './exit-code.ts';

const HELP = `
Examples:
  source <(umbra completion bash)                                in ~/.bashrc
  source <(umbra completion zsh)                                 in ~/.zshrc
  umbra completion fish > ~/.config/fish/completions/umbra.fish

Exit code: ${ExitCode.Ok} printed, ${ExitCode.UserMistake} no such shell.`;

/** The functions of bash-completion that the script needs, if that is not installed. */
const FOR_BASH = `if ! declare -F _get_comp_words_by_ref > /dev/null; then
  _get_comp_words_by_ref() {
    cur="\${COMP_WORDS[COMP_CWORD]}"
    prev="\${COMP_WORDS[COMP_CWORD-1]}"
    words=("\${COMP_WORDS[@]}")
    cword=$COMP_CWORD
  }
fi
`;

/** Tells the shell one of the possible words. */
type Complete = (word: string, description: string) => void;

const oneOf = (words: readonly string[]) => (complete: Complete) => {
  for (const word of words) complete(word, '');
};

/** Options that take one of some names, where the command itself has no list of choices. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  '--defects': ['all', 'none', ...ALL_DEFECTS],
  '--only': ALL_DEFECTS,
  '--strategy': Object.keys(STRATEGIES),
};

/** Adds `completion`, which is returned, and the hidden `complete`, which shells ask. */
export function addCompletion(program: CommandUnknownOpts): CommandUnknownOpts {
  const root = tab(program as unknown as Command, { completionCommandName: 'completion' });
  for (const command of program.commands) {
    const completed = root.commands.get(command.name());
    if (completed === undefined) continue;
    completed.description = command.summary();
    for (const { name, variadic } of completed.arguments.values()) {
      if (name !== 'shell') completed.argument(name, files, variadic);
    }
    for (const { long, flags, description, argChoices } of command.options) {
      const known = argChoices === undefined ? NAMES[long!] : undefined;
      if (known !== undefined) completed.option(long!.slice(2), description, oneOf(known));
      if (/<(file|ledger)>$/.test(flags)) completed.option(long!.slice(2), description, files);
    }
  }
  root.commands.get('run')!.argument('scenario', (complete) => {
    oneOf(scenarioNames())(complete);
    files(complete);
  });
  return program.commands
    .find((command) => command.name() === 'completion')!
    .summary('Print a completion script for a shell')
    .description(
      'Print a script that makes a shell complete commands, options, names and files of umbra.',
    )
    .hook('preAction', (_, { args: [shell] }) => {
      if (shell === 'bash') process.stdout.write(FOR_BASH);
    })
    .addHelpText('after', HELP);
}

/** Files and folders that begin with the last word; of a single folder also its contents. */
function files(complete: Complete): void {
  const word = process.argv.at(-1)!;
  const folder = word.endsWith('/') ? word : dirname(word);
  const found = entriesOf(folder, word.startsWith('./') || word.includes('/')).filter((path) =>
    path.startsWith(word),
  );
  const [only] = found;
  const all =
    found.length === 1 && only!.endsWith('/') ? [only!, ...entriesOf(only!, true)] : found;
  oneOf(all)(complete);
}

/** The contents of a folder, folders with a trailing slash; by path, or by name alone. */
function entriesOf(folder: string, byPath: boolean): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => !name.startsWith('.'))
      .map((entry) => {
        const path = byPath ? join(folder, entry.name) : entry.name;
        const isFolder = statSync(join(folder, entry.name), {
          throwIfNoEntry: false,
        })?.isDirectory();
        return isFolder ? `${path}/` : path;
      });
  } catch {
    // No such folder, or not to be read: nothing is completed.
    return [];
  }
}
