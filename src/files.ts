/** Files by the names that users give; those that are written are so whole or not at all. */

import { mkdirSync, realpathSync, renameSync, rmSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UserError } from './errors.ts';

/**
 * Undefined where there is nothing, or nothing that may be looked at: a name may be a token, or too
 * long.
 */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/**
 * There is to be a folder, and what is above it. Throws UserError. Step by step, since mkdir's own
 * `recursive` does not end where nothing can be made, as below /proc.
 */
export function makeFolder(path: string, advice?: string): void {
  const stat = statOf(path);
  if (stat?.isDirectory()) return;
  const above = dirname(resolve(path));
  if (stat === undefined && above !== resolve(path)) makeFolder(above, advice);
  try {
    mkdirSync(path);
  } catch (error) {
    if (statOf(path)?.isDirectory()) return;
    const why = `${path} cannot be made: ${(error as NodeJS.ErrnoException).code}`;
    throw new UserError(advice === undefined ? why : `${why}; ${advice}`);
  }
}

export interface WholeFile {
  /** The file to write to. */
  readonly path: string;
  /** The place, at the end of links. */
  readonly target: string;
  /** Whether `path` is the place itself: a pipe or a device, which only can be written to. */
  readonly special: boolean;
  /** It is whole: gives it its name, in place of what had it. Throws what the file system says. */
  keep(): void;
  /** It is not: leaves what there was. */
  discard(): void;
}

/**
 * A file beside `path` that is to take its name. A link stays, and what it leads to is replaced.
 */
export function wholeFile(path: string): WholeFile {
  const stat = statOf(path);
  if (stat !== undefined && !stat.isFile()) {
    return { path, target: path, special: true, keep: () => {}, discard: () => {} };
  }
  const target = stat === undefined ? path : realpathSync(path);
  const temporary = `${target}.${process.pid}.tmp`;
  return {
    path: temporary,
    target,
    special: false,
    keep: () => renameSync(temporary, target),
    discard: () => rmSync(temporary, { force: true }),
  };
}
