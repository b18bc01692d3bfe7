/** Interrupt gates, as two words (SDM 3A 6.11). */

export const gateAddress = (low: number, high: number): number =>
  ((high & 0xffff_0000) | (low & 0xffff)) >>> 0;

export const isPresentGate = (high: number): boolean => (high & 0x8000) !== 0;

/** 0xe is an interrupt gate, 0xf a trap gate. */
export const gateType = (high: number): number => (high >>> 8) & 0xf;
