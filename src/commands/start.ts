/** `umbra start`: real programs, one to a guest, on several host CPUs. `npm start` runs it. */

import { availableParallelism } from 'node:os';
import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { SAMPLES, tracePath } from '../guest/traces/samples.ts';
import { checkScenario } from '../scenario/parse.ts';
import { ExitCode } from './exit-code.ts';
import { integer, type OptionsOf, policyHelp, withMachine } from './options.ts';
import { withResults } from './run-folder.ts';
import { runScenario } from './run-machine.ts';
import { withTrace } from './trace-output.ts';

function declare() {
  const command = new Command('start')
    .summary('Run real programs from their traces, one per guest')
    .description(
      'Run programs from their memory traces, one per guest, under a scheduler that moves the ' +
        'guests between host CPUs. Then show what shadow paging had to do, and check that all ' +
        'memory was freed.',
    )
    .argument(
      '[trace...]',
      'trace files (umbra import writes them), or names of those that come with umbra: ' +
        `${SAMPLES.join(', ')}; by default the first four`,
    );
  const machine = withMachine(command)
    .option('--guest-memory <mib>', 'memory of each guest, in MiB', integer(1), 32)
    .option('--host-memory <mib>', 'memory for all guests, in MiB; by default enough', integer(1))
    .optionsGroup('Output:');
  giveDefaults(machine);
  return withTrace(withResults(machine)).addHelpText(
    'after',
    `${policyHelp()}\nExit code: ${ExitCode.Ok} all guests ended by themselves, nothing ` +
      `leaked, and thresholds are met, ` +
      `${ExitCode.Failed} otherwise, ${ExitCode.UserMistake} a mistake in the input, ` +
      `${ExitCode.Interrupted} interrupted by Ctrl-C (the summary so far is shown).\n\n` +
      'Examples:\n' +
      '  umbra start --cpus 4 --paging pae\n' +
      '  umbra start pigz pigz --vcpus 2 --discipline guest-lock --json run.json',
  );
}

const CPUS = Math.max(2, availableParallelism());

/** The defaults of options are those of a scenario. */
function giveDefaults(command: CommandUnknownOpts): void {
  const least = { cpus: CPUS, guests: [{ program: { builtin: 'touch' } }] };
  const { slice, guests, ...machine } = checkScenario(least, '.').scenario;
  const values: Readonly<Record<string, unknown>> = { ...machine, ...guests[0], slice };
  for (const option of command.options) {
    const name = option.attributeName();
    const value = values[name];
    if (value === undefined) continue;
    option.default(value, name === 'slice' ? Object.values(slice).join('..') : String(value));
    command.setOptionValueWithSource(name, value, 'default');
  }
}

type Options = OptionsOf<typeof declare>;

export const startCommand = (): CommandUnknownOpts => declare().action(start);

/** As a scenario would be run that has a guest for each trace, and else says nothing. */
async function start(
  traces: readonly string[],
  options: Options,
  command: CommandUnknownOpts,
): Promise<void> {
  const { guestMemory, hostMemory } = options;
  const paths = (traces.length > 0 ? traces : SAMPLES.slice(0, 4)).map(tracePath);
  const scenario = {
    cpus: CPUS,
    guests: paths.map((trace) => ({ program: { trace }, memory: guestMemory })),
    ...(hostMemory !== undefined && { host_memory: hostMemory }),
  };
  await runScenario(checkScenario(scenario, '.'), options, command, {
    hostMemory: '--host-memory',
    guestMemory: '--guest-memory',
  });
}
