/** The guest kernel's own end. */

import { Hypercall } from '../../../shared/hypercall.ts';
import type { KernelContext } from './context.ts';
import { PANIC_TEXT } from './layout.ts';

/** Texts of at most 63 bytes. */
const TEXT_BYTES = 64;

export function storeText(k: KernelContext, pa: number, text: string): void {
  const bytes = new DataView(new ArrayBuffer(TEXT_BYTES));
  for (let i = 0; i < text.length; i++) bytes.setUint8(i, text.charCodeAt(i));
  const words = Array.from({ length: TEXT_BYTES / 4 }, (_, i) => bytes.getUint32(i * 4, true));
  k.storeBlock(k.va(pa), words);
}

/** `lguest_panic`: the host takes the text as the reason of death. Does not return. */
export function panic(k: KernelContext, why: string): never {
  storeText(k, PANIC_TEXT, `Kernel panic - ${why}`.slice(0, TEXT_BYTES - 1));
  for (;;) k.hypercall(Hypercall.Shutdown, PANIC_TEXT);
}
