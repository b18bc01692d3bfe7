/** The report of `umbra verify`, as data and in words. */

import type { DefectId } from '../defects.ts';
import type { MemoryModel } from '../explore/engine/run-mode.ts';
import type { Ending } from '../explore/result.ts';
import { ENGINE_VERSION } from '../explore/token.ts';
import type { Met } from '../explore/verify/outcomes.ts';
import { type Entry, guessOf, tokenOf } from '../explore/verify/verification.ts';
import { counted, grouped, significant } from '../numbers.ts';
import type { Benchmark } from '../report/benchmark.ts';
import { settingText } from '../report/litmus-setting.ts';
import { tableText } from '../report/text-table.ts';
import { keep } from './kept-schedules.ts';
import { describeProject } from './project.ts';
import { tableColumns } from './terminal.ts';

export interface Report {
  readonly schema_version: 1;
  readonly engine: number;
  /** Which version of the code was verified. */
  readonly project: Benchmark['project'];
  readonly tests: readonly TestReport[];
}

export interface TestReport {
  readonly file: string;
  readonly name: string;
  readonly discipline: string;
  readonly paging: string;
  readonly memory: MemoryModel;
  readonly defects: readonly DefectId[];
  /** Acts of hardware in a run, at most. */
  readonly acts: number;
  /** Invariants were checked between steps, too. */
  readonly between_steps: boolean;
  /** Preemptions up to which all were run, −1 if not even without; null if there was no bound. */
  readonly bound: number | null;
  /** All that were asked for were run. */
  readonly complete: boolean;
  readonly classes: number;
  /** Those with at most `bound` preemptions; null if there was no bound. */
  readonly within_bound: number | null;
  /** Runs left in the middle, since the rest was done before; null with a bound. */
  readonly blocked: number | null;
  /** How many there may be, if not all were run; null if nothing is known. */
  readonly guess: number | null;
  readonly seconds: number;
  readonly outcomes: readonly OutcomeReport[];
}

interface OutcomeReport {
  readonly ending: Ending;
  /** By its number in the file; null if none holds, or the run was cut short. */
  readonly outcome: number | null;
  readonly is: string;
  readonly when: string;
  readonly message: string;
  readonly classes: number;
  /** The fewest by which it is met; only with a bound. */
  readonly preemptions?: number;
  readonly token: string;
}

export const reportOf = (entries: readonly Entry[]): Report => ({
  schema_version: 1,
  engine: ENGINE_VERSION,
  project: describeProject(),
  tests: entries.filter(isWanted).map(testOf),
});

/** Without fallback entries that were not needed. */
export const isWanted = ({ insteadOf }: Entry): boolean => !insteadOf?.frontier.isDone;

export function testOf(entry: Entry): TestReport {
  const { path, litmus, setting, bounds, frontier } = entry;
  const { classes, blocked, seconds } = frontier.totals;
  const { discipline, paging, defects, memory = 'sc' } = setting;
  const complete = frontier.isDone;
  return {
    file: path,
    name: litmus.name,
    discipline,
    paging,
    memory,
    defects,
    acts: bounds?.acts ?? 0,
    between_steps: setting.betweenSteps ?? false,
    complete,
    bound: frontier.bound,
    classes,
    within_bound: frontier.within,
    blocked: bounds === undefined ? blocked : null,
    guess: complete ? null : (guessOf(entry) ?? null),
    seconds,
    outcomes: frontier.met.map((met) => outcomeOf(entry, met)),
  };
}

function outcomeOf(entry: Entry, met: Met): OutcomeReport {
  const { ending, outcome, message, classes, preemptions } = met;
  const declared = outcome === null ? undefined : entry.litmus.outcomes[outcome];
  return {
    ending,
    outcome,
    message,
    classes,
    is: declared?.is ?? 'undeclared',
    when: declared?.text ?? '',
    ...(preemptions !== undefined && { preemptions }),
    token: tokenOf(entry, met),
  };
}

/** Two digits say enough of a guess. */
export const rounded = (n: number): string => grouped(significant(n, 2));

export function describe(test: TestReport): string {
  const { file, name, discipline, paging, defects, outcomes } = test;
  const setting = settingText({ discipline, paging, defects });
  const columns = test.bound === null ? [] : ['preemptions'];
  const rows = outcomes.map(({ classes, ending, is, when, message, preemptions }) => [
    grouped(classes),
    ending === 'ok' ? is : ending,
    ending === 'ok' ? when : message,
    ...(test.bound === null ? [] : [`${preemptions}`]),
  ]);
  const table = tableText(
    { head: ['count', '', 'when', ...columns], align: ['right', 'left', 'left'], rows },
    { columns: tableColumns() },
  );
  const wrong = outcomes
    .filter(({ ending }) => ending !== 'ok')
    .map(({ token, ending, message }) => keep({ token, says: `${ending}: ${message}` }, true));
  const alike = wrong.length === 0 ? '' : `${ALIKE}\n`;
  return (
    `${file}: ${name} (${setting})\n${sentence(test)}\n` +
    `${rows.length === 0 ? '' : `${table}\n`}${alike}${wrong.map((line) => `${line}\n`).join('')}\n`
  );
}

const ALIKE = 'Failures that differ in numbers alone are counted as one.';

const MODELS: Readonly<Record<MemoryModel, string>> = {
  sc: 'sequential consistency',
  tso: 'store buffers (x86-TSO)',
};

/** Under which memory model, with how many acts of hardware, and whether between steps. */
export function conditionsOf({ memory, acts, between_steps }: TestReport): string {
  const most = `at most ${acts} ${acts === 1 ? 'act' : 'acts'} of hardware`;
  const looked = between_steps ? ', invariants between steps, too' : '';
  return `${MODELS[memory]}, ${acts === 0 ? 'no acts of hardware' : most}${looked}`;
}

/** What was run, and what was not. */
function sentence(test: TestReport): string {
  const { bound, complete, classes, within_bound, blocked, guess, seconds } = test;
  const where = conditionsOf(test);
  const time = `${seconds.toFixed(1)} s of work, engine ${ENGINE_VERSION}`;
  if (bound !== null) {
    const most = counted(bound, 'preemption');
    const more = complete ? '' : `, and ${grouped(classes - within_bound!)} with more`;
    const all =
      bound < 0
        ? `${counted(classes, 'behaviour')}, and not all that have no preemption`
        : `all behaviours with at most ${most}: ${grouped(within_bound!)}${more}`;
    return `${where}: ${all}; ${time}`;
  }
  const left = `${counted(blocked!, 'run')} left in the middle`;
  if (complete)
    return `${where}, no bound: all ${counted(classes, 'behaviour')}, each once, ${left}; ${time}`;
  const more = guess === null ? '' : ` of some ${rounded(guess)} (an estimate, mostly too low)`;
  return `${where}, no bound: ${counted(classes, 'behaviour')}${more}, not all, ${left}; ${time}`;
}
