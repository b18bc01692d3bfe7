/** Which vector files the user means by the paths given. */

import { readdirSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { statOf } from '../files.ts';

const NOT_A_FOLDER = 'not a folder';

export interface FoundFiles {
  /** In the order of the paths, a folder's sorted; none twice. */
  readonly files: readonly string[];
  /** One sentence for each folder that holds none, or cannot be read. */
  readonly refused: readonly string[];
}

/** The recordings that come with umbra, by their path from here. */
export const shippedVectors = (): string =>
  relative('', join(dirname(findPackageJSON(import.meta.url)!), 'test', 'vectors'));

/** A folder stands for all `*.jsonl` in and below it. Anything else is taken for a file. */
export function findVectorFiles(paths: readonly string[]): FoundFiles {
  const files = new Set<string>();
  const refused: string[] = [];
  for (const path of paths) {
    const names = namesBelow(path);
    if (names === NOT_A_FOLDER) files.add(path);
    else if (typeof names === 'string') refused.push(`${path}: ${names}`);
    else for (const name of names) files.add(join(path, name));
  }
  return { files: [...files], refused };
}

/** The vector files below a folder, or in words why there are none. */
function namesBelow(path: string): string[] | string {
  try {
    if (!statOf(path)?.isDirectory()) return NOT_A_FOLDER;
    const names = readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.jsonl'))
      .sort();
    return names.length > 0
      ? names
      : 'there is no vector file (*.jsonl) in this folder or below it';
  } catch (error) {
    return `it cannot be read (${(error as NodeJS.ErrnoException).code})`;
  }
}
