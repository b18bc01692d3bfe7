/** umbra's exit codes. Scripts may rely on them. */
export const ExitCode = {
  Ok: 0,
  /** It ran, and found a difference or a failed check. */
  Failed: 1,
  /** The user's mistake: a bad option, an unreadable file. Nothing was run. */
  UserMistake: 2,
  /** Of a schedule under control: the guest was killed, the host died, nobody could go on, */
  Killed: 3,
  Oops: 4,
  Deadlock: 5,
  /** or it did not end within the steps allowed. A broken invariant is Failed. */
  Livelock: 6,
  /** The question cannot be answered: too few runs, or they differ too much. */
  NotClear: 7,
  /** Ctrl-C; the results so far were printed. */
  Interrupted: 130,
  /** Umbra's own bug; the stack is on stderr. */
  Bug: 70,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
