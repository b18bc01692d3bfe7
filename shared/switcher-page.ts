/** What is where in the two pages that each host CPU has in the Switcher. */

import { GDT_ENTRIES, IDT_ENTRIES } from './lg-cpu.ts';

/** `struct lguest_regs` ends the regs page: byte offset fb8, as a word index. */
export const REGS_WORD = 0xfb8 >>> 2;

/** `cpu->regs->trapnum` on the way in: no trap has this number. */
export const CANNOT_HAPPEN = 256;

const GDT = 16;
const IDT = GDT + GDT_ENTRIES * 2;

/** Word index of what a host CPU's state page holds (struct lguest_ro_state). */
export const StatePage = {
  /** The frame of the host's own page table. */
  hostCr3: 0,
  hostSp: 1,
  /** The TSS: stack for traps that go straight into the guest kernel. */
  sp1: 2,
  ss1: 3,
  gdt: GDT,
  idt: IDT,
  end: IDT + IDT_ENTRIES * 2,
} as const;
