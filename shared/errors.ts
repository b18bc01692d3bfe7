/**
 * What can go wrong, sorted by whose mistake it is. A guest's mistake is neither
 * of these: it kills the guest and everybody else goes on.
 */

/**
 * A mistake in what the user gave us: one paragraph that says where it is, what
 * was found, what was expected and what to do. The command line prints the
 * message without a stack and exits with 2.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** A mistake of ours. It stops the run; the stack is part of the report. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${what}`);
}
