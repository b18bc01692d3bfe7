/** `umbra explore`: search a litmus test for a schedule that goes wrong. */

import { Command, type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { UserError } from '../errors.ts';
import { Behaviours, furtherText, type Unseen } from '../explore/behaviours.ts';
import { readLitmus } from '../explore/litmus/read.ts';
import { tokenOf } from '../explore/replay.ts';
import type { Ending, Result } from '../explore/result.ts';
import { type Setting, someSettingsOf } from '../explore/setting.ts';
import { Subject } from '../explore/subject.ts';
import { Turns } from '../explore/turns.ts';
import { counted, grouped } from '../numbers.ts';
import { settingText } from '../report/litmus-setting.ts';
import { count, quantity, type Table, text } from '../report/table.ts';
import { confirmOnThreads, engineOption, startEngine } from './engine.ts';
import { ExitCode } from './exit-code.ts';
import { seedOption, strategiesOption, withSettings } from './explore-options.ts';
import { exploreRaces } from './explore-races.ts';
import { heedInterrupt } from './interrupt.ts';
import { JSON_OPTION, printer, QUIET_OPTION } from './json-output.ts';
import { keepLast } from './kept-schedules.ts';
import { integer, type OptionsOf } from './options.ts';
import { pageFile, pageOfTokens } from './player-page.ts';
import { Progress } from './progress.ts';
import { OUT_OPTION, resultsOf } from './run-folder.ts';
import { describeShrunk, type ShrunkReport, shrinkShown } from './shrunk.ts';
import { showProgress } from './terminal.ts';

/** The result of one strategy in one setting. */
interface Found {
  readonly setting: Setting;
  readonly strategy: string;
  readonly schedules: number;
  /** How many of them showed a new behaviour. */
  readonly distinct: number;
  /** The strategy has no others. */
  readonly exhausted: boolean;
  /** That a further schedule of the strategy behaves in another way. */
  readonly unseen: Unseen | null;
  readonly steps: number;
  readonly seconds: number;
  readonly failure?: {
    readonly ending: Ending;
    readonly message: string;
    readonly token: string;
    readonly shrunk?: ShrunkReport;
  };
}

export const EXIT_CODES: Readonly<Record<Ending, ExitCode>> = {
  ok: ExitCode.Ok,
  violation: ExitCode.Failed,
  killed: ExitCode.Killed,
  oops: ExitCode.Oops,
  deadlock: ExitCode.Deadlock,
  livelock: ExitCode.Livelock,
};

function declare() {
  return withSettings(new Command('explore'))
    .summary('Search a litmus test for a schedule that goes wrong, or for races')
    .description(
      'Run a litmus test by many schedules until one goes wrong. Every access of shared ' +
        'memory is ' +
        'a scheduling point, at which another host CPU may take over.',
    )
    .argument('<test>', 'a litmus test: a file, or the name of one that comes with umbra')
    .optionsGroup('Schedules:')
    .addOption(strategiesOption())
    .addOption(engineOption())
    .option('--runs <n>', 'schedules of each strategy in each setting, at most', integer(1), 1000)
    .option('--seconds <s>', 'seconds of each strategy in each setting, at most', integer(1))
    .addOption(seedOption())
    .optionsGroup('What to look for:')
    .addOption(
      new Option(
        '--races',
        `run all schedules (${RACE_RUNS} if --runs is not given) and list the races in them`,
      ).conflicts('race'),
    )
    .option(
      '--race <n>',
      'find the races again, and search for a schedule in which race n does harm',
      integer(1),
    )
    .option('--no-shrink', 'do not shrink a schedule that goes wrong')
    .optionsGroup('Output:')
    .addOption(
      new Option(
        '--html <file>',
        'write a page to step through the failure, which opens from disk',
      ).conflicts(['races', 'race']),
    )
    .option(...JSON_OPTION)
    .option(...QUIET_OPTION)
    .option(...OUT_OPTION)
    .addHelpText(
      'after',
      '\nBy default all paging forms and disciplines of the test are run. The first schedule ' +
        'that ' +
        'goes wrong ends the search. It is printed as a command line of umbra replay, first as ' +
        'found, then shrunk. After it comes the schedule of the same operations that passes and ' +
        'differs least.\n\nExit code: ' +
        `${ExitCode.Ok} nothing wrong, ${ExitCode.Failed} an invariant or an outcome is broken, ` +
        `${ExitCode.Killed} the guest was killed, ${ExitCode.Oops} the host died, ` +
        `${ExitCode.Deadlock} deadlock, ${ExitCode.Livelock} livelock, ${ExitCode.UserMistake} ` +
        `a mistake in the input, ${ExitCode.Interrupted} interrupted by ` +
        'Ctrl-C.\n\nExamples:\n' +
        '  umbra explore R2-cleared-entry-comes-back --defects R2 --html race.html\n' +
        '  umbra explore migrations --strategy pct-3 --runs 10000\n' +
        '  umbra explore R4-both-allocate-the-table --defects R4 --races',
    );
}

type Options = OptionsOf<typeof declare>;

export const exploreCommand = (): CommandUnknownOpts =>
  declare().action((file, options, command) => {
    if (!options.races && options.race === undefined) return explore(file, options, command);
    const runsGiven = command.getOptionValueSource('runs') !== 'default';
    return races(file, { ...options, runs: runsGiven ? options.runs : RACE_RUNS }, command);
  });

/** Schedules in each setting when races are asked for. */
const RACE_RUNS = 50;

async function races(file: string, options: Options, command: CommandUnknownOpts): Promise<void> {
  if (options.engine !== 'isolate') {
    throw new UserError('races are looked for in one thread: leave --engine out');
  }
  const writeResult = resultsOf(options, command);
  const print = printer(options);
  using interruption = heedInterrupt();
  const report = await exploreRaces(file, options, interruption.isInterrupted, print);
  const interrupted = interruption.isInterrupted();
  const { strategy, seed } = options;
  writeResult({ schema_version: 1, file, strategy: strategy.join(), seed, ...report });
  const wrong = report.hunt === undefined ? report.found.find(({ failure }) => failure) : undefined;
  const failure = report.hunt?.harm ?? wrong?.failure;
  if (failure !== undefined) process.exitCode = EXIT_CODES[failure.ending];
  else {
    if (interrupted) tellInterrupted(file, options, report.found);
    process.exitCode = interrupted ? ExitCode.Interrupted : ExitCode.Ok;
  }
}

async function explore(file: string, options: Options, command: CommandUnknownOpts): Promise<void> {
  const writeResult = resultsOf(options, command);
  const writePage = pageFile(options.html);
  const print = printer(options);
  using interruption = heedInterrupt();
  const all = await exploreSettings(file, options, interruption.isInterrupted, print);
  const interrupted = interruption.isInterrupted();
  const result = {
    schema_version: 1,
    file,
    strategy: options.strategy.join(),
    seed: options.seed,
    found: all,
  };
  writeResult(result, [settingsTable(all)]);
  const failure = all.at(-1)?.failure;
  if (failure === undefined) {
    if (writePage !== undefined) print(`nothing went wrong: ${options.html} is not written\n`);
    if (interrupted) tellInterrupted(file, options, all);
    process.exitCode = interrupted ? ExitCode.Interrupted : ExitCode.Ok;
    return;
  }
  const { token, passing } = failure.shrunk ?? { token: failure.token, passing: null };
  writePage?.(pageOfTokens(token, passing?.token));
  process.exitCode = EXIT_CODES[failure.ending];
}

/** How much was done: of schedules, and of settings, which come one after the other. */
function tellInterrupted(
  file: string,
  options: Options,
  done: readonly { readonly schedules: number }[],
): void {
  const schedules = done.reduce((sum, one) => sum + one.schedules, 0);
  const searches = someSettingsOf(file, readLitmus(file), options).length * options.strategy.length;
  process.stderr.write(
    `umbra: interrupted; ${counted(schedules, 'schedule')} done, in ${done.length} of ` +
      `${searches} settings and strategies\n`,
  );
}

/**
 * One setting after the other, each by one strategy after the other, until a schedule goes wrong.
 */
async function exploreSettings(
  file: string,
  options: Options,
  isInterrupted: () => boolean,
  print: (text: string, isWrong?: boolean) => void,
): Promise<Found[]> {
  const litmus = readLitmus(file);
  const all: Found[] = [];
  const several = options.strategy.length > 1;
  for (const setting of someSettingsOf(file, litmus, options)) {
    const subject = new Subject(file, litmus, setting);
    for (const strategy of options.strategy) {
      if (isInterrupted()) return all;
      const { found, failure } = await search(subject, strategy, options, isInterrupted);
      print(describe(found, several), failure !== undefined);
      if (failure === undefined) {
        all.push(found);
        continue;
      }
      if (options.engine === 'isolate') print(await confirmOnThreads(subject, failure), true);
      if (!options.shrink) return [...all, found];
      const searched = [...all.filter((other) => other.setting === setting), found];
      const shrunk = await shrinkShown(subject, failure, isInterrupted, searched);
      print(describeShrunk(shrunk), true);
      return [...all, { ...found, failure: { ...found.failure!, shrunk } }];
    }
  }
  return all;
}

async function search(
  subject: Subject,
  strategy: string,
  { engine: engineName, runs, seconds = Number.POSITIVE_INFINITY, seed }: Options,
  isInterrupted: () => boolean,
): Promise<{ readonly found: Found; readonly failure: Result | undefined }> {
  const engine = await startEngine(engineName, subject, strategy);
  const start = performance.now();
  const elapsed = (): number => (performance.now() - start) / 1000;
  const behaviours = new Behaviours();
  const turns = new Turns();
  let steps = 0;
  let schedules = 0;
  let exhausted = false;
  let failure: Result | undefined;
  const progress = new Progress('schedules', runs);
  const stopProgress = showProgress(() => `${settingText(subject.setting)}: ${progress}`);
  try {
    while (failure === undefined && schedules < runs && elapsed() < seconds && !isInterrupted()) {
      const result = await engine.run(seed + schedules);
      exhausted = result === undefined;
      if (result === undefined) break;
      schedules++;
      progress.add();
      steps += result.run.steps;
      behaviours.add(result.run.trace, !engine.isListed);
      if (result.ending !== 'ok') failure = result;
      await turns.take();
    }
  } finally {
    stopProgress();
    await engine.close();
  }
  const found: Found = {
    setting: subject.setting,
    strategy,
    schedules,
    exhausted,
    steps,
    distinct: behaviours.distinct,
    unseen: behaviours.unseen ?? null,
    seconds: elapsed(),
    ...(failure && {
      failure: {
        ending: failure.ending,
        message: failure.message,
        token: tokenOf(subject, failure),
      },
    }),
  };
  return { found, failure };
}

function describe(found: Found, several: boolean): string {
  const { setting, strategy, schedules, distinct, exhausted, steps, failure } = found;
  const n = (value: number): string => grouped(Math.round(value));
  const line =
    `${settingText(setting)}${several ? `, ${strategy}` : ''}: ` +
    `${counted(schedules, 'schedule')}, ${n(distinct)} of them different` +
    (schedules === 0 ? '' : `, ${n(steps / schedules)} steps each`);
  const all = exhausted ? ', all that the strategy has' : '';
  const further = exhausted ? '' : furtherText(found.unseen, ` of ${strategy}`);
  if (failure === undefined) return `${line}${all}; nothing wrong\n${further}`;
  const says = `${failure.ending}: ${failure.message}`;
  return `${line}\n${says}\n${keepLast({ token: failure.token, says })}\n`;
}

const settingsTable = (all: readonly Found[]): Table => ({
  name: 'settings',
  description: 'What was run in each setting, and how it went wrong, if it did.',
  columns: {
    discipline: text('how vCPUs are kept apart'),
    paging: text('paging form'),
    memory: text('sc or tso'),
    strategy: text('how schedules were chosen'),
    schedules: count('that were run'),
    distinct: count('of them that behaved otherwise than all before'),
    unseen: quantity('', 'chance that a further one of the strategy would; null if none was drawn'),
    unseen_low: quantity('', 'the interval of that, in 95 cases of 100, from'),
    unseen_high: quantity('', 'to'),
    steps: count('accesses of shared memory, of all schedules'),
    seconds: quantity('s', 'that it took'),
    ending: text('how the last one ended; null if all ended well'),
    message: text('what went wrong'),
    token: text('for umbra replay'),
  },
  rows: all.map(({ setting, strategy, schedules, distinct, unseen, steps, seconds, failure }) => ({
    discipline: setting.discipline,
    paging: setting.paging,
    memory: setting.memory ?? 'sc',
    strategy,
    schedules,
    distinct,
    unseen: unseen?.estimate ?? null,
    unseen_low: unseen?.low ?? null,
    unseen_high: unseen?.high ?? null,
    steps,
    seconds,
    ending: failure?.ending ?? null,
    message: failure?.message ?? null,
    token: failure?.token ?? null,
  })),
});
