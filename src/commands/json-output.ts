/** Where `--json` goes: a file, or stdout for `-`. */

import { renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from '../../shared/errors.ts';

export const JSON_OPTION = [
  '--json <file>',
  'write the result as JSON too; - for JSON on stdout, and nothing else',
] as const;

/**
 * How to write the result, asked for before the work begins: a place that cannot be
 * written is a UserError then, and not after everything has run. The file appears
 * whole or not at all.
 */
export function jsonOutput(path: string | undefined): (result: unknown) => void {
  if (path === undefined) return () => {};
  if (path === '-') return (result) => process.stdout.write(toText(result));
  const folder = dirname(path);
  if (isFolder(path) || !isFolder(folder)) throw unwritable(path, 'no file can be there');
  return (result) => {
    // Only a file can be replaced whole: a pipe or a device is written to.
    const temporary = isSpecial(path) ? path : `${path}.${process.pid}.tmp`;
    try {
      writeFileSync(temporary, toText(result));
      if (temporary !== path) renameSync(temporary, path);
    } catch (error) {
      throw unwritable(path, String((error as NodeJS.ErrnoException).code));
    }
  };
}

const toText = (result: unknown): string => `${JSON.stringify(result, null, 2)}\n`;

const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

const isSpecial = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isFile() === false;

const unwritable = (path: string, why: string): UserError =>
  new UserError(
    `${path}: the JSON cannot be written there (${why}); give --json a file in a folder that ` +
      'exists, or - for stdout',
  );
