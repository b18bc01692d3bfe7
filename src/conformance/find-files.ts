/** Which vector files the user means by the paths given. */

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface FoundFiles {
  /** In the order of the paths, a folder's sorted; none twice. */
  readonly files: readonly string[];
  /** One sentence for each folder that holds none. */
  readonly refused: readonly string[];
}

/** A folder stands for all `*.jsonl` in and below it. Anything else is taken for a file. */
export function findVectorFiles(paths: readonly string[]): FoundFiles {
  const files = new Set<string>();
  const refused: string[] = [];
  for (const path of paths) {
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
      files.add(path);
      continue;
    }
    const names = readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.jsonl'))
      .sort();
    if (names.length === 0) {
      refused.push(`${path}: there is no vector file (*.jsonl) in this folder or below it`);
    }
    for (const name of names) files.add(join(path, name));
  }
  return { files: [...files], refused };
}
