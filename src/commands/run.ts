/** `umbra run SCENARIO`: a machine described in a file. */

import { Command } from 'commander';
import type { PresetName } from '../cost/presets.ts';
import type { Threshold } from '../report/threshold.ts';
import { findScenario, pathOf, scenarioNames } from '../scenario/find.ts';
import { readScenario } from '../scenario/parse.ts';
import { scenarioJsonSchema } from '../scenario/schema.ts';
import { costsOf, expectationOf, type Overrides, specOf } from '../scenario/spec.ts';
import { ExitCode } from './exit-code.ts';
import { JSON_OPTION, QUIET_OPTION } from './json-output.ts';
import {
  costsOption,
  cpusFor,
  defectsOption,
  disciplineOption,
  expectOption,
  integer,
  pagingOption,
  policyHelp,
  policyOption,
  sliceOption,
  vcpusOption,
} from './options.ts';
import { OUT_OPTION, type ResultOptions, resultsOf } from './run-folder.ts';
import { runMachine } from './run-machine.ts';
import { listing } from './terminal.ts';
import {
  type TraceArguments,
  traceEventsOption,
  traceOption,
  traceOptions,
} from './trace-output.ts';

interface Options extends Overrides, ResultOptions, TraceArguments {
  readonly costs?: PresetName;
  readonly expect?: readonly Threshold[];
  readonly schema?: true;
}

export function runCommand(): Command {
  return new Command('run')
    .summary('Run a machine described in a YAML file')
    .description(
      'Run a scenario: a machine described in a YAML file. Without one, list those that come ' +
        'with umbra. What is given here wins over the file.',
    )
    .argument('[scenario]', 'a file that ends in .yaml, or the name of one that comes with umbra')
    .optionsGroup('Machine:')
    .addOption(disciplineOption())
    .addOption(pagingOption())
    .option('--cpus <n>', 'host CPUs, a worker thread each', integer(1))
    .addOption(vcpusOption())
    .addOption(policyOption())
    .addOption(sliceOption())
    .option('--seed <n>', 'what everything random is drawn from', integer(0))
    .addOption(defectsOption())
    .addOption(costsOption())
    .addOption(expectOption('the run'))
    .optionsGroup('Output:')
    .option(...JSON_OPTION)
    .option(...QUIET_OPTION)
    .option(...OUT_OPTION)
    .addOption(traceOption())
    .addOption(traceEventsOption())
    .option('--schema', 'print the JSON Schema of scenario files, for editors, and run nothing')
    .addHelpText(
      'after',
      `${policyHelp()}\nExit code: ${ExitCode.Ok} it ended as the scenario expects (by default: all guests ` +
        `end by themselves and nothing leaks; and thresholds are met), ${ExitCode.Failed} not ` +
        `so, ${ExitCode.UserMistake} a ` +
        `mistake in what was given, ${ExitCode.Interrupted} interrupted by Ctrl-C (the summary so far ` +
        'is shown). With --discipline, --defects or --vcpus given, what the file expects does not count.\n\n' +
        'Examples:\n' +
        '  umbra run parallel-pigz --cpus 4\n' +
        '  umbra run cow-storm --discipline guest-lock --vcpus 2 --json run.json\n' +
        "  umbra run cow-storm --expect 'faults < 1e4' --expect 'migrations > 0'",
    )
    .action(run);
}

async function run(
  scenario: string | undefined,
  options: Options,
  command: Command,
): Promise<void> {
  const { json, quiet, out, schema, costs, expect, trace, traceEvents, ...overrides } = options;
  if (schema) {
    process.stdout.write(`${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`);
    return;
  }
  if (scenario === undefined) {
    process.stdout.write(list());
    return;
  }
  const file = readScenario(findScenario(scenario));
  const cpus = overrides.cpus ?? cpusFor(overrides.policy, file.scenario.cpus);
  await runMachine(specOf(file, { ...overrides, cpus }), {
    trace: traceOptions({ trace, traceEvents }),
    keepEvents: out !== undefined,
    output: { ...(json !== undefined && { json }), ...(quiet && { quiet }) },
    writeResult: resultsOf(options, command),
    expect: expectationOf(file, overrides),
    thresholds: expect,
    costs: costsOf(file, costs),
    remedies: { hostMemory: 'host_memory', guestMemory: "the guest's memory in the scenario" },
  });
}

const list = (): string =>
  listing(
    scenarioNames().map((name) => [name, readScenario(pathOf(name)).scenario.description ?? '']),
  );
