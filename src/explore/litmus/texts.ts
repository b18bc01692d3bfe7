/** Litmus tests as texts, for workers without the files. */

import { readFileSync } from 'node:fs';
import { litmusPath } from './find-files.ts';
import { parseLitmus } from './litmus.ts';
import { digestOf } from './meaning.ts';

export interface LitmusText {
  readonly path: string;
  /** Of what it means. */
  readonly digest: string;
  readonly text: string;
}

/** Each once. Throws UserError for a file that is no test. */
export const textsOfTests = (paths: readonly string[]): LitmusText[] =>
  [...new Set(paths)].map((path) => {
    const text = readFileSync(litmusPath(path), 'utf8');
    return { path, digest: digestOf(parseLitmus(text, path)), text };
  });
