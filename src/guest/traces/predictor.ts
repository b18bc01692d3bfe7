/**
 * What a block's coder expects to come next. Programs repeat themselves: the
 * operation that followed an instruction last time mostly follows it again, at the
 * same address, at an address that moves by a constant step, or at a constant
 * distance from the data access before it. Encoder and decoder keep the same table
 * and so agree without a word being written; what is written is where it errs.
 */

/** Log2 of the slots: with fewer, the loops of a block push one another out. */
const SLOT_BITS = 14;

/**
 * The table's words: four for each slot. A slot is shared by all operations whose
 * place hashes to it; a collision costs bytes, never correctness.
 */
export const TABLE_WORDS = 4 << SLOT_BITS;

/** The operation last seen here, kind | size << 8. */
export const HEAD = 0;
/** Its address. */
export const ADDRESS = 1;
/** How far its address had moved since the time before; 0 for a fetch. */
export const STRIDE = 2;
/** How far its address lay from the data access before it. */
export const DISTANCE = 3;

/** No operation has this head, so an unused slot predicts nothing. */
const NO_HEAD = -1;

/** Empties the table. Every block starts so, since blocks are independent of one another. */
export function resetTable(table: Int32Array): void {
  table.fill(0);
  for (let slot = 0; slot < TABLE_WORDS; slot += 4) table[slot + HEAD] = NO_HEAD;
}

/** First word of the slot for what follows the instruction at `pc`. */
export function slotAfterFetch(pc: number): number {
  return (Math.imul(pc, 0x9e3779b1) >>> (32 - SLOT_BITS)) << 2;
}

/** First word of the slot for what follows anything but a fetch. */
export function slotAfterData(slot: number): number {
  return (slot + 4) & (TABLE_WORDS - 1);
}

/**
 * What one byte says of one operation. From `Known` on there are two codes for each
 * head in the block's list: address as guessed without the table, or a difference
 * from it follows. The guess: a fetch right behind the last one, a data access where
 * the last one was.
 */
export const Code = {
  /** Head as the table has it, address as the table has it and one step on. */
  Expected: 0,
  /** Head as expected; a fetch as guessed, a data access at its distance from the last one. */
  Adjacent: 1,
  /** Head as expected; a fetch differs from the guess, a data access from the table's address. */
  Differs: 2,
  Known: 3,
  /** A head beyond the list: it is in the column of data differences, a difference follows. */
  Escape: 255,
} as const;

/** Heads that a block's list can hold: two codes each between Known and Escape. */
export const MAX_HEADS = (Code.Escape - Code.Known) >> 1;

/** Whether a difference follows an operation of this code. */
export function hasDifference(code: number): boolean {
  if (code < Code.Known) return code === Code.Differs;
  return ((code - Code.Known) & 1) === 1 || code === Code.Escape;
}
