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

/**
 * The host died: the seed's BUG_ON fired, it followed a null pointer, or its processor could not go
 * on inside the Switcher. The code as written may do so; it is fatal to the machine.
 */
export class HostOops extends Error {
  override readonly name = 'HostOops';
  readonly kind:
    | ('BUG_ON' | 'null dereference' | 'machine check' | 'fault in the Switcher')
    /** Seen under control alone (src/explore/engine/lockdep.ts). */
    | 'lock not held';

  constructor(kind: HostOops['kind'], where: string) {
    super(`${kind} in ${where}`);
    this.kind = kind;
  }
}

/** `BUG_ON(condition)` */
export function bugOn(condition: boolean, where: string): void {
  if (condition) throw new HostOops('BUG_ON', where);
}

/** Waiting makes no sense any more: the CPU that is waited for has failed, and says how. */
export class GaveUp extends Error {
  override readonly name = 'GaveUp';

  constructor(what: string) {
    super(`${what} does not come any more: its CPU has failed`);
  }
}
