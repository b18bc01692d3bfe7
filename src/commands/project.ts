/** Which umbra this is, for figures that hang on it. */

import { spawnSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname } from 'node:path';
import type { Benchmark } from '../report/benchmark.ts';

const FILE = findPackageJSON(import.meta.url)!;

/** Of a package that lies in somebody else's repository the version alone. */
export function describeProject(): Benchmark['project'] {
  const { version } = JSON.parse(readFileSync(FILE, 'utf8')) as { readonly version: string };
  const isOurs = git('rev-parse', '--show-toplevel') === realpathSync(dirname(FILE));
  const commit = isOurs ? git('rev-parse', '--short=12', 'HEAD') : undefined;
  if (commit === undefined) return { version };
  return { version, commit, dirty: git('status', '--porcelain') !== '' };
}

/** What it says, if it is there and succeeds. */
function git(...given: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync('git', given, { cwd: dirname(FILE), encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
