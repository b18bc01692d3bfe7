/** Which umbra this is, for figures that hang on it. */

import { spawnSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import type { Benchmark } from '../report/benchmark.ts';

const FILE = findPackageJSON(import.meta.url)!;

/** Only the version, for a package inside another repository. */
export function describeProject(root = dirname(FILE)): Benchmark['project'] {
  const file = readFileSync(join(root, 'package.json'), 'utf8');
  const { version } = JSON.parse(file) as { readonly version: string };
  const git = (...given: readonly string[]): string | undefined => saidByGit(root, given);
  const isOurs = git('rev-parse', '--show-toplevel') === realpathSync(root);
  const commit = isOurs ? git('rev-parse', '--short=12', 'HEAD') : undefined;
  if (commit === undefined) return { version };
  return { version, commit, dirty: git('status', '--porcelain') !== '' };
}

/** The output of a command, if it exists and succeeds. */
function saidByGit(cwd: string, given: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync('git', given, { cwd, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
