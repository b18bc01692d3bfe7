/** A page of which a program writes a part: what lies between two marks. */

import { existsSync, readFileSync } from 'node:fs';
import { UserError } from '../errors.ts';
import { output } from './json-output.ts';

export interface Part {
  /** Lines of the page, above the generated part and below. */
  readonly begin: string;
  readonly end: string;
  /** The generated part. */
  readonly what: string;
}

/**
 * How to write a part of a page: between its marks, or as the whole file where there is none yet,
 * or on stdout for `-`. Asked for before the work begins; see output. Not for undefined.
 */
export function partOfPage(path: string | undefined, part: Part): (text: string) => void {
  const write = output(path, { option: '--markdown', what: part.what });
  const [before, after] = path === undefined || path === '-' ? ['', ''] : around(path, part);
  return (text) => write(`${before}${part.begin}\n\n${text}\n${part.end}\n${after}`);
}

/** The parts of a page above and below. */
function around(path: string, { begin, end, what }: Part): readonly [string, string] {
  if (!existsSync(path)) return ['', ''];
  const page = readFileSync(path, 'utf8');
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from >= 0 && to > from) return [page.slice(0, from), page.slice(to + end.length + 1)];
  throw new UserError(
    `${path}: found a file with no place for the ${what}, expected a line ${begin} and below it ` +
      `a line ${end}, or a file that is not there yet`,
  );
}
