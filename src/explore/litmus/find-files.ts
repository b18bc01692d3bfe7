/** Which litmus tests the user means by the paths given. */

import { readdirSync, statSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { UserError } from '../../../shared/errors.ts';

/**
 * A folder stands for all `*.yaml` below it, sorted; anything else is taken for a file. None
 * twice. Throws UserError for a path where there is nothing, or no test.
 */
export const findLitmusFiles = (paths: readonly string[]): string[] => [
  ...new Set(paths.flatMap((path) => filesAt(normalize(path)))),
];

function filesAt(path: string): string[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new UserError(`${path}: there is no such file or folder`);
  if (!stat.isDirectory()) return [path];
  const found = readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => join(path, name));
  if (found.length === 0) throw new UserError(`${path}: there is no litmus test (*.yaml) below it`);
  return found;
}
