/**
 * A repair of M:009: all mappings are thrown away whenever one of the kernel's changes, which
 * hurts guests with more memory than their kernel maps at once. The guest says that something
 * has changed, and not what. Instead of throwing all entries away, to be faulted in one by one,
 * each is compared with the guest's own, and removed only if a fault would not make the same entry
 * again.
 *
 * The kernel's part is the same in all page tables, so it is compared with the caller's.
 */

import * as counters from '../../../shared/counters.ts';
import * as discipline from '../../../shared/discipline.ts';
import { getUser } from '../../../shared/guest-memory.ts';
import type { LgCpu } from '../../../shared/lg-cpu.ts';
import type { Lguest } from '../../../shared/lguest.ts';
import { LINEAR } from '../../../shared/pgdir.ts';
import type { Gpa, Gva, Ptr } from '../../hardware/address.ts';
import * as address from '../../hardware/address.ts';
import * as entry from '../../hardware/entry.ts';
import * as entries from '../entries.ts';
import * as flush from '../flush.ts';
import { isOfStack, pinnedSpte } from '../stack.ts';
import { policyOf } from './declared.ts';

const { letGo, lockPgdir, lockPgdirs, mustHoldPgdir, mustHoldPgdirs } = discipline;
const { quiesce, quiesceFaults } = discipline;
const { entryIn, releasePte } = entries;
const { flushAllMappings, guestPagetableClearAll, mapNecessities, releaseLastLevel, releasePgds } =
  flush;
const { gpfnOf, NULL, PAGE_SHIFT, PAGE_SIZE, toGpa, toGpfn, toGva } = address;
const { Entry, flagsOf, isPresent, makeEntry, NO_ENTRY, pgdIndex, PMD_SHIFT, ptePfn, tablePfn } =
  entry;
const { PAGE_ACCESSED, PAGE_DIRTY, PAGE_PRESENT, PAGE_PSE } = entry;
const { PAGE_RW, PAGE_TABLE, PAGE_USER } = entry;
const { EntriesCompared } = counters.Counter;

/** The guest has changed a kernel mapping, and does not say which. */
export function guestMappingsChanged(cpu: LgCpu): void {
  // While the mapping is linear there is nothing of the guest's to compare with.
  if (!policyOf(cpu.lg).kernelChange.compare || cpu.linearPages) return guestPagetableClearAll(cpu);
  dropWhatChanged(cpu);
  mapNecessities(cpu, true);
}

/** Remove from all shadows the entries that a fault would not make again as they are. */
export function dropWhatChanged(cpu: LgCpu): void {
  const { lg } = cpu;
  // Meanwhile no vCPU may switch to a shadow that had none, since it may need its stack there.
  const all = lockPgdirs(lg);
  for (const i of lg.pgdirs.keys()) {
    const taken = lockPgdir(lg, i);
    const { pgdir, gpgdir } = lg.pgdirs[i]!;
    // With a linear mapping there is nothing to compare.
    if (gpgdir === LINEAR) flushAllMappings(lg, i);
    else if (pgdir !== NULL) new Comparison(cpu, i).run();
    letGo(lg, taken);
  }
  letGo(lg, all);
}

/** One shadow, under its lock, and while no pgdir changes its top level. */
class Comparison {
  readonly #cpu: LgCpu;
  readonly #lg: Lguest;
  readonly #pgdir: number;
  readonly #kernelTop: Gpa;
  /** Removed, to be freed when no CPU can reach it. */
  readonly #pages: entry.Entry[] = [];
  readonly #tables: entry.Entry[] = [];
  /** Whether an upper entry has changed. */
  #upperChanged = false;

  constructor(cpu: LgCpu, pgdir: number) {
    this.#cpu = cpu;
    this.#lg = cpu.lg;
    this.#pgdir = pgdir;
    this.#kernelTop = cpu.cr3;
  }

