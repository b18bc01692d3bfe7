/** `umbra verify`: all behaviours of litmus tests, each once. */

import { availableParallelism } from 'node:os';
import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { Piscina } from 'piscina';
import { UserError } from '../errors.ts';
import { textsOfTests } from '../explore/litmus/texts.ts';
import { VerifyLedger } from '../explore/verify/ledger.ts';
import { type Entry, entriesOf } from '../explore/verify/verification.ts';
import { workerUrl } from '../worker-url.ts';
import { ExitCode } from './exit-code.ts';
import { EXIT_CODES } from './explore.ts';
import { TESTS, testsFor, withSettings } from './explore-options.ts';
import { heedInterrupt } from './interrupt.ts';
import { JSON_OPTION, jsonOutput, mustShareStdout, printer, QUIET_OPTION } from './json-output.ts';
import { partOfPage } from './marked-page.ts';
import { atATime, integer, type OptionsOf } from './options.ts';
import { clearLine, showProgress } from './terminal.ts';
import { checkQueueOptions } from './units.ts';
import { DEFECTS_PART, markdownOf, VERDICTS_PART } from './verify-markdown.ts';
import type { QueuePool } from './verify-queue.ts';
import { describe, isWanted, type Report, reportOf, testOf } from './verify-report.ts';
import { liveOf } from './verify-watch.ts';
import { type Pool, Work } from './verify-work.ts';
import { checkWatch, WATCH_OPTION, Watch } from './watch.ts';

function declare() {
  const command = new Command('verify')
    .summary('Run all behaviours of litmus tests, each once')
    .description(
      'Run a litmus test in every order of conflicting accesses, each once, and list the ' +
        'outcomes; ' +
        'or, where that is too much, in every order with a bounded number of preemptions.',
    )
    .argument('<test...>', TESTS);
  return withSettings(command)
    .optionsGroup('How far:')
    .option('--preemptions <n>', 'only behaviours with at most so many preemptions', integer(0, 99))
    .option(
      '--acts <n>',
      'with at most so many acts of hardware (migrations, interrupts, dropped TLB entries); ' +
        'needs --preemptions',
      integer(0, 9),
    )
    .option(
      '--between-steps',
      'check invariants whenever all host CPUs are at safe points, not only at the end; needs ' +
        '--preemptions',
    )
    .option(
      '--seconds <s>',
      'at most so many seconds of work for each test in each setting, including those in --out; ' +
        'the first 100 runs are always done',
      integer(1),
    )
    .option(
      '--or-preemptions <n>',
      'if --seconds are not enough without a bound, run behaviours with at most so many ' +
        'preemptions for as many seconds again',
      integer(0, 99),
    )
    .option('--own-defect', 'run each test with the defect that it aims at; skip tests without one')
    .optionsGroup('Work:')
    .option('--jobs <n>', 'threads to use', atATime, availableParallelism())
    .option('--out <file>', 'save the results in this file; the same command resumes from it')
    .option('--queue <url>', 'let workers of this queue do it: postgres://…, or embedded')
    .optionsGroup('Output:')
    .option(...WATCH_OPTION)
    .option(...JSON_OPTION)
    .option(
      '--markdown <page>',
      'write the table of verdicts into a page; - for stdout, and nothing else',
    )
    .option(...QUIET_OPTION)
    .addHelpText(
      'after',
      '\nRuns are abridged: a lock is taken in one step, and everything after the last ' +
        'vCPU’s end ' +
        'is left out. Outcomes and invariants are checked at the end of a run; invariants also ' +
        'between steps, with --between-steps. docs/verify.md says what that proves, and what ' +
        'not.\n\n' +
        `Exit code: ${ExitCode.Ok} nothing wrong in what was run, ${ExitCode.Failed} an ` +
        `invariant or an outcome is broken, ${ExitCode.Killed} the guest was killed, ` +
        `${ExitCode.Oops} the host died, ${ExitCode.Deadlock} deadlock, ${ExitCode.Livelock} ` +
        `livelock, ${ExitCode.UserMistake} a mistake in the input, ` +
        `${ExitCode.Interrupted} interrupted ` +
        'by Ctrl-C (the results so far are shown).\n\nExamples:\n' +
        '  umbra verify R1-two-faults-one-entry --discipline guest-lock\n' +
        '  umbra verify R6-no-shootdown --discipline pgdir-lock --preemptions 1\n' +
        '  umbra verify R4-both-allocate-the-table --preemptions 1 --between-steps\n' +
        '  umbra verify store-buffering --discipline pgdir-lock --memory tso\n' +
        '  umbra verify R14-started-vcpu --seconds 60 --out work.sqlite',
    );
}

type Options = OptionsOf<typeof declare>;

export const verifyCommand = (): CommandUnknownOpts => declare().action(verify);

