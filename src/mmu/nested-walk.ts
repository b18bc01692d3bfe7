/**
 * The two-dimensional walk of nested paging (SDM 3C 29.3): CR3 and the guest's tables name guest
 * pages, and each is translated by the host's table before it is used.
 * Two levels of the guest's over four of the host's are (2 + 1) × (4 + 1) − 1 = 14 references.
 *
 * With PAE the top level is in registers, which a write of CR3 fills, so it is 14 there, too.
 */

import type { HostCpu } from '../../shared/host-cpu.ts';
import * as hostCpu from '../../shared/host-cpu.ts';
import type { Words } from '../../shared/words.ts';
import type { Right } from '../hardware/access.ts';
import * as access from '../hardware/access.ts';
import type { Gpfn, Gva, Pfn } from '../hardware/address.ts';
import * as address from '../hardware/address.ts';
import * as entries from '../hardware/entry.ts';
import * as nestedEntry from '../hardware/nested-entry.ts';
import * as walking from './walk.ts';

const { ANY_WRITE, Fault, faultWith, isFault } = access;
const { frameStart, gpfnOf, PAGE_SHIFT, PAGE_WORDS, toGpfn, toPfn, toPtr } = address;
const { PAGE_ACCESSED, PAGE_DIRTY, PAGE_NX_HIGH, PAGE_PRESENT, PAGE_RW, PAGE_USER } = entries;
const { CR4_PAE, EFER_NXE, NESTED_LINEAR } = hostCpu;
const { NESTED_READ, NESTED_SHIFTS, NESTED_WRITE, nestedIndex } = nestedEntry;
const { loadPdptes } = walking;
const { cacheable, faultFor, rightsOf, RESERVED_HIGH, update } = walking.walkParts;

const RESERVED = Fault.Protection | Fault.Reserved;

/** As `walk`: what the TLB keeps, or a fault, of the guest's tables or the host's. */
export function walkNested(words: Words, cpu: HostCpu, va: Gva, right: Right): number {
  for (;;) {
    const result =
      cpu.cr4 & NESTED_LINEAR
        ? leafOf(words, cpu, toGpfn(va >>> PAGE_SHIFT), right, ANYTHING, PAGE_DIRTY)
        : walkGuest(words, cpu, va, right);
    if (result !== AGAIN) return result;
  }
}

/** An entry changed between reading and updating it. Not a fault's code. */
const AGAIN = -0x4000_0000;

/** The rights of an address while the guest has paging off. */
const ANYTHING = rightsOf(PAGE_RW | PAGE_USER, false);

/** The guest's two levels that are in memory. */
function walkGuest(words: Words, cpu: HostCpu, va: Gva, right: Right): number {
  const pae = (cpu.cr4 & CR4_PAE) !== 0;
  const nxe = (cpu.cr4 & EFER_NXE) !== 0;
  const reserved = nxe ? RESERVED_HIGH : RESERVED_HIGH | PAGE_NX_HIGH;
  let page = gpfnOf(cpu.guestCr3);
  if (pae) {
    const pdpte = words.peek(cpu.pdpte(va >>> 30));
    if (!(pdpte & PAGE_PRESENT)) return faultFor(right, nxe, 0);
    page = toGpfn(pdpte >>> PAGE_SHIFT);
  }
  let flags = PAGE_RW | PAGE_USER;
  let noExecute = 0;
  for (const shift of pae ? [21, PAGE_SHIFT] : [22, PAGE_SHIFT]) {
    const last = shift === PAGE_SHIFT;
    const table = lookUp(words, cpu, page, 0);
    if (isFault(table)) return table;
    const index = pae ? ((va >>> shift) & 511) * 2 : (va >>> shift) & 1023;
    const at = toPtr((table >>> PAGE_SHIFT) * PAGE_WORDS + index);
    const { low, high } = pae ? words.read64(at) : { low: words.read(at) | 0, high: 0 };
    if (!(low & PAGE_PRESENT)) return faultFor(right, nxe, 0);
    if (high & reserved) return faultFor(right, nxe, RESERVED);
    flags &= low;
    noExecute |= high & PAGE_NX_HIGH;
    const rights = rightsOf(flags, noExecute !== 0);
    if (last && !(rights & right)) return faultFor(right, nxe, Fault.Protection);
    const bits = last && right & ANY_WRITE ? PAGE_ACCESSED | PAGE_DIRTY : PAGE_ACCESSED;
    if ((low & bits) !== bits) {
      // ACCESSED and DIRTY are written to a page of the guest, as any write is.
      if (!(table & NESTED_WRITE)) return violation(cpu, page, Fault.Write);
      if (!update(words, at, low, bits)) return AGAIN;
    }
    page = toGpfn((low >>> PAGE_SHIFT) + ((high & 0xfff) << 20));
    if (last) return leafOf(words, cpu, page, right, rights, low | bits);
  }
  return AGAIN;
}

/** What the TLB keeps of the guest page at the end of a walk. */
function leafOf(
  words: Words,
  cpu: HostCpu,
  page: Gpfn,
  right: Right,
  rights: number,
  flags: number,
): number {
  const leaf = lookUp(words, cpu, page, right & ANY_WRITE ? Fault.Write : 0);
  if (isFault(leaf)) return leaf;
  const allowed = leaf & NESTED_WRITE ? rights : rights & ~ANY_WRITE;
  return cacheable(leaf >>> PAGE_SHIFT, allowed, flags);
}

/** The host's entry of a guest page, as its low half; or a fault. `write`: Fault.Write or 0. */
function lookUp(words: Words, cpu: HostCpu, page: Gpfn, write: number): number {
  let table: Pfn = cpu.cr3;
  let entry = 0;
  for (const shift of NESTED_SHIFTS) {
    cpu.nestedReferences++;
    entry = words.read(toPtr(frameStart(table) + nestedIndex(page, shift) * 2));
    if (!(entry & NESTED_READ)) return violation(cpu, page, write);
    table = toPfn(entry >>> PAGE_SHIFT);
  }
  if (write !== 0 && !(entry & NESTED_WRITE)) return violation(cpu, page, write);
  // Frames of host memory have 20 bits: only unsigned it is not negative.
  return entry >>> 0;
}

function violation(cpu: HostCpu, page: Gpfn, write: number): number {
  cpu.violation = page;
  return faultWith(Fault.Nested | write);
}

/** Load the PDPTE registers from the guest's top level. A fault, also for reserved bits, or 0. */
export function loadNestedPdptes(words: Words, cpu: HostCpu): number {
  const table = lookUp(words, cpu, gpfnOf(cpu.guestCr3), 0);
  if (isFault(table)) return table;
  const top = toPtr((table >>> PAGE_SHIFT) * PAGE_WORDS + (cpu.guestCr3 & 0xfe0) / 4);
  return loadPdptes(words, cpu, top) ? 0 : faultWith(RESERVED);
}
