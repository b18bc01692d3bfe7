/** The report of a campaign: as data, and as text. A function of its ledger alone. */

import type { Shard } from '../../ledger.ts';
import { counted, formatChance, grouped } from '../../numbers.ts';
import { settingText } from '../../report/litmus-setting.ts';
import { tableText } from '../../report/text-table.ts';
import { type Unseen, unseenOf } from '../behaviours.ts';
import type { Setting } from '../setting.ts';
import { LISTED_STRATEGIES, STRATEGIES } from '../strategies/catalogue.ts';
import { type Bound, depthOf, formatMissed, pctBound } from './bound.ts';
import type { CampaignLedger, FailureRow, Group } from './ledger.ts';
import type { Plan } from './plan.ts';

export interface CampaignReport extends Pick<Plan, 'engine' | 'seed' | 'runs' | 'strategies'> {
  readonly schema_version: 1;
  readonly shard: Shard;
  readonly units: { readonly done: number; readonly all: number };
  readonly schedules: number;
  /** How many different behaviours they showed. */
  readonly distinct: number;
  readonly failures: number;
  readonly tests: readonly TestReport[];
}

interface TestReport {
  readonly path: string;
  readonly name: string;
  readonly settings: readonly SettingReport[];
}

interface SettingReport extends Setting {
  readonly schedules: number;
  readonly distinct: number;
  /** The chance that a further schedule shows a new behaviour; null if none was drawn. */
  readonly unseen: Unseen | null;
  readonly failures: number;
  readonly first_failures: readonly Omit<FailureRow, 'subject'>[];
  /** The n and the k of PCT's bound: actors, and the most steps of a schedule. */
  readonly actors: number;
  readonly most_steps: number;
  readonly strategies: readonly StrategyReport[];
}

interface StrategyReport {
  readonly strategy: string;
  readonly schedules: number;
  readonly steps: number;
  readonly failures: number;
  /** Of PCT: for bugs of that depth. */
  readonly bound?: Bound & { readonly depth: number; readonly schedules: number };
  /**
   * For a strategy that enumerates schedules by preemptions: the bound up to which all were run, −1
   * if not even those without, and the one with which some were; without `some_with` all were run.
   */
  readonly reached?: { readonly all_to: number; readonly some_with?: number };
}

/** Failures of a setting that are reported. */
const MOST_FAILURES = 3;

export function reportOf(ledger: CampaignLedger): CampaignReport {
  const { plan, shard } = ledger;
  const groups = Map.groupBy(ledger.groups(), ({ subject }) => subject);
  const failures = Map.groupBy(ledger.failures(MOST_FAILURES), ({ subject }) => subject);
  const behaviours = ledger.behaviours(LISTED_STRATEGIES);
  const tests = new Map<string, { path: string; name: string; settings: SettingReport[] }>();
  for (const [i, { path, name, setting }] of plan.subjects.entries()) {
    const test = tests.get(path) ?? { path, name, settings: [] };
    tests.set(path, test);
    const ofThis = groups.get(i) ?? [];
    const actors = Math.max(0, ...ofThis.map((group) => group.actors));
    const most = Math.max(0, ...ofThis.map((group) => group.most_steps));
    const drawn = sum(
      ofThis.filter(({ strategy }) => !LISTED_STRATEGIES.includes(strategy)),
      ({ schedules }) => schedules,
    );
    test.settings.push({
      ...setting,
      schedules: sum(ofThis, ({ schedules }) => schedules),
      distinct: behaviours.get(i)?.all_of_them ?? 0,
      unseen: unseenOf(drawn, behaviours.get(i)?.once ?? 0, behaviours.get(i)?.twice ?? 0) ?? null,
      failures: sum(ofThis, (group) => group.failures),
      first_failures: (failures.get(i) ?? []).map(({ subject: _, ...failure }) => failure),
      actors,
      most_steps: most,
      strategies: ofThis.map((group) => strategyReport(group, actors, most)),
    });
  }
  const all = ledger.units().length;
  const settings = [...tests.values()].flatMap((test) => test.settings);
  const { engine, seed, runs, strategies } = plan;
  return {
    schema_version: 1,
    engine,
    seed,
    runs,
    strategies,
    shard,
    units: { done: all - ledger.unitsLeft().length, all },
    schedules: sum(settings, ({ schedules }) => schedules),
    distinct: sum(settings, (setting) => setting.distinct),
    failures: sum(settings, (setting) => setting.failures),
    tests: [...tests.values()],
  };
}

