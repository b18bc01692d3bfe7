/** `umbra run SCENARIO`: a machine described in a file. */

import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { findScenario, pathOf, scenarioNames } from '../scenario/find.ts';
import { readScenario } from '../scenario/parse.ts';
import { scenarioJsonSchema } from '../scenario/schema.ts';
import { ExitCode } from './exit-code.ts';
import { mustBeBare, type OptionsOf, policyHelp, withMachine } from './options.ts';
import { withResults } from './run-folder.ts';
import { runScenario } from './run-machine.ts';
import { listing } from './terminal.ts';
import { withTrace } from './trace-output.ts';

function declare() {
  const command = new Command('run')
    .summary('Run a machine described in a YAML file')
    .description(
      'Run a scenario: a machine described in a YAML file. Without one, list those that come ' +
        'with umbra. Options override the file.',
    )
    .argument('[scenario]', 'a file that ends in .yaml, or the name of one that comes with umbra');
  return withTrace(withResults(withMachine(command).optionsGroup('Output:')))
    .option('--schema', 'print the JSON Schema of scenario files, for editors, and run nothing')
    .addHelpText(
      'after',
      `${policyHelp()}\nExit code: ${ExitCode.Ok} it ended as the scenario expects (by ` +
        'default: all guests end by themselves and nothing leaks; and thresholds are met), ' +
        `${ExitCode.Failed} otherwise, ${ExitCode.UserMistake} a mistake in the input, ` +
        `${ExitCode.Interrupted} interrupted by Ctrl-C (the summary so far is shown). With ` +
        '--discipline, --defects or --vcpus, the expectation of the file is ignored.\n\n' +
        'Examples:\n' +
        '  umbra run parallel-pigz --cpus 4\n' +
        '  umbra run cow-storm --discipline guest-lock --vcpus 2 --json run.json\n' +
        "  umbra run cow-storm --expect 'faults < 1e4' --expect 'migrations > 0'",
    );
}

type Options = OptionsOf<typeof declare>;

export const runCommand = (): CommandUnknownOpts => declare().action(run);

async function run(
  scenario: string | undefined,
  options: Options,
  command: CommandUnknownOpts,
): Promise<void> {
  if (options.schema) {
    process.stdout.write(`${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`);
  } else if (scenario === undefined) {
    mustBeBare(command, 'a scenario');
    process.stdout.write(list());
  } else {
    await runScenario(readScenario(findScenario(scenario)), options, command, {
      hostMemory: 'host_memory',
      guestMemory: "the guest's memory in the scenario",
    });
  }
}

const list = (): string =>
  listing(
    scenarioNames().map((name) => [name, readScenario(pathOf(name)).scenario.description ?? '']),
  );
