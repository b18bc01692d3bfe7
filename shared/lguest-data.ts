/**
 * `struct lguest_data`: the page fragment that guest and host share, in guest memory.
 * The guest says where by LGUEST_INIT. The order of fields is lguest's; every field
 * is a word here, the ring's status bytes too.
 */

import { type Gpa, toGpa } from '../src/hardware/address.ts';

/** LHCALL_RING_SIZE */
export const RING_SLOTS = 64;
/** A slot's status: the host has done it, or the guest has filled it. */
export const SLOT_FREE = 0xff;
export const SLOT_READY = 0;
/** eax, ebx, ecx, edx, esi of a hypercall in the ring. */
const SLOT_WORDS = 5;

/** Byte offsets. */
const IRQ_ENABLED = 0;
const BLOCKED_INTERRUPTS = 4;
const CR2 = 8;
const IRQ_PENDING = 20;
const HCALL_STATUS = 24;
const HCALLS = HCALL_STATUS + RING_SLOTS * 4;
const RESERVE_MEM = HCALLS + RING_SLOTS * SLOT_WORDS * 4;
const KERNEL_ADDRESS = RESERVE_MEM + 16;
const SYSCALL_VEC = KERNEL_ADDRESS + 4;
export const LGUEST_DATA_BYTES = SYSCALL_VEC + 4;

/** EFLAGS.IF, which is also what irq_enabled and irq_pending hold when set. */
export const EFLAGS_IF = 0x200;

/** Guest-physical address of each field, from that of the structure. */
export const LguestData = {
  irqEnabled: (data: Gpa): Gpa => toGpa(data + IRQ_ENABLED),
  blockedInterrupts: (data: Gpa): Gpa => toGpa(data + BLOCKED_INTERRUPTS),
  cr2: (data: Gpa): Gpa => toGpa(data + CR2),
  irqPending: (data: Gpa): Gpa => toGpa(data + IRQ_PENDING),
  hcallStatus: (data: Gpa, slot: number): Gpa => toGpa(data + HCALL_STATUS + slot * 4),
  /** Argument 0 … 4 of a slot. */
  hcall: (data: Gpa, slot: number, argument: number): Gpa =>
    toGpa(data + HCALLS + (slot * SLOT_WORDS + argument) * 4),
  reserveMem: (data: Gpa): Gpa => toGpa(data + RESERVE_MEM),
  kernelAddress: (data: Gpa): Gpa => toGpa(data + KERNEL_ADDRESS),
  syscallVec: (data: Gpa): Gpa => toGpa(data + SYSCALL_VEC),
} as const;
