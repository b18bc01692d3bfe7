/**
 * `umbra explore --races` and `--race N`: what races in the schedules that are run, and a search
 * for a schedule in which one of these races does harm.
 */

import { UserError } from '../errors.ts';
import { Behaviours, furtherText, type Unseen } from '../explore/behaviours.ts';
import { placeText } from '../explore/engine/source.ts';
import { readLitmus } from '../explore/litmus/read.ts';
import { type Race, RaceGatherer } from '../explore/races/gather.ts';
import { type Hunt, Hunter } from '../explore/races/hunt.ts';
import { SideTeller, type ToldSide, titleOf } from '../explore/races/tell.ts';
import { tokenOf } from '../explore/replay.ts';
import type { Result } from '../explore/result.ts';
import { type Setting, someSettingsOf } from '../explore/setting.ts';
import { STRATEGIES } from '../explore/strategies/catalogue.ts';
import { Subject } from '../explore/subject.ts';
import { Turns } from '../explore/turns.ts';
import { counted } from '../numbers.ts';
import { settingText } from '../report/litmus-setting.ts';
import { keep, keepLast } from './kept-schedules.ts';
import { Progress } from './progress.ts';
import { describeShrunk, type ShrunkReport, shrinkShown } from './shrunk.ts';
import { showProgress } from './terminal.ts';

export interface RaceOptions extends Partial<Setting> {
  /** The number of the one to be searched for harm; else all are listed. */
  readonly race?: number;
  readonly strategy: readonly string[];
  readonly runs: number;
  readonly seconds?: number;
  readonly seed: number;
  readonly shrink: boolean;
}

/** The failure of a schedule. */
export interface Failure {
  readonly ending: Result['ending'];
  readonly message: string;
  readonly token: string;
  readonly shrunk?: ShrunkReport;
}

/** For JSON. */
export interface RacesReport {
  readonly found: readonly Gathered[];
  /** In all settings, counted on: number N is the N-th. */
  readonly races: readonly RaceReport[];
  readonly hunt?: HuntReport;
}

/** The result of one setting. */
interface Gathered {
  readonly setting: Setting;
  readonly schedules: number;
  readonly distinct: number;
  readonly unseen: Unseen | null;
  /** Schedules that went wrong by themselves, and the first of them. */
  readonly wrong: number;
  readonly failure?: Failure;
}

interface RaceReport {
  readonly number: number;
  readonly setting: Setting;
  readonly kind: Race['kind'];
  readonly title: string;
  /** Schedules in which it was seen, and of them those with the second side first. */
  readonly schedules: number;
  readonly turned: number;
  readonly sides: readonly [ToldSide, ToldSide];
  /** The schedule that the sides are told from. */
  readonly ending: Result['ending'];
  readonly token: string;
}

interface HuntReport extends Pick<Hunt, 'schedules' | 'orders'> {
  readonly race: number;
  readonly harm: Failure | null;
}

interface Numbered {
  readonly number: number;
  readonly race: Race;
  readonly subject: Subject;
  readonly gatherer: RaceGatherer;
  readonly teller: SideTeller;
}

/** `isInterrupted` ends it early, with the results so far; `print` gets text as it comes. */
export async function exploreRaces(
  file: string,
  options: RaceOptions,
  isInterrupted: () => boolean,
  print: (text: string, isWrong?: boolean) => void,
): Promise<RacesReport> {
  const litmus = readLitmus(file);
  const found: Gathered[] = [];
  const all: Numbered[] = [];
  for (const setting of someSettingsOf(file, litmus, options)) {
    if (isInterrupted()) break;
    const subject = new Subject(file, litmus, setting);
    const gatherer = new RaceGatherer(subject);
    const gathered = await gather(subject, gatherer, options, isInterrupted);
    const { races } = gatherer;
    found.push(gathered);
    print(describeGathered(gathered, races.length), gathered.failure !== undefined);
    const teller = new SideTeller(subject);
    for (const race of races) {
      all.push({ number: all.length + 1, race, subject, gatherer, teller });
    }
    const listed = all.slice(all.length - races.length);
    if (options.race === undefined) for (const one of listed) print(describeRace(reportOf(one)));
    const reached = options.race !== undefined && all.length >= options.race;
    if (reached) break;
  }
  if (options.race === undefined) return { found, races: all.map(reportOf) };
  if (isInterrupted()) return { found, races: [] };
  const chosen = all[options.race - 1];
  if (chosen === undefined) throw noSuchRace(options.race, all.length);
  const report = reportOf(chosen);
  print(`\n${describeRace(report)}`);
  const hunt = await huntFor(chosen, options, isInterrupted);
  print(describeHunt(chosen, hunt), hunt.harm !== null);
  return { found, races: [report], hunt };
}

const noSuchRace = (number: number, count: number): UserError =>
  new UserError(
    `there is no race ${number}: ` +
      (count === 0
        ? 'no races were seen in these schedules'
        : `races 1 to ${count} were seen in these schedules, and --races lists them`),
  );

/** Calls `once` with one seed after the other, until it says no or there are enough. */
async function forSeeds(
  { runs, seed, seconds = Number.POSITIVE_INFINITY }: RaceOptions,
  isInterrupted: () => boolean,
  what: string,
  once: (seed: number) => boolean,
): Promise<void> {
  const start = performance.now();
  let i = 0;
  const progress = new Progress('schedules', runs);
  const turns = new Turns();
  const end = showProgress(() => `${what}: ${progress}`);
  try {
    while (i < runs && performance.now() - start < seconds * 1000 && !isInterrupted()) {
      if (!once(seed + i++)) return;
      progress.add();
      await turns.take();
    }
  } finally {
    end();
  }
}

