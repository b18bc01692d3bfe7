/** What an access asks of the MMU, and how the MMU says no. */

/** The right that an access needs: its bit among the rights that the TLB keeps. */
export const Right = {
  SupervisorRead: 1 << 0,
  UserRead: 1 << 1,
  SupervisorWrite: 1 << 2,
  UserWrite: 1 << 3,
  SupervisorFetch: 1 << 4,
  UserFetch: 1 << 5,
} as const;

export type Right = (typeof Right)[keyof typeof Right];

export const ANY_USER = Right.UserRead | Right.UserWrite | Right.UserFetch;
export const ANY_WRITE = Right.SupervisorWrite | Right.UserWrite;
export const ANY_FETCH = Right.SupervisorFetch | Right.UserFetch;

/** Bits of a page fault's error code (SDM 3A 4.7). */
export const Fault = {
  /** The entry was present: rights or reserved bits are the reason. */
  Protection: 1,
  Write: 2,
  User: 4,
  Reserved: 8,
  Fetch: 16,
  /** None of the guest's: the host's own table has nothing there (nested paging). */
  Nested: 32,
} as const;

/** A translation is a word of host memory, or a fault: −1 − error code. */
export const isFault = (translation: number): boolean => translation < 0;
export const errorCodeOf = (translation: number): number => -1 - translation;
export const faultWith = (errorCode: number): number => -1 - errorCode;
