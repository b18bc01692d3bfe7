/** What is thrown at what was given, to be looked at. */

import { UserError } from '../src/errors.ts';

/** Undefined if nothing is thrown. */
export function errorOf(body: () => unknown): Error | undefined {
  try {
    body();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** What a user is told of a mistake; '' if there is none. Any other error is thrown on. */
export function complaintOf(body: () => unknown): string {
  const error = errorOf(body);
  if (error !== undefined && !(error instanceof UserError)) throw error;
  return error?.message ?? '';
}