async function verify(
  paths: readonly string[],
  options: Options,
  command: CommandUnknownOpts,
): Promise<void> {
  checkQueueOptions(options, command);
  checkWatch(options);
  const { preemptions, orPreemptions, acts = 0, betweenSteps, ownDefect, out, memory } = options;
  if (memory === 'tso' && (preemptions ?? orPreemptions) !== undefined) {
    throw new UserError(
      'a bound goes by sequential consistency: leave --memory tso out, or the bound',
    );
  }
  if (preemptions === undefined && acts > 0) {
    throw new UserError('acts of hardware go with a bound: give --preemptions N with --acts');
  }
  if (preemptions === undefined && betweenSteps) {
    throw new UserError(
      'without a bound some states between steps are left out: give --preemptions N with ' +
        '--between-steps',
    );
  }
  if (orPreemptions !== undefined && (preemptions !== undefined || options.seconds === undefined)) {
    throw new UserError(
      '--or-preemptions is for where time is up without a bound: give --seconds with it, and ' +
        'leave --preemptions out',
    );
  }
  if (ownDefect && options.defects !== undefined) {
    throw new UserError('--own-defect says which defects are on: leave --defects out');
  }
  const { json, markdown, quiet = false } = options;
  const given = mustShareStdout({ json, markdown });
  const writeJson = jsonOutput(json);
  const part = ownDefect ? DEFECTS_PART : VERDICTS_PART;
  const writeMarkdown = partOfPage(markdown, part);
  const bounds = preemptions === undefined ? undefined : { preemptions, acts };
  const instead = orPreemptions === undefined ? undefined : { preemptions: orPreemptions, acts };
  const entries = entriesOf(testsFor(paths, options), options, { bounds, instead, ownDefect });
  if (entries.length === 0) {
    throw new UserError('none of these tests is aimed at a defect: leave --own-defect out');
  }
  using ledger = out === undefined ? undefined : new VerifyLedger(out, entries);
  await using watch = await Watch.begin(['umbra verify', ...paths].join(' '), options);
  watch.shows(liveOf(entries, watch));
  const work = new Work(entries, options.seconds, ledger);
  const print = printer({ quiet, ...(given !== undefined && { json: '-' }) });
  const tell = tellerOf(entries, print);
  const interrupted = await goOn(work, options, {
    open: () => poolFor(options, entries, paths),
    tell: () => tell((entry) => work.isSettled(entry)),
  });
  tell(() => true);
  const report = reportOf(entries);
  writeJson(report);
  writeMarkdown(markdownOf(report, part));
  await watch.end([], interrupted);
  if (interrupted && out !== undefined) {
    process.stderr.write(`umbra: interrupted; the same command resumes from ${out}\n`);
  }
  process.exitCode = exitCodeOf(report, interrupted);
}

const isWrong = ({ ending }: Report['tests'][number]['outcomes'][number]): boolean =>
  ending !== 'ok';

function exitCodeOf({ tests }: Report, interrupted: boolean): ExitCode {
  const wrong = tests.flatMap(({ outcomes }) => outcomes).find(isWrong);
  if (wrong !== undefined) return EXIT_CODES[wrong.ending];
  return interrupted ? ExitCode.Interrupted : ExitCode.Ok;
}

/** Prints the result of each test and setting, in order, as soon as it is settled. */
function tellerOf(entries: readonly Entry[], print: ReturnType<typeof printer>) {
  let told = 0;
  return (isSettled: (entry: Entry) => boolean): void => {
    for (; told < entries.length && isSettled(entries[told]!); told++) {
      const entry = entries[told]!;
      if (!isWanted(entry)) continue;
      const test = testOf(entry);
      clearLine();
      print(describe(test), test.outcomes.some(isWrong));
    }
  };
}

interface Around {
  readonly open: () => Promise<Pool>;
  /** Something was done. */
  readonly tell: () => void;
}

/** Run what is left, as far as time allows. Returns whether it was interrupted. */
async function goOn(work: Work, options: Options, around: Around): Promise<boolean> {
  if (work.isDone) return false;
  using interrupted = heedInterrupt();
  const stopProgress = showProgress(() => work.progress);
  const pool = await around.open();
  const most = options.queue === undefined ? options.jobs : MOST_SENT;
  try {
    await work.doneBy(pool, most, interrupted.signal, around.tell);
  } finally {
    stopProgress();
    await (pool instanceof Piscina ? pool.destroy() : pool.close(work.isDone));
  }
  return interrupted.signal.aborted;
}

const poolFor = async (
  { jobs, queue }: Options,
  entries: readonly Entry[],
  paths: readonly string[],
): Promise<Pool> => (queue === undefined ? poolOf(jobs) : sentTo(queue, entries, paths));

const poolOf = (threads: number): Piscina =>
  new Piscina({
    filename: workerUrl('verify-task').href,
    minThreads: threads,
    maxThreads: threads,
  });

/** Units that are in a queue at a time, if there are so many: more than workers have threads. */
const MOST_SENT = 512;

async function sentTo(
  queue: string,
  entries: readonly Entry[],
  paths: readonly string[],
): Promise<QueuePool> {
  const { QueuePool } = await import('./verify-queue.ts');
  return QueuePool.open(queue, {
    kind: 'verify',
    title: ['umbra verify', ...paths].join(' '),
    plan: entries.map(({ path, setting, bounds }) => ({ path, setting, bounds })),
    files: textsOfTests(entries.map(({ path }) => path)),
  });
}
