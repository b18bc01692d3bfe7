/** The guest kernel's own end. */

import { Hypercall } from '../../../shared/hypercall.ts';
import type { KernelContext } from './context.ts';
import { PANIC_TEXT } from './layout.ts';

/** Texts of at most 63 bytes. */
const TEXT_BYTES = 64;

export function storeText(k: KernelContext, pa: number, text: string): void {
  const bytes = Buffer.alloc(TEXT_BYTES);
  bytes.write(text, 'latin1');
  const words = Array.from({ length: TEXT_BYTES / 4 }, (_, i) => bytes.readUInt32LE(i * 4));
  k.storeBlock(k.va(pa), words);
}

/** `lguest_panic`: the host takes the text as the reason of death. Does not return. */
export function panic(k: KernelContext, why: string): never {
  storeText(k, PANIC_TEXT, `Kernel panic - ${why}`.slice(0, TEXT_BYTES - 1));
  for (;;) k.hypercall(Hypercall.Shutdown, PANIC_TEXT);
}
