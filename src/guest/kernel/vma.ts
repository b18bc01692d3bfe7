/** Virtual memory areas: for each mm a list of address ranges with their rights, sorted. */

import { PAGE_SIZE } from '../../hardware/address.ts';
import type { KernelContext } from './context.ts';
import { FREE_VMA, Mm, VMA_BYTES, VMAS, VmArea } from './layout.ts';
import { panic } from './panic.ts';

const field = (k: KernelContext, vma: number, offset: number): number => k.load(k.va(vma + offset));

/** The area that contains an address, or 0. Areas are named by their physical address. */
export const findVma = (k: KernelContext, mm: number, address: number): number =>
  k.call(() => {
    let vma = field(k, mm, Mm.vmas);
    while (vma !== 0 && field(k, vma, VmArea.end) <= address) vma = field(k, vma, VmArea.next);
    return vma !== 0 && field(k, vma, VmArea.start) <= address ? vma : 0;
  });

/** The first area that ends past an address, or 0. */
export const nextVma = (k: KernelContext, mm: number, address: number): number =>
  k.call(() => k.load(k.va(linkBefore(k, mm, address))));

export const vmaProt = (k: KernelContext, vma: number): number => field(k, vma, VmArea.prot);

/** `body` for each area, which it leaves as it is. */
export function eachVma(
  k: KernelContext,
  mm: number,
  body: (start: number, end: number) => void,
): void {
  k.follow(field(k, mm, Mm.vmas), (vma) => {
    body(field(k, vma, VmArea.start), field(k, vma, VmArea.end));
    return field(k, vma, VmArea.next);
  });
}

/** Map a range, page-aligned, where nothing is mapped. */
export function insertVma(
  k: KernelContext,
  mm: number,
  start: number,
  end: number,
  prot: number,
): void {
  k.call(() => {
    const vma = allocVma(k);
    const link = linkBefore(k, mm, start);
    k.storeBlock(k.va(vma), [start, end, prot, k.load(k.va(link))]);
    k.store(k.va(link), vma);
    return 0;
  });
}

/** Remove a range: areas inside it are freed, those that reach over its ends are cut. */
export function removeVmas(k: KernelContext, mm: number, start: number, end: number): void {
  k.call(() => {
    splitVma(k, mm, start);
    splitVma(k, mm, end);
    const link = linkBefore(k, mm, start);
    for (;;) {
      const vma = k.load(k.va(link));
      if (vma === 0 || field(k, vma, VmArea.start) >= end) return 0;
      k.store(k.va(link), field(k, vma, VmArea.next));
      freeVma(k, vma);
    }
  });
}

/** Change the rights of the areas in a range. */
export function protectVmas(
  k: KernelContext,
  mm: number,
  start: number,
  end: number,
  prot: number,
): void {
  k.call(() => {
    splitVma(k, mm, start);
    splitVma(k, mm, end);
    let vma = k.load(k.va(linkBefore(k, mm, start)));
    while (vma !== 0 && field(k, vma, VmArea.start) < end) {
      k.store(k.va(vma + VmArea.prot), prot);
      vma = field(k, vma, VmArea.next);
    }
    return 0;
  });
}

/** Have the areas of a range, with their rights, at `to` instead, where nothing is mapped. */
export function moveVmas(
  k: KernelContext,
  mm: number,
  start: number,
  end: number,
  to: number,
): void {
  k.call(() => {
    splitVma(k, mm, start);
    splitVma(k, mm, end);
    return 0;
  });
  k.until(() => {
    const link = linkBefore(k, mm, start);
    const vma = k.load(k.va(link));
    const from = vma === 0 ? end : field(k, vma, VmArea.start);
    if (from >= end) return 1;
    k.store(k.va(link), field(k, vma, VmArea.next));
    const [first, last] = [from - start + to, field(k, vma, VmArea.end) - start + to];
    const prot = vmaProt(k, vma);
    const place = linkBefore(k, mm, first);
    k.storeBlock(k.va(vma), [first, last, prot, k.load(k.va(place))]);
    k.store(k.va(place), vma);
    return 0;
  });
}

/** The same areas for another mm, which has none. */
export function copyVmas(k: KernelContext, from: number, to: number): void {
  k.call(() => {
    let link = to + Mm.vmas;
    let vma = field(k, from, Mm.vmas);
    while (vma !== 0) {
      const copy = allocVma(k);
      const [start, end, prot, next] = [
        field(k, vma, VmArea.start),
        field(k, vma, VmArea.end),
        field(k, vma, VmArea.prot),
        field(k, vma, VmArea.next),
      ];
      k.storeBlock(k.va(copy), [start, end, prot, 0]);
      k.store(k.va(link), copy);
      link = copy + VmArea.next;
      vma = next;
    }
    return 0;
  });
}

/** All VMAs on the free list; once, at boot. */
export function initVmas(k: KernelContext, count: number): void {
  k.each(0, count, (i) => {
    const next = i + 1 < count ? VMAS + (i + 1) * VMA_BYTES : 0;
    k.store(k.va(VMAS + i * VMA_BYTES + VmArea.next), next);
  });
  k.store(k.va(FREE_VMA), VMAS);
}

/** Where the pointer to the first area that ends past `address` is. */
const linkBefore = (k: KernelContext, mm: number, address: number): number =>
  k.call(() => {
    let link = mm + Mm.vmas;
    for (;;) {
      const vma = k.load(k.va(link));
      if (vma === 0 || field(k, vma, VmArea.end) > address) return link;
      link = vma + VmArea.next;
    }
  });

/** Let no area reach across an address. */
function splitVma(k: KernelContext, mm: number, address: number): void {
  k.call(() => {
    const vma = findVma(k, mm, address);
    if (vma === 0 || field(k, vma, VmArea.start) === address) return 0;
    const rest = allocVma(k);
    const end = field(k, vma, VmArea.end);
    const prot = vmaProt(k, vma);
    k.storeBlock(k.va(rest), [address, end, prot, field(k, vma, VmArea.next)]);
    k.store(k.va(vma + VmArea.end), address);
    k.store(k.va(vma + VmArea.next), rest);
    return 0;
  });
}

const allocVma = (k: KernelContext): number =>
  k.call(() => {
    const vma = k.load(k.va(FREE_VMA));
    if (vma === 0) panic(k, 'out of memory areas');
    k.store(k.va(FREE_VMA), field(k, vma, VmArea.next));
    return vma;
  });

function freeVma(k: KernelContext, vma: number): void {
  k.store(k.va(vma + VmArea.next), k.load(k.va(FREE_VMA)));
  k.store(k.va(FREE_VMA), vma);
}

/** The first page boundary at or above an address, which may be 2^32. */
export const pageAlign = (address: number): number => Math.ceil(address / PAGE_SIZE) * PAGE_SIZE;
