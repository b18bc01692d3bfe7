/** What umbra's exit codes mean. A script may rely on them. */
export const ExitCode = {
  Ok: 0,
  /** It ran, and what it looked at is not as it should be: a difference, a failed check. */
  Failed: 1,
  /** The user's mistake: a bad option, an unreadable file. Nothing was looked at there. */
  UserMistake: 2,
  /** Of a schedule under control: the guest was killed, the host died, nobody could go on, */
  Killed: 3,
  Oops: 4,
  Deadlock: 5,
  /** or it did not end within the steps allowed. A broken invariant is Failed. */
  Livelock: 6,
  /** What was asked cannot be told from what was run: too few runs, or they differ too much. */
  NotClear: 7,
  /** Ctrl-C; what there was to say so far has been said. */
  Interrupted: 130,
  /** Umbra's own bug; the stack is on stderr. */
  Bug: 70,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
