/**
 * A TLB in its host CPU's record, and its look-up: by the MMU, and by the loop of a guest's
 * programs, which looks up millions of times for each call of the MMU.
 *
 * An entry's key is virtual page | generation, so a flush increments the generation.
 */

import type { Right } from '../src/hardware/access.ts';
import type { Gva, Ptr } from '../src/hardware/address.ts';
import * as hostCpu from './host-cpu.ts';

const { TLB_ENTRIES, TLB_ENTRY_WORDS } = hostCpu;

/** A TLB miss; negative, so that it cannot be taken for a word. */
const NOT_CACHED = -1;

/**
 * The word of host memory behind an address, or NOT_CACHED if there is no entry with this right.
 * A function of its arguments alone, so that a loop may keep them in registers: `memory` is all of
 * it, `tlb` where the entries begin.
 */
export function lookUp(
  memory: Uint32Array,
  tlb: Ptr,
  generation: number,
  va: Gva,
  right: Right,
): number {
  const entry = tlb + ((va >>> 12) & (TLB_ENTRIES - 1)) * TLB_ENTRY_WORDS;
  const found = memory[entry + 1]!;
  return memory[entry] === ((va & -4096) | generation) >>> 0 && found & right
    ? ((found >>> 12) << 10) | ((va & 4095) >>> 2)
    : NOT_CACHED;
}
