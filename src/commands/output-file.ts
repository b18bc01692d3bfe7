/** Files that commands write: whole or not at all. */

import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from '../errors.ts';
import { statOf, wholeFile } from '../files.ts';

/**
 * How to write a file, asked for before the work begins: a place that cannot be written is
 * a UserError then, and not after everything has run. `what` it is, and `advice` on what to
 * give instead, are for that.
 */
export function outputFile(path: string, what: string, advice: string): (text: string) => void {
  const unwritable = (why: string): UserError =>
    new UserError(`${path}: the ${what} cannot be written there (${why}); ${advice}`);
  const folder = dirname(path);
  if (isFolder(path) || !isFolder(folder)) throw unwritable('no file can be there');
  const target = wholeFile(path);
  const why = target.special ? undefined : whyNothingIn(dirname(target.path));
  if (why !== undefined) throw unwritable(why);
  return (text) => {
    const file = wholeFile(path);
    try {
      writeFileSync(file.path, text);
      file.keep();
    } catch (error) {
      file.discard();
      throw unwritable(String((error as NodeJS.ErrnoException).code));
    }
  };
}

/**
 * What the system says where nothing can be made in a folder, which is tried; undefined if it can.
 */
export function whyNothingIn(folder: string): string | undefined {
  const probe = join(folder, `umbra.${process.pid}.tmp`);
  try {
    mkdirSync(probe);
    rmdirSync(probe);
    return undefined;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

const isFolder = (path: string): boolean => statOf(path)?.isDirectory() ?? false;