function strategyReport(group: Group, actors: number, mostSteps: number): StrategyReport {
  const { strategy, schedules, steps, failures, bounded, preemptions } = group;
  const report = { strategy, schedules, steps, failures };
  const depth = depthOf(strategy);
  if (depth !== undefined) {
    const bound = pctBound(depth, actors, mostSteps, bounded);
    return { ...report, bound: { depth, schedules: bounded, ...bound } };
  }
  const { bound: most } = STRATEGIES[strategy]!();
  if (most === undefined) return report;
  if (group.exhausted === 1) return { ...report, reached: { all_to: most } };
  return { ...report, reached: { all_to: preemptions - 1, some_with: preemptions } };
}

const sum = <T>(all: readonly T[], of: (one: T) => number): number =>
  all.reduce((n, one) => n + of(one), 0);

export interface Format {
  /** The command that replays a failure. */
  replay(failure: { readonly token: string; readonly says: string }): string;
  /** Only what went wrong. */
  readonly quiet?: boolean | undefined;
  /** How wide tables may be. */
  readonly columns?: number | undefined;
}

export function formatReport(report: CampaignReport, format: Format): string {
  const { shard, units, schedules, distinct, failures } = report;
  const part = shard.of > 1 ? `shard ${shard.index}/${shard.of}: ` : '';
  const wrong = failures === 0 ? 'nothing wrong' : `${grouped(failures)} went wrong`;
  const total =
    `${part}${counted(schedules, 'schedule')}, ${grouped(distinct)} of them different, ${wrong}` +
    `${units.done < units.all ? `; ${units.done} of ${counted(units.all, 'unit')} done` : ''}\n`;
  if (format.quiet) {
    const wrong = report.tests.flatMap(({ path, settings }) => {
      const told = formatFailures(settings, format);
      return told === '' ? [] : [`${path}\n${told}`];
    });
    return [...wrong, total].join('\n');
  }
  const begun = report.tests.flatMap(({ settings, ...test }): TestReport[] => {
    const some = settings.filter((setting) => setting.schedules > 0);
    return some.length > 0 ? [{ ...test, settings: some }] : [];
  });
  return [...begun.map((test) => formatTest(test, format)), ...legend(report), total].join('\n');
}

function formatTest({ path, name, settings }: TestReport, format: Format): string {
  const depths = depthsOf(settings);
  const lists = listsOf(settings.flatMap(({ strategies }) => strategies));
  const head = [
    ...['', 'schedules', 'different', 'unseen', 'failed', 'n', 'k'],
    ...depths.map((depth) => `missed d=${depth}`),
    ...lists,
  ];
  const rows = settings.map((setting) => {
    const { strategies } = setting;
    const bounds = depths.map((depth) => strategies.find(({ bound }) => bound?.depth === depth));
    const listed = lists.map((name) => strategies.find(({ strategy }) => strategy === name));
    const numbers = [setting.failures, setting.actors, setting.most_steps];
    return [
      ...[settingText(setting), grouped(setting.schedules), grouped(setting.distinct)],
      ...[setting.unseen === null ? '–' : formatChance(setting.unseen), ...numbers.map(grouped)],
      ...bounds.map((found) => (found?.bound === undefined ? '–' : formatMissed(found.bound))),
      ...listed.map((found) => (found?.reached === undefined ? '–' : formatReached(found))),
    ];
  });
  const table = tableText({ head, rows }, { columns: format.columns });
  return `${path}: ${name}\n${table}\n${formatFailures(settings, format)}`;
}

