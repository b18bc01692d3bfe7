/** Where `--json` and its like go: a file, or stdout for `-`. */

import { renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from '../../shared/errors.ts';

export const JSON_OPTION = [
  '--json <file>',
  'write the result as JSON too; - for JSON on stdout, and nothing else',
] as const;

/** How to write the result as JSON: as `output` says. */
export function jsonOutput(path: string | undefined): (result: unknown) => void {
  const write = output(path, { option: '--json', what: 'JSON' });
  return (result) => write(`${JSON.stringify(result, null, 2)}\n`);
}

interface Asked {
  /** By what, and for what. */
  readonly option: string;
  readonly what: string;
}

/**
 * How to write a text, asked for before the work begins: a place that cannot be
 * written is a UserError then, and not after everything has run. The file appears
 * whole or not at all. Nothing is written for undefined.
 */
export function output(path: string | undefined, asked: Asked): (text: string) => void {
  if (path === undefined) return () => {};
  if (path === '-') return (text) => process.stdout.write(text);
  const folder = dirname(path);
  if (isFolder(path) || !isFolder(folder)) throw unwritable(path, asked, 'no file can be there');
  return (text) => {
    // Only a file can be replaced whole: a pipe or a device is written to.
    const temporary = isSpecial(path) ? path : `${path}.${process.pid}.tmp`;
    try {
      writeFileSync(temporary, text);
      if (temporary !== path) renameSync(temporary, path);
    } catch (error) {
      throw unwritable(path, asked, String((error as NodeJS.ErrnoException).code));
    }
  };
}

const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

const isSpecial = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isFile() === false;

const unwritable = (path: string, { option, what }: Asked, why: string): UserError =>
  new UserError(
    `${path}: the ${what} cannot be written there (${why}); give ${option} a file in a folder that ` +
      'exists, or - for stdout',
  );
