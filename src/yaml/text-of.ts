/** A text file that the user named. */

import { readFileSync } from 'node:fs';
import { UserError } from '../errors.ts';

/** What is in it; `hint` says what to name instead. Throws UserError where it cannot be read. */
export function textOf(path: string, hint: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(
      `${path} cannot be read: ${(error as NodeJS.ErrnoException).code}; ${hint}`,
    );
  }
}
