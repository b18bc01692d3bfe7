/** Finds the test of a token, where it was or where it is now. */

import { existsSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { UserError } from '../errors.ts';
import { labelOf, shippedTests } from './litmus/find-files.ts';
import { parseLitmus } from './litmus/litmus.ts';
import { digestOf } from './litmus/meaning.ts';
import { readLitmus } from './litmus/read.ts';
import { Subject } from './subject.ts';
import type { Token } from './token.ts';

export interface Places {
  /** The file that the user says it is in. */
  readonly test?: string | undefined;
  /** A folder in which it may be. */
  readonly beside?: string | undefined;
  /** The text of the file that the token names, if that is elsewhere. */
  readonly text?: string;
}

/** Throws UserError if the test is not found or has changed, or the token does not fit it. */
export function subjectOf(token: Token, places: Places = {}): Subject {
  const { paging, discipline, defects, memory, abridged, betweenSteps, kept, mostSteps } = token;
  const setting = { paging, discipline, defects, memory, abridged, betweenSteps };
  const { text } = places;
  const candidates = text === undefined ? candidatesFor(token, places) : [token.file];
  for (const path of candidates) {
    const litmus = text === undefined ? readLitmus(path) : parseLitmus(text, path);
    if (digestOf(litmus) !== token.digest) continue;
    return new Subject(path, litmus, setting, kept, mostSteps);
  }
  const [first] = candidates;
  if (first !== undefined) {
    throw new UserError(
      places.test === undefined
        ? `${first} has changed since the token was printed: explore it again, or give the file ` +
            'as it was with --test'
        : `${first} is not the test that the token was printed of, or has changed since`,
    );
  }
  throw new UserError(
    `${token.file}, the test that the token is of, is not there: say with --test FILE where it is`,
  );
}

/** Files that may hold it, or names of tests that come with umbra; the likeliest first. */
function candidatesFor({ file }: Token, { test, beside }: Places): readonly string[] {
  if (test !== undefined) return [test];
  const near = [file, ...(beside === undefined ? [] : [join(beside, basename(file))])];
  const shipped = shippedTests().filter(({ name }) => name === basename(file, extname(file)));
  return [...near.filter((path) => existsSync(path)), ...shipped.map(({ path }) => labelOf(path))];
}
