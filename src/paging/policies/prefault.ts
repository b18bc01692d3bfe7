/**
 * More than one page per fault (M:007): lguest's author supposed that batches would cost less.
 *
 * The neighbours of a fault's entry, in the same table, are put into the shadow as well, if the
 * guest's entry is present and has ACCESSED already, so that no bit is set for an access that did
 * not happen, and if the page has a frame of its own already.
 */

import * as counters from '../../../shared/counters.ts';
import { mustBeInFault } from '../../../shared/discipline.ts';
import { lgreadEntry } from '../../../shared/guest-memory.ts';
import { Vma } from '../../../shared/launcher-map.ts';
import type { LgCpu } from '../../../shared/lg-cpu.ts';
import type { Lguest } from '../../../shared/lguest.ts';
import type { Gpa, Gva, Pfn, Ptr } from '../../hardware/address.ts';
import * as address from '../../hardware/address.ts';
import type { Entry } from '../../hardware/entry.ts';
import * as entry from '../../hardware/entry.ts';
import { releasePte, traceSpte } from '../entries.ts';
import { takeBack } from '../stack.ts';
import { policyOf } from './declared.ts';

const { NO_FRAME, PAGE_SIZE, toGpa, toGpfn, toGva, toPtr } = address;
const { flagsOf, isPresent, makeEntry, NO_ENTRY, pteIndex, ptePfn } = entry;
const { PAGE_ACCESSED, PAGE_DIRTY, PAGE_GLOBAL, PAGE_PRESENT, PAGE_PSE, PAGE_RW } = entry;
const { Prefaulted } = counters.Counter;

/** The guest's and the shadow's entry of a repaired fault. */
interface Repaired {
  readonly vaddr: Gva;
  readonly gpte: Gpa;
  readonly spte: Ptr;
  /** The shadow's count of changes when the fault began; undefined if it is not validated. */
  readonly changes: number | undefined;
}

/** The entries of the fault's aligned batch. Called within the fault. */
export function prefault(cpu: LgCpu, { vaddr, gpte, spte, changes }: Repaired): void {
  const { lg } = cpu;
  mustBeInFault(cpu, 'prefault');
  const { entryWords, ptrsPerPte } = lg.form;
  const own = pteIndex(lg.form, vaddr);
  const batch = policyOf(lg).prefault;
  const first = own - (own % batch);
  const end = Math.min(first + batch, ptrsPerPte);
  for (let i = first; i < end; i++) {
    const beside = i - own;
    if (toGva(vaddr + beside * PAGE_SIZE) >= lg.host.switcherAddr) return;
    const at = toPtr(spte + beside * entryWords);
    if (isPresent(lg.entry(at))) continue;
    const shown = lgreadEntry(cpu, toGpa(gpte + beside * entryWords * 4));
    const fresh = spteFor(lg, shown);
    if (!isPresent(fresh)) continue;
    if (!lg.compareExchangeEntry(at, NO_ENTRY, fresh)) {
      releasePte(lg, fresh);
      continue;
    }
    lg.counters.count(Prefaulted);
    traceSpte(lg, at, shown, fresh);
    if (changes === undefined || lg.pgdirs[cpu.cpuPgd]!.changes === changes) continue;
    // The guest's entry may have changed meanwhile.
    takeBack(cpu, at, toGva(vaddr + beside * PAGE_SIZE), fresh);
    return;
  }
}

/** With a reference to the page; not present where the entry is left to a fault of its own. */
function spteFor(lg: Lguest, gpte: Entry): Entry {
  const flags = flagsOf(gpte);
  const wanted = PAGE_PRESENT | PAGE_ACCESSED;
  if ((flags & wanted) !== wanted || flags & PAGE_PSE || ptePfn(gpte) >= lg.pfnLimit) {
    return NO_ENTRY;
  }
  // A clean page is to fault on the first write, so that DIRTY can be set.
  const clean = (flags & PAGE_DIRTY) === 0;
  const shown = flags & ~PAGE_GLOBAL & ~(clean ? PAGE_RW : 0);
  const frame = frameOfItsOwn(lg, ptePfn(gpte), (shown & PAGE_RW) !== 0);
  if (frame === NO_FRAME) return NO_ENTRY;
  return makeEntry(frame, shown, lg.steps.noExecute(lg, gpte));
}

/** Never the zero page, which would have to be copied, nor a page that the guest may not write. */
function frameOfItsOwn({ map }: Lguest, page: number, write: boolean): Pfn {
  if (map.state(toGpfn(page)) === Vma.CopyOnWrite) return NO_FRAME;
  // It may have been discarded since, and then needs a frame.
  return map.getUserPage(toGpfn(page), write, true);
}
