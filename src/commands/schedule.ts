/**
 * How users name a schedule: by a token, by a file, a run folder or stdin with one in it, or as the
 * last.
 */

import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Argument } from '@commander-js/extra-typings';
import { UserError } from '../errors.ts';
import { subjectOf } from '../explore/find-subject.ts';
import type { Subject } from '../explore/subject.ts';
import { decodeToken, type Token } from '../explore/token.ts';
import { isWorldToken, worldNameOf } from '../explore/worlds/token.ts';
import { textOf } from '../yaml/text-of.ts';
import { lastKept } from './kept-schedules.ts';
import { group, type None, type OptionsOf } from './options.ts';

/** A schedule, and the test that it is of. */
export interface Schedule {
  readonly text: string;
  readonly token: Token;
  readonly subject: Subject;
  /** One beside it that ends as it may, as a token; if there is one. */
  readonly passing: string | undefined;
}

const WHAT = 'a token, a file with one in it (- for stdin), or the folder of --out';

/** The arguments and options of commands on one schedule. */
export const withSchedule = group((command) =>
  command
    .addArgument(new Argument('[schedule]', `${WHAT}, as umbra explore found it`))
    .option('--last', 'the last schedule that went wrong, of this folder')
    .option('--test <file>', 'the litmus test, if it was moved'),
);

type ScheduleOptions = OptionsOf<typeof withSchedule<[], None, None>>;

/** For --help. */
export const SCHEDULE_HELP =
  '\nA schedule belongs to the test that it was found with. Comments, names and reasons in ' +
  'the file ' +
  'may have changed, and the file may have moved beside the schedule or to --test.\n';

/** Throws UserError for an invalid token, or one of another test, or of one that is not found. */
export function scheduleOf(named: string | undefined, { last, test }: ScheduleOptions): Schedule {
  if (last && named !== undefined) {
    throw new UserError(`--last and ${shortened(named)} are two schedules: give one`);
  }
  if (!last && named === undefined) {
    throw new UserError(`there is no schedule to look at: give ${WHAT}, or --last`);
  }
  const { text, passing, path } = found(last ? lastOne() : named!);
  const token = decodeToken(text);
  const beside = path === undefined ? undefined : dirname(path);
  return { text, token, subject: subjectOf(token, { test, beside }), passing };
}

/** A schedule to be compared with: of a file that has two, the one that ends as it may. */
export function passingOf(named: string): string {
  const { text, passing } = found(named);
  return passing ?? text;
}

function lastOne(): string {
  if (existsSync(lastKept())) return lastKept();
  throw new UserError(
    `nothing that went wrong is kept in this folder (${lastKept()} is not there): umbra explore, ` +
      'litmus, campaign and mutants keep what they find',
  );
}

interface Found {
  readonly text: string;
  /** One beside it that ends as it may. */
  readonly passing?: string | undefined;
  /** Of the file that it was read from. */
  readonly path?: string;
}

const isToken = (text: string): boolean => /^umbra\d+\./.test(text);

function found(named: string): Found {
  if (isToken(named)) return { text: named };
  if (isWorldToken(named)) {
    throw new UserError(
      `this is a schedule of the world ${worldNameOf(named)}, whose code is yours: umbra ` +
        'replay --world FILE does it again, where FILE is the module that exports the world',
    );
  }
  if (named === '-') return from(readFileSync(0, 'utf8'), 'stdin');
  if (!existsSync(named)) {
    // Its message shows the form of a token.
    if (!/[/\\.]/.test(named)) decodeToken(named);
    throw new UserError(
      `${shortened(named)} is no token, and no such file or folder is there: give ${WHAT}`,
    );
  }
  if (!statSync(named).isDirectory())
    return { ...from(textOf(named, `give ${WHAT}`), named), path: named };
  const result = join(named, 'result.json');
  if (existsSync(result)) return from(textOf(result, `give ${WHAT}`), named);
  throw new UserError(
    `${named} is a folder without a result.json, and none of --out: give ${WHAT}`,
  );
}

/** `source`: where the text was read from. */
function from(text: string, source: string): Found {
  const result = inJson(text) ?? inText(text);
  if (result !== undefined) return result;
  throw new UserError(`${source}: there is no schedule in it: give ${WHAT}`);
}

/**
 * The token in a command's output: that of its last failure, shrunk or as found. A line may name a
 * file in which it was kept; a kept file (`isKept`) names no further one.
 */
function inText(text: string, isKept = false): Found | undefined {
  const [before, shrunk] = text.split(/^shrunk from /m).slice(-2);
  const part = shrunk ?? before!;
  const lines = Array.from(
    part.matchAll(
      /(?:^(it passes) .*\n)?(?:umbra replay (?:'([^']+)'|(\S+))|(umbra\d+\.[\w-]+))/gm,
    ),
    ([, passes, quoted, plain, token]) => ({ passes, named: (quoted ?? plain ?? token)! }),
  ).flatMap(({ passes, named }) => {
    if (isToken(named)) return [{ passes, text: named }];
    if (isKept || !existsSync(named)) return [];
    const kept = inText(textOf(named, ''), true);
    return kept === undefined ? [] : [{ passes, ...kept }];
  });
  const failing = lines.find(({ passes }) => passes === undefined);
  const beside = lines.find(({ passes }) => passes !== undefined);
  return failing && { ...failing, ...(beside && { passing: beside.text }) };
}

/** The same for a result as JSON; undefined for anything else, or without a failure. */
function inJson(text: string): Found | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const tokens = new Map(tokensIn(value, ''));
  const paths = [...tokens.keys()];
  const path =
    paths.find((one) => one.endsWith('shrunk.token')) ??
    paths.find((one) => !/passing\.|races\./.test(one)) ??
    paths[0];
  if (path === undefined) return undefined;
  return { text: tokens.get(path)!, passing: tokens.get(path.replace(/token$/, 'passing.token')) };
}

/** Every token of a value, with its path. */
function* tokensIn(value: unknown, path: string): Generator<[string, string]> {
  if (typeof value === 'string' && /^umbra\d+\.[\w-]+$/.test(value)) yield [path, value];
  if (typeof value !== 'object' || value === null) return;
  for (const [key, part] of Object.entries(value)) yield* tokensIn(part, `${path}.${key}`);
}

const shortened = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);
