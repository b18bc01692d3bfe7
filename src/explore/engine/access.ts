/** Kinds of access to a shared word, for digests, stories and strategies. */

export const Access = {
  /** As hardware loads and stores; the others are locked, or sequentially consistent. */
  Read: 1,
  Write: 2,
  Load: 3,
  Store: 4,
  Exchange: 5,
  CompareExchange: 6,
  Add: 7,
  And: 8,
  Or: 9,
  /** Of many words at once, that count as one step. */
  Scan: 10,
  Fill: 11,
  Copy: 12,
  /** Hardware's own: a store leaves its buffer, a TLB entry is dropped, a vCPU interrupted. */
  Drain: 13,
  Evict: 14,
  Move: 15,
} as const;

export type Access = (typeof Access)[keyof typeof Access];

/** Whether it leaves the word as it is. */
export const onlyReads = (kind: Access): boolean =>
  kind === Access.Read || kind === Access.Load || kind === Access.Scan;

/** Whether it waits until the CPU's own stores are in memory. */
export const isLocked = (kind: Access): boolean => kind >= Access.Store && kind !== Access.Scan;
