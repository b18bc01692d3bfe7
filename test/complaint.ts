/** Errors thrown at invalid input, for tests to assert on. */

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

/** The message of a UserError; '' if there is none. Any other error is rethrown. */
export function complaintOf(body: () => unknown): string {
  const error = errorOf(body);
  if (error !== undefined && !(error instanceof UserError)) throw error;
  return error?.message ?? '';
}
