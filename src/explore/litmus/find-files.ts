/** Finds litmus tests, by path, or by the name of a test that comes with umbra. */

import { existsSync, readdirSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { basename, dirname, join, normalize, relative } from 'node:path';
import { UserError } from '../../errors.ts';
import { statOf } from '../../files.ts';
import { didYouMean } from '../../yaml/closest.ts';

/** The litmus tests that come with umbra, in a folder for each part; the same place when built. */
const FOLDER = join(dirname(findPackageJSON(import.meta.url)!), 'litmus');
const SUFFIX = '.yaml';

/** The name for all of them, unless there is a folder of that name. */
const ALL = basename(FOLDER);

interface Shipped {
  readonly name: string;
  /** Its folder, named after a part of the paging code. */
  readonly part: string;
  readonly path: string;
}

/** Those that come with umbra, by part and name. */
export const shippedTests = (): readonly Shipped[] =>
  testsBelow(FOLDER).map((path) => ({
    name: nameIn(path),
    part: basename(dirname(path)),
    path,
  }));

const nameIn = (path: string): string => basename(path, SUFFIX);

/**
 * Where to read a test: a path as it is; a bare name, of which there is no file, is that of a test
 * that comes with umbra.
 */
export function litmusPath(pathOrName: string): string {
  const isName = !/[/\\]|\.ya?ml$/.test(pathOrName) && !existsSync(pathOrName);
  return isName ? shippedPath(pathOrName) : pathOrName;
}

/** Of the test of that name. Throws UserError when none comes with umbra. */
function shippedPath(name: string): string {
  const found = shippedTests().find((test) => test.name === name);
  if (found === undefined) throw noneCalled(name);
  return found.path;
}

/**
 * A folder stands for all `*.yaml` below it, sorted; so does the name of a part for the tests in it
 * that come with umbra, and `litmus` for all of them. Anything else is taken for a test. None
 * twice. Throws UserError for a path where there is nothing, or no test, or that cannot be listed.
 */
export const findLitmusFiles = (paths: readonly string[]): string[] => [
  ...new Set(paths.flatMap((path) => filesAt(normalize(path)))),
];

function filesAt(path: string): string[] {
  const stat = statOf(path);
  if (stat === undefined) return shippedAs(path);
  if (!stat.isDirectory()) return [path];
  const found = testsBelow(path);
  if (found.length === 0) throw new UserError(`${path}: there is no litmus test (*.yaml) below it`);
  return found;
}

function shippedAs(name: string): string[] {
  const found = shippedTests().filter((test) => [test.name, test.part, ALL].includes(name));
  if (found.length === 0) throw noneCalled(name);
  return found.map(({ path }) => labelOf(path));
}

/** A test that comes with umbra: by its path from here, or by its name where it is elsewhere. */
export function labelOf(path: string): string {
  const fromHere = relative('', path);
  return fromHere.startsWith('..') ? nameIn(path) : fromHere;
}

function testsBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith(SUFFIX))
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    const { code, path = folder } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new UserError(
      `${path} cannot be listed (${code}): give a folder that can be read with all below it, or files`,
    );
  }
}

function noneCalled(name: string): UserError {
  if (/[/\\]|\.ya?ml$/.test(name)) {
    return new UserError(`${name}: there is no such file or folder`);
  }
  const known = shippedTests().flatMap((test) => [test.name, test.part]);
  return new UserError(
    `${name}: there is no such file or folder, and no litmus test of that name comes with umbra` +
      `${didYouMean(name, known) || '; umbra litmus lists them'}`,
  );
}