/** The first failures of a test, and how many more there are; nothing if there are none. */
function formatFailures(settings: readonly SettingReport[], { replay }: Format): string {
  const told = settings
    .flatMap((setting) => setting.first_failures.map((failure) => ({ setting, ...failure })))
    .slice(0, MOST_FAILURES)
    .map(({ setting, ending, message, token }) => {
      const says = `${settingText(setting)}: ${ending}: ${message}`;
      return `${says}\n${replay({ token, says })}\n`;
    });
  const more = sum(settings, ({ failures }) => failures) - told.length;
  const rest = more > 0 ? `and ${grouped(more)} more\n` : '';
  return `${told.join('')}${rest}`;
}

const depthsOf = (settings: readonly SettingReport[]): number[] =>
  [
    ...new Set(
      settings.flatMap(({ strategies }) => strategies.flatMap(({ bound }) => bound?.depth ?? [])),
    ),
  ].toSorted();

/** Strategies that enumerate their schedules, each once. */
const listsOf = (strategies: readonly StrategyReport[]): string[] => [
  ...new Set(strategies.flatMap(({ strategy, reached }) => (reached ? [strategy] : []))),
];

function formatReached({ schedules, reached }: StrategyReport): string {
  const { all_to, some_with } = reached!;
  if (some_with === undefined) return `all ${grouped(schedules)}`;
  return all_to < 0 ? `some ≤ ${some_with}` : `all ≤ ${all_to}, some ${some_with}`;
}

/** For strategies that enumerate their schedules. */
const LISTED: Readonly<Record<string, readonly string[]>> = {
  sweep: [
    'sweep: which of its listed schedules were run, by preemptions: all, or some; `all N`: ' +
      'the whole list.',
    'There are others: it preempts only where accesses conflict, and others then do whole ' +
      'operations.',
  ],
  fewest: [
    'fewest: which schedules were run, by preemptions: all, or some; `all N`: all up to its bound.',
    'An act of hardware counts as one, and so does a forced switch to another than the next CPU.',
  ],
};

/** What the columns say, and what they do not. */
function legend({ tests }: CampaignReport): string[] {
  const strategies = tests.flatMap((test) => test.settings.flatMap((s) => s.strategies));
  const has = (kind: (one: StrategyReport) => unknown): boolean => strategies.some(kind);
  const silent = [
    ...new Set(
      strategies.filter(({ bound, reached }) => !bound && !reached).map((s) => s.strategy),
    ),
  ];
  const isDrawn = tests.some((test) => test.settings.some(({ unseen }) => unseen !== null));
  const lines = [
    ...(isDrawn
      ? [
          'different: schedules with a new order of conflicting accesses. unseen: the chance ' +
            'that one more',
          'schedule of the same strategies shows a new order (Good–Turing, 95 %). It ' +
            'describes the strategies,',
          'and is no share of all behaviours: there may be many that they hardly ever show.',
        ]
      : []),
    ...(has(({ bound }) => bound)
      ? [
          'missed: an upper bound of the chance that all schedules of pct-d miss a bug of depth d,',
          '(1 − 1/(n·k^(d−1)))^r: n CPUs (and store buffers, if any), k most steps of a schedule,',
          'r schedules of pct-d in which hardware does nothing by itself, which are those of ' +
            'even seeds.',
        ]
      : []),
    ...listsOf(strategies).flatMap((name) => LISTED[name]!),
    ...(silent.length > 0
      ? [
          `${silent.join(', ')}: no bound is known on what ${silent.length > 1 ? 'these' : 'it'} missed.`,
        ]
      : []),
  ];
  return lines.length > 0 ? [`${lines.join('\n')}\n`] : [];
}
