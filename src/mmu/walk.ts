/**
 * The walk of the page tables that CR3 points to, as the processor does it (SDM 3A 4.3
 * and 4.4): rights are the AND over the levels of RW and USER and the OR of NX, with
 * CR0.WP always set; ACCESSED is set in each entry used and DIRTY in the last one by
 * a locked update, which starts the walk again when the entry has changed.
 */

import type { HostCpu } from '../../shared/host-cpu.ts';
import * as hostCpu from '../../shared/host-cpu.ts';
import type { Words } from '../../shared/words.ts';
import { HostOops } from '../errors.ts';
import type { Right } from '../hardware/access.ts';
import * as access from '../hardware/access.ts';
import type { Gva, Pfn, Ptr } from '../hardware/address.ts';
import * as address from '../hardware/address.ts';
import * as entries from '../hardware/entry.ts';

const { ANY_FETCH, ANY_USER, ANY_WRITE, Fault, faultWith } = access;
const { frameStart, PAGE_SHIFT, toPtr } = address;
const { PAGE_ACCESSED, PAGE_DIRTY, PAGE_NX_HIGH, PAGE_PRESENT, PAGE_RW, PAGE_USER } = entries;
const { CR4_PAE, EFER_NXE } = hostCpu;
const { SupervisorRead, SupervisorFetch, SupervisorWrite } = access.Right;
const { UserRead, UserFetch, UserWrite } = access.Right;

/** Bits 36–62 of a PAE entry: reserved with 36 physical address bits. */
const RESERVED_HIGH = 0x7fff_fff0;
const RESERVED = Fault.Protection | Fault.Reserved;
/** Bits 1, 2 and 5–8 of a PDPTE. */
const PDPTE_RESERVED_LOW = 0x1e6;

/** A byte for each setting of RW and USER, which are bits 1 and 2: all that they allow. */
const SUPERVISOR = SupervisorRead | SupervisorFetch;
const USER = SUPERVISOR | UserRead | UserFetch;
const RIGHTS =
  SUPERVISOR |
  ((SUPERVISOR | SupervisorWrite) << 8) |
  (USER << 16) |
  ((USER | SupervisorWrite | UserWrite) << 24);

/** Restart the walk: an entry changed between reading and updating it. Not a fault's code. */
const AGAIN = -0x4000_0000;

/**
 * Translate for an access that needs `right`. The result is what the TLB keeps, frame
 * number << 12 | rights, or a fault. The right to write is granted only once DIRTY is set.
 */
export function walk(words: Words, frames: number, cpu: HostCpu, va: Gva, right: Right): number {
  for (;;) {
    const result =
      cpu.cr4 & CR4_PAE
        ? walkThreeLevels(words, frames, cpu, va, right)
        : walkTwoLevels(words, frames, cpu, va, right);
    if (result !== AGAIN) return result;
  }
}

function walkTwoLevels(words: Words, frames: number, cpu: HostCpu, va: Gva, right: Right): number {
  const pdeAt = toPtr(frameStart(cpu.cr3) + (va >>> 22));
  const pde = words.read(pdeAt);
  if (!(pde & PAGE_PRESENT)) return faultFor(right, false, 0);
  const table = frameStart(inMemory(pde >>> PAGE_SHIFT, frames));
  const pteAt = toPtr(table + ((va >>> PAGE_SHIFT) & 1023));
  const pte = words.read(pteAt);
  if (!(pte & PAGE_PRESENT)) return faultFor(right, false, 0);

  const rights = rightsOf(pde & pte, false);
  if (!(rights & right)) return faultFor(right, false, Fault.Protection);
  const dirty = right & ANY_WRITE ? PAGE_DIRTY : 0;
  if (!update(words, pdeAt, pde, PAGE_ACCESSED)) return AGAIN;
  if (!update(words, pteAt, pte, PAGE_ACCESSED | dirty)) return AGAIN;
  return cacheable(inMemory(pte >>> PAGE_SHIFT, frames), rights, pte | dirty);
}

