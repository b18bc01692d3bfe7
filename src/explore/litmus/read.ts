/** Litmus tests that are in files. */

import { textOf } from '../../yaml/text-of.ts';
import { litmusPath } from './find-files.ts';
import { type Litmus, parseLitmus } from './litmus.ts';

/**
 * A path, or the name of a test that comes with umbra. Throws UserError with every mistake of the
 * file, one a line.
 */
export function readLitmus(pathOrName: string): Litmus {
  const path = litmusPath(pathOrName);
  return parseLitmus(textOf(path, HINT), path);
}

const HINT =
  'give a litmus test: a file, or the name of one that comes with umbra (umbra litmus lists them)';
