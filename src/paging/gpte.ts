/** From a guest's last-level entry to the shadow's, with a reference to the page. */

import type { LgCpu } from '../../shared/lg-cpu.ts';
import { killGuest } from '../../shared/lguest.ts';
import { NO_FRAME, toGpfn } from '../hardware/address.ts';
import type { Entry } from '../hardware/entry.ts';
import * as entry from '../hardware/entry.ts';

const { flagsOf, makeEntry, PAGE_GLOBAL, PAGE_PSE, ptePfn } = entry;

/** What get_pfn answers when there is no page: −1, as an unsigned long. */
const NO_PFN = 0xffff_ffff;

/**
 * page_tables.c:206 gpte_to_spte: the same flags over the host's page number, with a reference
 * taken.
 */
export function gpteToSpte(cpu: LgCpu, gpte: Entry, write: boolean): Entry {
  const pfn = getPfn(cpu, ptePfn(gpte), write);
  if (pfn === NO_PFN) {
    killGuest(cpu, `failed to get page ${ptePfn(gpte)}`);
    // Not present, so that it is not released when the guest is destroyed.
    return makeEntry(NO_PFN, 0);
  }
  // The guest sets GLOBAL because it sees PGE; the host runs without.
  return makeEntry(pfn, flagsOf(gpte) & ~PAGE_GLOBAL, cpu.lg.steps.noExecute(cpu.lg, gpte));
}

/** page_tables.c:188 get_pfn: the frame behind a guest page, with a reference taken, or NO_PFN. */
function getPfn(cpu: LgCpu, page: number, write: boolean): number {
  const frame = cpu.lg.steps.getUserPage(cpu.lg, toGpfn(page), write);
  return frame === NO_FRAME ? NO_PFN : frame;
}

/** page_tables.c:253 check_gpte: a large page, or one outside the guest, kills it. */
export function checkGpte(cpu: LgCpu, gpte: Entry): boolean {
  if (flagsOf(gpte) & PAGE_PSE || ptePfn(gpte) >= cpu.lg.pfnLimit) {
    killGuest(cpu, 'bad page table entry');
    return false;
  }
  return true;
}