async function gather(
  subject: Subject,
  gatherer: RaceGatherer,
  options: RaceOptions,
  isInterrupted: () => boolean,
): Promise<Gathered> {
  const behaviours = new Behaviours();
  let schedules = 0;
  let wrong = 0;
  let first: Result | undefined;
  for (const name of options.strategy) {
    const strategy = STRATEGIES[name]!();
    await forSeeds(options, isInterrupted, 'looking for races', (seed) => {
      const result = gatherer.run(strategy, seed);
      if (strategy.exhausted) return false;
      schedules++;
      behaviours.add(result.run.trace, !strategy.isListed);
      if (result.ending !== 'ok') {
        wrong++;
        first ??= result;
      }
      return true;
    });
  }
  const { setting } = subject;
  return {
    setting,
    schedules,
    distinct: behaviours.distinct,
    unseen: behaviours.unseen ?? null,
    wrong,
    ...(first && { failure: failureOf(subject, first) }),
  };
}

const failureOf = (subject: Subject, result: Result): Failure => ({
  ending: result.ending,
  message: result.message,
  token: tokenOf(subject, result),
});

async function huntFor(
  { number, race, subject, gatherer }: Numbered,
  options: RaceOptions,
  isInterrupted: () => boolean,
): Promise<HuntReport> {
  const hunter = new Hunter(subject, gatherer, race);
  let hunt: Hunt = { schedules: 0, orders: [0, 0], harm: undefined };
  await forSeeds(options, isInterrupted, 'looking for harm', (seed) => {
    hunt = hunter.run(seed);
    return hunt.harm === undefined;
  });
  const { schedules, orders, harm } = hunt;
  if (harm === undefined) return { race: number, schedules, orders, harm: null };
  const failure = failureOf(subject, harm);
  if (!options.shrink) return { race: number, schedules, orders, harm: failure };
  const shrunk = await shrinkShown(subject, harm, isInterrupted);
  return { race: number, schedules, orders, harm: { ...failure, shrunk } };
}

function reportOf({ number, race, subject, teller }: Numbered): RaceReport {
  const { kind, runs, turned, example } = race;
  return {
    number,
    setting: subject.setting,
    kind,
    title: titleOf(race),
    schedules: runs,
    turned,
    sides: teller.sides(race),
    ending: example.result.ending,
    token: tokenOf(subject, example.result),
  };
}

function describeGathered(
  { setting, schedules, distinct, unseen, wrong, failure }: Gathered,
  races: number,
): string {
  const line =
    `${settingText(setting)}: ${counted(schedules, 'schedule')}, ${distinct} of ` +
    `them different, ${counted(races, 'race')}`;
  const further = furtherText(unseen, ', drawn alike,');
  if (failure === undefined) return `${line}; nothing wrong\n${further}`;
  const { ending, message, token } = failure;
  const says = `${ending}: ${message}`;
  return `${line}; ${wrong} went wrong, the first so:\n${says}\n${keepLast({ token, says })}\n`;
}

function describeRace(report: RaceReport): string {
  const { number, title, schedules, turned, sides, ending, token } = report;
  const orders =
    turned === 0 || turned === schedules ? 'always' : `${schedules - turned} and ${turned} times`;
  const how = turned === schedules ? 'the second side first' : 'the first side first';
  const seen = `seen in ${counted(schedules, 'schedule')}`;
  const order = orders === 'always' ? `${how} in all` : `one side and the other first ${orders}`;
  const good = ending === 'ok' ? 'which ends well' : 'which goes wrong';
  const lines = [
    `${number}. ${title}, ${seen}, ${order}; for example in one ${good}:`,
    ...sides.flatMap(describeSide),
    `  ${keep({ token, says: `race ${number}: ${title}` })}`,
  ];
  return `${lines.join('\n')}\n`;
}

function describeSide(side: ToldSide): string[] {
  const { does, place, before, after, name, source, locks, column, step, operation } = side;
  const value = after === undefined ? before : `${before} -> ${after}`;
  const held = locks.length === 0 ? 'no lock' : locks.join(', ');
  return [
    `  CPU ${column} ${does} ${place}${value === '' ? '' : `: ${value}`}`,
    `    ${name}, ${source}; step ${step}, holding ${held}`,
    ...(operation === '' ? [] : [`    ${operation}`]),
  ];
}

function describeHunt({ race }: Numbered, { schedules, orders, harm }: HuntReport): string {
  const [a, b] = race.sides.map(({ where }) => placeText(where));
  const neither = schedules - orders[0] - orders[1];
  const ways = [
    `${orders[0]} of them with ${a} first`,
    `${orders[1]} with ${b} first`,
    ...(neither === 0 ? [] : [`${neither} in which the two did not meet`]),
  ].join(', ');
  if (harm === null) return `no harm in ${counted(schedules, 'schedule')}: ${ways}\n`;
  const { ending, message, token, shrunk } = harm;
  const says = `${ending}: ${message}`;
  return (
    `harm: ${says}\nafter ${counted(schedules, 'schedule')}: ${ways}\n` +
    `${keepLast({ token, says })}\n${shrunk === undefined ? '' : describeShrunk(shrunk)}`
  );
}
