/** Vector files with one change. */

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const VECTORS = 'test/vectors';

export const linesOf = (path: string): string[] => readFileSync(path, 'utf8').trimEnd().split('\n');

/** A file with these lines while `act` runs. */
export function withFile<T>(lines: readonly string[], act: (path: string) => T): T {
  const path = join(tmpdir(), `umbra-${process.pid}-${Math.trunc(process.uptime() * 1e6)}.jsonl`);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  try {
    return act(path);
  } finally {
    rmSync(path);
  }
}