function walkThreeLevels(
  words: Words,
  frames: number,
  cpu: HostCpu,
  va: Gva,
  right: Right,
): number {
  const nxe = (cpu.cr4 & EFER_NXE) !== 0;
  const reserved = nxe ? RESERVED_HIGH : RESERVED_HIGH | PAGE_NX_HIGH;

  const pdpte = words.peek(cpu.pdpte(va >>> 30));
  if (!(pdpte & PAGE_PRESENT)) return faultFor(right, nxe, 0);
  const middle = frameStart(inMemory(pdpte >>> PAGE_SHIFT, frames));
  const pdeAt = toPtr(middle + ((va >>> 21) & 511) * 2);
  const pde = words.read64(pdeAt);
  if (!(pde.low & PAGE_PRESENT)) return faultFor(right, nxe, 0);
  if (pde.high & reserved) return faultFor(right, nxe, RESERVED);
  const table = frameStart(inMemory(pde.low >>> PAGE_SHIFT, frames));
  const pteAt = toPtr(table + ((va >>> PAGE_SHIFT) & 511) * 2);
  const pte = words.read64(pteAt);
  if (!(pte.low & PAGE_PRESENT)) return faultFor(right, nxe, 0);
  if (pte.high & reserved) return faultFor(right, nxe, RESERVED);

  const rights = rightsOf(pde.low & pte.low, ((pde.high | pte.high) & PAGE_NX_HIGH) !== 0);
  if (!(rights & right)) return faultFor(right, nxe, Fault.Protection);
  const dirty = right & ANY_WRITE ? PAGE_DIRTY : 0;
  if (!update(words, pdeAt, pde.low, PAGE_ACCESSED)) return AGAIN;
  if (!update(words, pteAt, pte.low, PAGE_ACCESSED | dirty)) return AGAIN;
  return cacheable(inMemory(pte.low >>> PAGE_SHIFT, frames), rights, pte.low | dirty);
}

/**
 * Load the PDPTE registers from the table at `top`, as writing CR3 does with PAE. A
 * reserved bit in a present one is a general-protection fault: false.
 */
export function loadPdptes(words: Words, cpu: HostCpu, top: Ptr): boolean {
  const registers = cpu.pdpte(0);
  for (let i = 0; i < 4; i++) {
    const pdpte = words.read64(toPtr(top + i * 2));
    const present = (pdpte.low & PAGE_PRESENT) !== 0;
    if (
      present &&
      (pdpte.low & PDPTE_RESERVED_LOW || pdpte.high & (RESERVED_HIGH | PAGE_NX_HIGH))
    ) {
      return false;
    }
    words.poke(toPtr(registers + i * 2), pdpte.low);
    words.poke(toPtr(registers + i * 2 + 1), pdpte.high);
  }
  return true;
}

/** For the walk of nested paging. A separate export: an exported binding is no constant here. */
export const walkParts = { update, faultFor, rightsOf, cacheable, RESERVED_HIGH } as const;

/** Set bits in an entry's low half, if it is still what was read. */
function update(words: Words, at: Ptr, value: number, bits: number): boolean {
  const old = value >>> 0;
  const wanted = (old | bits) >>> 0;
  return wanted === old || words.compareExchange(at, old, wanted) === old;
}

/** Only with NX do fetches need a right of their own. */
function faultFor(right: Right, nxe: boolean, reason: number): number {
  const write = right & ANY_WRITE ? Fault.Write : 0;
  const user = right & ANY_USER ? Fault.User : 0;
  const fetch = nxe && right & ANY_FETCH ? Fault.Fetch : 0;
  return faultWith(reason | write | user | fetch);
}

function rightsOf(flags: number, noExecute: boolean): number {
  const rights = (RIGHTS >>> ((flags & (PAGE_RW | PAGE_USER)) << 2)) & 0xff;
  return noExecute ? rights & ~ANY_FETCH : rights;
}

/** A write through an entry cached with DIRTY clear must come back here to set it. */
function cacheable(frame: number, rights: number, pte: number): number {
  return ((frame << PAGE_SHIFT) | (pte & PAGE_DIRTY ? rights : rights & ~ANY_WRITE)) >>> 0;
}

/** There is no memory behind a frame number past the end. */
function inMemory(frame: number, frames: number): Pfn {
  if (frame >= frames) noMemory(frame, frames);
  return frame as Pfn;
}

/** Apart, as what seldom happens is in hot files: V8 puts short functions into their callers. */
function noMemory(frame: number, frames: number): never {
  throw new HostOops('machine check', `a walk through frame ${frame} of ${frames}`);
}
