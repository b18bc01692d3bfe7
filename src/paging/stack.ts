/**
 * A stack in use must be mapped at every moment: its vCPU may be inside, and a push that faults is
 * a double fault. The code as written does not map it again.
 *
 * So code that removes an entry first checks whether it maps a stack, and then replaces it by what
 * pinning would make; and setting another stack waits for CPUs that checked before.
 */

import * as discipline from '../../shared/discipline.ts';
import { lgcmpxchgEntry, lgreadEntry } from '../../shared/guest-memory.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import type { Lguest } from '../../shared/lguest.ts';
import type { Gpa, Gva, Ptr } from '../hardware/address.ts';
import * as address from '../hardware/address.ts';
import type { Entry } from '../hardware/entry.ts';
import * as entry from '../hardware/entry.ts';
import { gpmdAddr, gpteAddr, releasePte } from './entries.ts';
import { checkGpte, gpteToSpte } from './gpte.ts';

const { mustBeInFault, shootDown } = discipline;
const { PAGE_SHIFT, PAGE_SIZE, toGpa, toGva } = address;
const { flagsOf, isPresent, NO_ENTRY, pgdIndex, withFlags } = entry;
const { PAGE_ACCESSED, PAGE_DIRTY, PAGE_PRESENT, PAGE_RW } = entry;

/** Page `i` of a vCPU's stack, from the top. */
export const stackPage = (cpu: LgCpu, i: number): Gva => toGva(cpu.esp1 - 1 - i * PAGE_SIZE);

/**
 * Whether a vCPU may push onto a page at any moment, in any shadow. With the `shift` of an upper
 * level: onto one of the pages that its entry leads to.
 */
export const isOfStack = ({ cpus }: Lguest, vaddr: Gva, shift = PAGE_SHIFT): boolean =>
  cpus.some((cpu) => {
    const first = vaddr >>> PAGE_SHIFT;
    const last = first + 2 ** (shift - PAGE_SHIFT) - 1;
    const top = stackPage(cpu, 0) >>> PAGE_SHIFT;
    return top >= first && top - cpu.stackPages < last;
  });

/**
 * The entry that pinning makes from the guest's entry for a page, by its top level `gpgdir`: with
 * ACCESSED and DIRTY, and a reference. NO_ENTRY if there is no writable page.
 */
export function pinnedSpte(cpu: LgCpu, gpgdir: Gpa, vaddr: Gva): Entry {
  const at = findGpte(cpu, gpgdir, vaddr);
  while (at !== undefined) {
    const gpte = lgreadEntry(cpu, at);
    if (!isWritable(gpte) || !checkGpte(cpu, gpte)) break;
    const wanted = withFlags(gpte, PAGE_ACCESSED | PAGE_DIRTY);
    if (lgcmpxchgEntry(cpu, at, gpte, wanted)) return gpteToSpte(cpu, wanted, true);
    cpu.lg.host.words.relax();
  }
  return NO_ENTRY;
}

/** The address of the guest's own entry; undefined where there is no table for it. */
function findGpte(cpu: LgCpu, gpgdir: Gpa, vaddr: Gva): Gpa | undefined {
  const { form } = cpu.lg;
  let table = lgreadEntry(cpu, toGpa(gpgdir + pgdIndex(form, vaddr) * form.entryWords * 4));
  if (isPresent(table) && form.pae) table = lgreadEntry(cpu, gpmdAddr(cpu, table, vaddr));
  return isPresent(table) ? gpteAddr(cpu, table, vaddr) : undefined;
}

export function isWritable(pte: Entry): boolean {
  const writable = PAGE_PRESENT | PAGE_RW;
  return (flagsOf(pte) & writable) === writable;
}

/**
 * What a fault puts in place of `old`: `made`, unless `old` maps a stack writable and `made` would
 * not, since the guest has cleared DIRTY in its entry and not told yet.
 */
export function keptWritable(cpu: LgCpu, vaddr: Gva, old: Entry, made: Entry): Entry {
  const { lg } = cpu;
  mustBeInFault(cpu, 'keptWritable');
  const loses = isWritable(old) && !isWritable(made);
  if (!loses || !lg.steps.keepsStacks(cpu) || !isOfStack(lg, vaddr)) return made;
  const pinned = pinnedSpte(cpu, lg.pgdirs[cpu.cpuPgd]!.gpgdir, vaddr);
  if (!isPresent(pinned)) return made;
  releasePte(lg, made);
  return pinned;
}

/**
 * Remove an entry that a fault of `cpu` has `made` from a guest entry that may have changed. Called
 * within the fault, which the changing CPU waits for. Another CPU may have pinned a stack there.
 */
export function takeBack(cpu: LgCpu, spte: Ptr, vaddr: Gva, made: Entry): void {
  const { lg } = cpu;
  mustBeInFault(cpu, 'takeBack');
  const pgdir = lg.pgdirs[cpu.cpuPgd]!;
  const stays = lg.steps.keepsStacks(cpu) && isOfStack(lg, vaddr);
  for (let out = made; ; ) {
    const changes = stays ? pgdir.changes : 0;
    const fresh = stays ? pinnedSpte(cpu, pgdir.gpgdir, vaddr) : NO_ENTRY;
    if (!lg.compareExchangeEntry(spte, out, fresh)) return releasePte(lg, fresh);
    shootDown(lg, cpu.cpuPgd);
    releasePte(lg, out);
    if (!isPresent(fresh) || pgdir.changes === changes) return;
    out = fresh;
  }
}