  run(): void {
    const lg = this.#lg;
    mustHoldPgdir(lg, this.#pgdir, 'Comparison.run');
    mustHoldPgdirs(lg, 'Comparison.run');
    const pgdir = lg.pgdirs[this.#pgdir]!;
    const { form, host } = lg;
    // From here on faults read the guest's tables as they are now. One that began earlier might put
    // an entry in behind the comparison.
    pgdir.countChange();
    quiesceFaults(lg, this.#pgdir);
    const last = pgdIndex(form, host.switcherAddr);
    for (const at of lg.presentEntries(pgdir.pgdir, 0, last + 1)) {
      const spgd = lg.entry(at);
      const i = (at - pgdir.pgdir) / form.entryWords;
      const base = i * 2 ** form.pgdirShift;
      const gpgd = this.#guestEntry(this.#topOf(toGva(base)), i);
      const holdsSwitcher = i === last;
      if (!holdsSwitcher && !sameWay(spgd, gpgd)) releasePgds(lg, this.#pgdir, i, i + 1);
      else if (form.pae) this.#middle(spgd, gpgd, base);
      else this.#last(spgd, gpgd, base);
    }
    if (this.#upperChanged) pgdir.countVersion();
    if (this.#upperChanged || this.#pages.length > 0) quiesce(lg, this.#pgdir);
    for (const table of this.#tables) releaseLastLevel(lg, table);
    for (const page of this.#pages) releasePte(lg, page);
  }

  /** A middle level. PAE only. */
  #middle(spgd: entry.Entry, gpgd: entry.Entry, base: number): void {
    const lg = this.#lg;
    for (const at of lg.presentEntries(entryIn(lg, spgd, 0), 0, lg.form.ptrsPerPmd)) {
      const spmd = lg.entry(at);
      const index = indexOf(lg, spgd, at);
      const vaddr = base + index * 2 ** PMD_SHIFT;
      const gpmd = this.#below(gpgd, index);
      const end = vaddr + 2 ** PMD_SHIFT;
      if (end > lg.host.switcherAddr || sameWay(spmd, gpmd)) {
        this.#last(spmd, gpmd, vaddr);
        continue;
      }
      this.#upperChanged = true;
      // A stack stays mapped; the entries of its table are compared.
      const stays = isTable(lg, gpmd) && this.#staysMapped(toGva(vaddr), PMD_SHIFT);
      const fresh = stays ? makeEntry(tablePfn(spmd), flagsOf(gpmd)) : NO_ENTRY;
      const old = lg.exchangeEntry(at, fresh);
      if (stays) this.#last(fresh, gpmd, vaddr);
      else this.#tables.push(old);
    }
  }

  #last(table: entry.Entry, guest: entry.Entry, base: number): void {
    const lg = this.#lg;
    for (const at of lg.presentEntries(entryIn(lg, table, 0), 0, lg.form.ptrsPerPte)) {
      const index = indexOf(lg, table, at);
      const vaddr: Gva = toGva(base + index * PAGE_SIZE);
      if (vaddr >= lg.host.switcherAddr) return;
      lg.counters.count(EntriesCompared);
      const spte = lg.entry(at);
      if (!isStillSo(lg, spte, this.#below(guest, index))) {
        this.#pages.push(lg.exchangeEntry(at, this.#inPlaceOf(vaddr)));
      }
    }
  }

  /** What replaces an entry that has to go. */
  #inPlaceOf(vaddr: Gva): entry.Entry {
    if (!this.#staysMapped(vaddr, PAGE_SHIFT)) return NO_ENTRY;
    return pinnedSpte(this.#cpu, this.#topOf(vaddr), vaddr);
  }

  /**
   * Whether a page, or one of those below an upper entry, belongs to a stack in use.
   * The guest must have tables for it: where no vCPU runs, the guest may have reused them.
   */
  #staysMapped(vaddr: Gva, shift: number): boolean {
    const { kernelAddress, pgdirs } = this.#lg;
    const isThere = vaddr >= kernelAddress || pgdirs[this.#pgdir]!.users > 0;
    return isThere && this.#lg.steps.keepsStacks(this.#cpu) && isOfStack(this.#lg, vaddr, shift);
  }

  /** The top level to compare an address by: the kernel's part is the same in all. */
  #topOf(vaddr: Gva): Gpa {
    const { kernelAddress, pgdirs } = this.#lg;
    return vaddr >= kernelAddress ? this.#kernelTop : pgdirs[this.#pgdir]!.gpgdir;
  }

  /** Entry `i` of the guest's table that one of its entries leads to. */
  #below(guest: entry.Entry, i: number): entry.Entry {
    if (!isPresent(guest)) return NO_ENTRY;
    return this.#guestEntry(toGpa((tablePfn(guest) << PAGE_SHIFT) >>> 0), i);
  }

  /** NO_ENTRY outside the guest's memory: the guest may have reused a page table. */
  #guestEntry(table: Gpa, i: number): entry.Entry {
    const { form, pfnLimit } = this.#lg;
    const at = toGpa(table + i * form.entryWords * 4);
    if (gpfnOf(at) >= pfnLimit) return NO_ENTRY;
    const low = getUser(this.#lg, at);
    const high = form.pae ? getUser(this.#lg, toGpa(at + 4)) : 0;
    return low === undefined || high === undefined ? NO_ENTRY : new Entry(low, high);
  }
}

const indexOf = (lg: Lguest, table: entry.Entry, at: Ptr): number =>
  (at - entryIn(lg, table, 0)) / lg.form.entryWords;

/** Whether an upper entry of the shadow allows what the guest's does. */
const sameWay = (shadow: entry.Entry, guest: entry.Entry): boolean =>
  ((flagsOf(shadow) ^ flagsOf(guest)) & ~(PAGE_ACCESSED | PAGE_DIRTY)) === 0;

/** Whether a middle entry of the guest's leads to a table. */
const isTable = (lg: Lguest, gpmd: entry.Entry): boolean =>
  isPresent(gpmd) && (flagsOf(gpmd) & ~PAGE_TABLE) === 0 && tablePfn(gpmd) < lg.pfnLimit;

/** Whether an entry is what a fault would make, or has fewer rights. */
function isStillSo(lg: Lguest, shadow: entry.Entry, guest: entry.Entry): boolean {
  const [shown, flags] = [flagsOf(shadow), flagsOf(guest)];
  const wanted = PAGE_PRESENT | PAGE_ACCESSED;
  if ((flags & wanted) !== wanted || flags & PAGE_PSE || ptePfn(guest) >= lg.pfnLimit) return false;
  if ((shown ^ flags) & PAGE_USER) return false;
  const writable = PAGE_RW | PAGE_DIRTY;
  if (shown & PAGE_RW && (flags & writable) !== writable) return false;
  if (lg.steps.noExecute(lg, shadow) !== lg.steps.noExecute(lg, guest)) return false;
  return lg.map.frame(toGpfn(ptePfn(guest))) === ptePfn(shadow);
}
