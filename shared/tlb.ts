/**
 * A TLB as it lies in its host CPU's record, and how it is asked: by the MMU, and by the loop
 * of a guest's programs, which asks it millions of times for once that it asks the MMU.
 *
 * An entry's key is virtual page | generation, so that flushing is counting the generation up.
 */

import type { Right } from '../src/hardware/access.ts';
import type { Gva, Ptr } from '../src/hardware/address.ts';
import * as hostCpu from './host-cpu.ts';

const { TLB_ENTRIES, TLB_ENTRY_WORDS } = hostCpu;

/** The TLB does not know; negative, so that whoever asks for a word sees that it is none. */
const NOT_CACHED = -1;

/**
 * The word of host memory behind an address, or NOT_CACHED when there is no entry or not with
 * this right. By itself, on what its caller has in hand, so that a loop may keep that in
 * registers: `memory` all of it, `tlb` where the entries begin.
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
