/**
 * Schedules that went wrong are kept as files in the working folder, each with its token, so that
 * the line which does one again is short. The last one is also what --last stands for.
 */

import { createHash } from 'node:crypto';
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { UserError } from '../errors.ts';
import { decodeToken, type Token } from '../explore/token.ts';
import { makeFolder } from '../files.ts';
import { settingText } from '../report/litmus-setting.ts';
import { outputFile } from './output-file.ts';

/** Where they are kept; `UMBRA_STATE` names another place, or none if it is empty. */
const FOLDER = '.umbra';

const folder = (): string => process.env['UMBRA_STATE'] ?? FOLDER;

/** The last schedule that went wrong. */
export const lastKept = (): string => join(folder(), 'last.txt');

/** More than one looks back at; the oldest go. */
const MOST_KEPT = 500;

const KEPT_NAME = /-[0-9a-f]{6}\.txt$/;

interface Told {
  readonly token: string;
  /** How it ends, in words. */
  readonly says: string;
  /** One of the same operations that ends as it may. */
  readonly passing?: { readonly token: string; readonly difference: string } | undefined;
}

/** Keep the last schedule that went wrong. Returns the command that does it again. */
export const keepLast = (told: Told): string => keep(told, true);

/**
 * Keep another schedule. Returns the command that does it again; with its token, if it cannot be
 * kept.
 */
export function keep(told: Told, isLast = false): string {
  const path = folder() === '' ? undefined : keptAt(told, isLast);
  return replayLine(path ?? told.token);
}

/** As it is pasted into a shell. */
const replayLine = (schedule: string): string =>
  `umbra replay ${/^[\w./-]+$/.test(schedule) ? schedule : `'${schedule.replaceAll("'", "'\\''")}'`}`;

/** Undefined where nothing can be written: it is a convenience, and no reason to fail. */
function keptAt({ token: text, says, passing }: Told, isLast: boolean): string | undefined {
  const token = decodeToken(text);
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 6);
  const name = basename(token.file, extname(token.file)).replaceAll(/[^\w.-]+/g, '-');
  const path = join(folder(), `${name}-${digest}.txt`);
  const beside =
    passing === undefined
      ? ''
      : `\nit passes ${passing.difference}\numbra replay ${passing.token}\n`;
  const content = `${titleOf(token)}\n${says}\numbra replay ${text}\n${beside}`;
  try {
    prepare();
    for (const file of isLast ? [path, lastKept()] : [path])
      outputFile(file, 'schedule', '')(content);
    prune();
    return path;
  } catch (error) {
    if (error instanceof UserError || (error as NodeJS.ErrnoException).code !== undefined) {
      return undefined;
    }
    throw error;
  }
}

/** Which test, in which setting. */
export const titleOf = (token: Token): string => `${token.file} (${settingText(token)})`;

/** The folder is there, and git does not see it, whose clone it may be in. */
function prepare(): void {
  makeFolder(folder());
  if (statSync(join(folder(), '.gitignore'), { throwIfNoEntry: false }) === undefined) {
    writeFileSync(join(folder(), '.gitignore'), '*\n');
  }
}

function prune(): void {
  const kept = readdirSync(folder()).filter((name) => KEPT_NAME.test(name));
  if (kept.length <= MOST_KEPT) return;
  const byAge = kept
    .map((name) => join(folder(), name))
    .map((path) => ({ path, at: statSync(path).mtimeMs }))
    .toSorted((a, b) => a.at - b.at);
  for (const { path } of byAge.slice(0, kept.length - MOST_KEPT)) rmSync(path, { force: true });
}
