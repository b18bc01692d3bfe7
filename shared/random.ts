/**
 * `prandom_u32` (H: new_pgdir, lib/random32.c of the time): Tausworthe's generator
 * with three words of state, taus88 of L'Ecuyer (1996). The state is in shared memory
 * and belongs to one vCPU, so that its numbers do not depend on placement.
 */

import type { Ptr } from '../src/hardware/address.ts';
import { toPtr } from '../src/hardware/address.ts';
import type { Words } from './words.ts';

export function seedRandom(words: Words, state: Ptr, seed: number, stream: number): void {
  let x = (seed ^ Math.imul(stream + 1, 0x9e37_79b9)) >>> 0;
  for (let i = 0; i < 3; i++) {
    x = (Math.imul(x, 69069) + 1) >>> 0;
    // Each part needs a state of at least 2, 8 and 16.
    words.poke(toPtr(state + i), (x | 0x100) >>> 0);
  }
  for (let i = 0; i < 10; i++) prandomU32(words, state);
}

/** 0 … 2^32 − 1 */
export function prandomU32(words: Words, state: Ptr): number {
  const step = (i: number, a: number, b: number, mask: number, d: number): number => {
    const s = words.peek(toPtr(state + i));
    const next = (((s & mask) << d) ^ (((s << a) ^ s) >>> b)) >>> 0;
    words.poke(toPtr(state + i), next);
    return next;
  };
  const a = step(0, 13, 19, 0xffff_fffe, 12);
  const b = step(1, 2, 25, 0xffff_fff8, 4);
  const c = step(2, 3, 11, 0xffff_fff0, 17);
  return (a ^ b ^ c) >>> 0;
}
