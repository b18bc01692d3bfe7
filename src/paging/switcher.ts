/**
 * (vi) Mapping the Switcher when the guest is about to run.
 *
 * The Switcher's text is in every shadow. Beside it each host CPU has two pages, and a
 * shadow shows those of the CPU it runs on and no others: first the regs page of the
 * vCPU about to run, so that saving its registers needs no copying, then the CPU's
 * own state page, read-only.
 */

import * as counters from '../../shared/counters.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import * as lgCpu from '../../shared/lg-cpu.ts';
import type { Lguest } from '../../shared/lguest.ts';
import * as errors from '../errors.ts';
import type { Gva, Pfn, Ptr } from '../hardware/address.ts';
import * as address from '../hardware/address.ts';
import type { Entry } from '../hardware/entry.ts';
import * as entry from '../hardware/entry.ts';
import * as entries from './entries.ts';

const { findSpte, releasePte } = entries;
const { bugOn, HostOops } = errors;
const { bitsOf, NULL, PAGE_SIZE, toGva } = address;
const { Counter } = counters;
const { isPresent, makeEntry, NO_ENTRY, pgdIndex, ptePfn } = entry;
const { PAGE_ACCESSED, PAGE_DIRTY, PAGE_GLOBAL, PAGE_NX_HIGH, PAGE_PRESENT } = entry;
const { PAGE_RW, PAGE_TABLE } = entry;
const { NO_PGDIR } = lgCpu;

/** PAGE_KERNEL_RX, and __PAGE_KERNEL and __PAGE_KERNEL_RO without GLOBAL; NX apart. */
export const KERNEL_RX = PAGE_PRESENT | PAGE_ACCESSED | PAGE_DIRTY | PAGE_GLOBAL;
export const KERNEL = PAGE_PRESENT | PAGE_RW | PAGE_ACCESSED | PAGE_DIRTY;
export const KERNEL_RO = PAGE_PRESENT | PAGE_ACCESSED | PAGE_DIRTY;

/** The Switcher page behind a page number; the text is 0. */
const switcherPageAddr = (lg: Lguest, page: number): Gva =>
  toGva(lg.host.switcherAddr + page * PAGE_SIZE);

/** Where the two pages of a host CPU are: its regs page; its state page follows. */
export const percpuPagesAddr = (lg: Lguest, hostCpu: number): Gva =>
  switcherPageAddr(lg, 1 + hostCpu * 2);

/**
 * page_tables.c:1122 map_switcher_in_guest: make the Switcher's entries right for `cpu` about to
 * run on `hostCpu`, in the pgdir that it shares with other vCPUs. All tables for it exist already:
 * nothing is allocated here. Repaired, see private-switcher.ts.
 */
export function mapSwitcherInGuest(cpu: LgCpu, hostCpu: number): void {
  const { lg } = cpu;
  const { host } = lg;
  const pgdir = lg.pgdirs[cpu.cpuPgd]!;
  bugOn(!pgdir.switcherMapped, 'map_switcher_in_guest');

  const last = pgdir.lastHostCpu;
  const base = percpuPagesAddr(lg, hostCpu);
  if (lg.steps.isMapped(cpu, base, last, hostCpu)) {
    lg.counters.count(Counter.RemapsCached);
    return;
  }
  lg.counters.count(last === -1 ? Counter.RemapsUnknown : Counter.RemapsKnown);
  for (let i = 0; i < host.cpus.length; i++) {
    if (lg.steps.isForgotten(i, last)) continue;
    if (i !== hostCpu && lg.steps.isInUseThere(cpu, i)) continue;
    removeSwitcherPercpuMap(cpu, i);
  }

  mapPage(cpu, base, cpu.regsPage, KERNEL);
  mapPage(cpu, toGva(base + PAGE_SIZE), host.switcherPages[1 + hostCpu * 2 + 1]!, KERNEL_RO);
  pgdir.lastHostCpu = hostCpu;
}

/** Whether the current pgdir maps a page there. */
export function mapsPage(cpu: LgCpu, vaddr: Gva, page: Pfn): boolean {
  const pte = findSpte(cpu, cpu.cpuPgd, bitsOf(vaddr));
  if (pte === NULL) return false;
  const found = cpu.lg.entry(pte);
  return isPresent(found) && ptePfn(found) === page;
}

/** page_tables.c:1097 remove_switcher_percpu_map: clear the two entries of host CPU `i`. */
function removeSwitcherPercpuMap(cpu: LgCpu, i: number): void {
  const { lg } = cpu;
  const base = percpuPagesAddr(lg, i);
  for (let page = 0; page < 2; page++) {
    const pte = findSpte(cpu, cpu.cpuPgd, bitsOf(toGva(base + page * PAGE_SIZE)));
    releasePte(lg, lg.entry(dereference(pte, 'remove_switcher_percpu_map')));
    lg.setEntry(pte, NO_ENTRY);
  }
}

/** A page that is not to be executed, with a reference. */
function mapPage(cpu: LgCpu, vaddr: Gva, page: Pfn, flags: number): void {
  const { lg } = cpu;
  const pte = dereference(findSpte(cpu, cpu.cpuPgd, bitsOf(vaddr)), 'map_switcher_in_guest');
  lg.host.frames.get(page);
  lg.setEntry(pte, switcherEntry(lg, page, flags, false));
}

/** `mk_pte`, with NX where the host has it. */
export function switcherEntry(lg: Lguest, page: Pfn, flags: number, executable: boolean): Entry {
  const noExecute = lg.form.pae && lg.nx && !executable;
  return makeEntry(page, flags, noExecute ? PAGE_NX_HIGH : 0);
}

function dereference(ptr: Ptr, where: string): Ptr {
  if (ptr === NULL) throw new HostOops('null dereference', where);
  return ptr;
}

/** Whether any of the Switcher's pages hangs below a top-level entry. */
export function holdsSwitcher(lg: Lguest, idx: number): boolean {
  const { switcherAddr, switcherPages } = lg.host;
  const last = switcherPageAddr(lg, switcherPages.length - 1);
  return idx >= pgdIndex(lg.form, switcherAddr) && idx <= pgdIndex(lg.form, last);
}

/**
 * page_tables.c:750 allocate_switcher_mapping: tables for all the Switcher's pages in a shadow (as
 * written the current one, always), and its text mapped. The other pages come when a CPU
 * is about to run it. Returns false when there is no memory.
 */
export function allocateSwitcherMapping(cpu: LgCpu, pgdir: number): boolean {
  const { lg } = cpu;
  const { host } = lg;
  // Repaired, each vCPU has its own: see private-switcher.ts.
  if (!lg.sharesSwitcher || pgdir === NO_PGDIR) return true;
  for (let i = 0; i < host.switcherPages.length; i++) {
    const pte = findSpte(cpu, pgdir, switcherPageAddr(lg, i), lg.form.checkGpgdMask, PAGE_TABLE);
    if (pte === NULL) return false;
    // It may be there: set_pgd calls this in case it threw the Switcher away.
    if (i === 0 && !isPresent(lg.entry(pte))) {
      host.frames.get(host.switcherPages[0]!);
      lg.setEntry(pte, makeEntry(host.switcherPages[0]!, KERNEL_RX));
    }
  }
  lg.pgdirs[pgdir]!.switcherMapped = true;
  return true;
}
