/** The commands by name, and the program that they make together. */

import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { configure } from './configuration.ts';
import { checkKinds } from './file-kind.ts';
import { mustDiffer, type OutputOptions } from './json-output.ts';
import { withConfig } from './options.ts';
import { columnsOf, fitLines, silenceProgress } from './terminal.ts';

/** The same place when built. */
const { version } = JSON.parse(readFileSync(findPackageJSON(import.meta.url)!, 'utf8')) as {
  readonly version: string;
};

type Load = () => Promise<CommandUnknownOpts>;

const LOOK_UP = 'Compare, import, look up:';

/** Loaded when they are wanted: together they are most of what umbra is. */
const GROUPS: Readonly<Record<string, Readonly<Record<string, Load>>>> = {
  'Run machines:': {
    start: async () => (await import('./start.ts')).startCommand(),
    run: async () => (await import('./run.ts')).runCommand(),
    stress: async () => (await import('./stress.ts')).stressCommand(),
  },
  'Find, replay and shrink races:': {
    litmus: async () => (await import('./litmus.ts')).litmusCommand(),
    explore: async () => (await import('./explore.ts')).exploreCommand(),
    verify: async () => (await import('./verify.ts')).verifyCommand(),
    replay: async () => (await import('./replay.ts')).replayCommand(),
    inspect: async () => (await import('./inspect.ts')).inspectCommand(),
    shrink: async () => (await import('./shrink.ts')).shrinkCommand(),
    campaign: async () => (await import('./campaign.ts')).campaignCommand(),
    work: async () => (await import('./work.ts')).workCommand(),
    merge: async () => (await import('./merge.ts')).mergeCommand(),
    queue: async () => (await import('./queue.ts')).queueCommand(),
    generate: async () => (await import('./generate.ts')).generateCommand(),
    mutants: async () => (await import('./mutants.ts')).mutantsCommand(),
  },
  'Study and show:': {
    sweep: async () => (await import('./sweep.ts')).sweepCommand(),
    ab: async () => (await import('./ab.ts')).abCommand(),
    study: async () => (await import('./study.ts')).studyCommand(),
    report: async () => (await import('./report.ts')).reportCommand(),
    lab: async () => (await import('./lab.ts')).labCommand(),
  },
  [LOOK_UP]: {
    conformance: async () => (await import('./conformance.ts')).conformanceCommand(),
    compare: async () => (await import('./compare.ts')).compareCommand(),
    import: async () => (await import('./import.ts')).importCommand(),
    costs: async () => (await import('./costs.ts')).costsCommand(),
    defects: async () => (await import('./defects.ts')).defectsCommand(),
  },
};

const EXAMPLES = `
docs/command-line.md explains exit codes, and options in umbra.yaml and in the environment.

Examples:
  umbra start                  run pigz, ls, sort and wc, each in a guest
  umbra run --help             help on one command
  umbra explore R2-cleared-entry-comes-back --defects R2`;

/**
 * The program, ready to parse. `name` is the user's command: if it exists, only that one is loaded.
 */
export async function makeProgram(name: string | undefined): Promise<CommandUnknownOpts> {
  const program = new Command('umbra')
    .description("A laboratory for lguest's shadow page tables on a simulated multiprocessor.")
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpCommand(helpCommand().helpGroup(LOOK_UP))
    .configureHelp({
      styleTitle: (title) => `\x1b[1m${title}\x1b[22m`,
      subcommandTerm: (command) => command.name(),
    })
    .addHelpText('after', EXAMPLES)
    .showSuggestionAfterError()
    .showHelpAfterError('(see umbra --help, or umbra COMMAND --help)')
    .configureOutput({
      writeOut: (text) => process.stdout.write(fitLines(text, columnsOf(process.stdout))),
      writeErr: (text) => process.stderr.write(fitLines(text, columnsOf(process.stderr))),
      outputError: (text, write) => write(text.replace(/^error:/, 'umbra:')),
    })
    .exitOverride();
  const isKnown = Object.values(GROUPS).some((commands) => name !== undefined && name in commands);
  for (const [group, commands] of Object.entries(GROUPS)) {
    for (const [other, load] of Object.entries(commands)) {
      if (isKnown && other !== name) continue;
      const command = withConfig(await load());
      program.addCommand(inherit(command, program).helpGroup(group));
    }
  }
  if (!isKnown) {
    const { addCompletion } = await import('./completion.ts');
    addCompletion(program).helpGroup(LOOK_UP);
  }
  return program.hook('preAction', async (_, command) => {
    checkKinds(command);
    await configure(command, allCommands);
    mustDiffer(command.opts(), command.args);
    if ((command.opts() as OutputOptions).quiet) silenceProgress();
  });
}

/** A command, and those below it, with the manners of the one above. */
function inherit(command: CommandUnknownOpts, from: CommandUnknownOpts): CommandUnknownOpts {
  for (const below of command.commands) inherit(below, from);
  command.copyInheritedSettings(from);
  return command.commands.length === 0 ? command : command.addHelpCommand(helpCommand());
}

function helpCommand() {
  const help = new Command('help').summary('Print this help, or that of a command');
  help.argument('[command]');
  return help;
}

/** Every command that does something, loaded to be asked about its options. */
async function allCommands(): Promise<readonly CommandUnknownOpts[]> {
  const loaded = Object.values(GROUPS).flatMap((commands) =>
    Object.values(commands).map((load) => load()),
  );
  const leaves = (command: CommandUnknownOpts): readonly CommandUnknownOpts[] =>
    command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
  return (await Promise.all(loaded)).flatMap(leaves);
}
