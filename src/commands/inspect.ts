/**
 * `umbra inspect TOKEN`: the machine at a step of a schedule, or its difference to another step.
 */

import {
  Command,
  type CommandUnknownOpts,
  InvalidArgumentError,
  Option,
} from '@commander-js/extra-typings';
import { UserError } from '../errors.ts';
import { inspectSchedule, type Stop, type Stopped } from '../explore/inspect.ts';
import { replayToken } from '../explore/replay.ts';
import { counted } from '../numbers.ts';
import {
  compareMoments,
  differenceText,
  inspectionText,
  VIEWS,
  type View,
} from '../report/inspection.ts';
import { didYouMean } from '../yaml/closest.ts';
import { ExitCode } from './exit-code.ts';
import { JSON_OPTION, jsonOutput } from './json-output.ts';
import { integer, type OptionsOf } from './options.ts';
import { SCHEDULE_HELP, scheduleOf, withSchedule } from './schedule.ts';
import { fitLines } from './terminal.ts';

function declare() {
  const command = new Command('inspect')
    .summary('Show the machine at a step of a schedule, or what changes between two')
    .description(
      'Replay a schedule up to a step, and show the state of the machine: TLBs, pgdirs, ' +
        "shadow and guest tables as trees, the Switcher's mappings, reference counts.",
    );
  return withSchedule(command)
    .addOption(
      new Option(
        '--step <n>',
        'just after step n, counted from 0 as in a story; by default the last',
      )
        .argParser(integer(0))
        .conflicts('event'),
    )
    .option(
      '--event <n>',
      'just after the n-th event (entry, exit, fault, hypercall, …)',
      integer(1),
    )
    .option('--diff <n>', 'what has changed just after step n', integer(0))
    .addOption(
      new Option('--show <views>', `what to show, separated by commas: ${VIEWS.join(', ')}`)
        .argParser(parseViews)
        .default(VIEWS.slice(0, -1), VIEWS.slice(0, -1).join(',')),
    )
    .option('--pgdir <i>', 'only this pgdir of each guest', integer(0))
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      `${SCHEDULE_HELP}\nExit code: ${ExitCode.Ok} shown, ` +
        `${ExitCode.UserMistake} a mistake in the input, or no such step.\n\nExamples:\n` +
        '  umbra explore R2-cleared-entry-comes-back --defects R2\n' +
        '  umbra inspect --last --step 226 --show tables\n' +
        '  umbra inspect --last --step 229 --diff 262',
    );
}

type Options = OptionsOf<typeof declare>;

export const inspectCommand = (): CommandUnknownOpts => declare().action(inspect);

function inspect(named: string | undefined, options: Options): void {
  const { step, event, diff, show, pgdir, json } = options;
  const writeJson = jsonOutput(json);
  const { token, subject } = scheduleOf(named, options);
  const { pgdirs } = subject.litmus.guest;
  if (pgdir !== undefined && pgdir >= pgdirs) {
    throw new UserError(
      `there is no pgdir ${pgdir} in this test: its pgdirs are 0 to ${pgdirs - 1}`,
    );
  }
  if (show.join() === 'stores' && subject.setting.memory !== 'tso') {
    throw new UserError('found --show stores, expected a schedule with store buffers (tso)');
  }
  const { run } = replayToken(subject, token);
  const stop: Stop = event === undefined ? { step: step ?? run.steps - 1 } : { event };
  const stops = diff === undefined ? [stop] : [stop, { step: diff }];
  const { found, events } = inspectSchedule(subject, run.decisions, stops, { views: show, pgdir });
  const [first, second] = stops.map((wanted, i) => {
    const one = found[i];
    if (one !== undefined) return one;
    const [what, n] = Object.entries(wanted)[0]!;
    const all = what === 'step' ? `0 to ${run.steps - 1}` : `1 to ${events}`;
    throw new UserError(`there is no ${what} ${n} in this schedule: its ${what}s are ${all}`);
  }) as [Stopped, Stopped?];
  const print = (said: string): void => void (json === '-' || process.stdout.write(fitLines(said)));
  if (second === undefined) {
    print(`${describe(first)}\n\n${inspectionText(first.sections)}\n`);
    writeJson({ schema_version: 1, ...place(first), sections: first.sections });
    return;
  }
  const differences = compareMoments(first.sections, second.sections);
  const said = differences.length === 0 ? 'nothing has changed' : differenceText(differences);
  print(`- ${describe(first)}\n+ ${describe(second)}\n\n${said}\n`);
  writeJson({ schema_version: 1, from: place(first), to: place(second), differences });
}

const place = ({ step, events }: Stopped) => ({
  step: step.number,
  events,
  host_cpu: step.hostCpu,
  vcpu: step.vcpu,
});

const describe = ({ step, events }: Stopped): string =>
  `after step ${step.number}, of host CPU ${step.hostCpu} in ${step.where.name} ` +
  `(${step.where.file}:${step.where.line}); ${counted(events, 'event')} so far`;

function parseViews(text: string): readonly View[] {
  return text.split(',').map((name) => {
    const view = VIEWS.find((one) => one === name.trim());
    if (view !== undefined) return view;
    throw new InvalidArgumentError(
      `'${name}' is no view${didYouMean(name, VIEWS) || '.'} There are ${VIEWS.join(', ')}.`,
    );
  });
}
