/** Accesses as the MMU sees them: rights and fault codes. */

/** The right that an access needs: a bit of the rights in the TLB. */
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
  /** Not the guest's: a violation of the host's own table (nested paging). */
  Nested: 32,
} as const;

/** A translation is a word of host memory, or a fault: −1 − error code. */
export const isFault = (translation: number): boolean => translation < 0;
export const errorCodeOf = (translation: number): number => -1 - translation;
export const faultWith = (errorCode: number): number => -1 - errorCode;
