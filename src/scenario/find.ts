/** The scenarios that come with umbra, by name. */

import { readdirSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import { UserError } from '../errors.ts';
import { didYouMean } from '../yaml/closest.ts';

/** The same place when built. */
const FOLDER = join(dirname(findPackageJSON(import.meta.url)!), 'scenarios');
const SUFFIX = '.yaml';

export const pathOf = (name: string): string => join(FOLDER, `${name}${SUFFIX}`);

/** Their names, sorted. */
export const scenarioNames = (): string[] =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .toSorted();

/** A path as it is; a bare name is that of a scenario that comes with umbra. */
export function findScenario(pathOrName: string): string {
  if (/[/\\]|\.ya?ml$/.test(pathOrName)) return pathOrName;
  const names = scenarioNames();
  if (names.includes(pathOrName)) return pathOf(pathOrName);
  throw new UserError(
    `there is no scenario '${pathOrName}'${didYouMean(pathOrName, names) || ';'} umbra run ` +
      'lists those that come with umbra; a file of your own ends in .yaml',
  );
}
