/** From a guest's last-level entry to the shadow's, with a reference to the page. */

import type { LgCpu } from '../../shared/lg-cpu.ts';
import type { Lguest } from '../../shared/lguest.ts';
import * as lguest from '../../shared/lguest.ts';
import type { Gpfn } from '../hardware/address.ts';
import * as address from '../hardware/address.ts';
import type { Entry } from '../hardware/entry.ts';
import * as entry from '../hardware/entry.ts';

const { killGuest } = lguest;
const { NO_FRAME } = address;
const { flagsOf, makeEntry, PAGE_GLOBAL, PAGE_PSE, ptePfn } = entry;

/** What get_pfn answers when there is no page: −1. */
const NO_PFN = -1;

const NOT_GLOBAL = ~PAGE_GLOBAL;

/**
 * page_tables.c:206 gpte_to_spte: the same flags over the host's page number, with a reference
 * taken.
 */
export function gpteToSpte(cpu: LgCpu, gpte: Entry, write: boolean): Entry {
  const { lg } = cpu;
  const pfn = getPfn(lg, ptePfn(gpte), write);
  if (pfn === NO_PFN) return noPage(cpu, gpte);
  // The guest sets GLOBAL because it sees PGE; the host runs without.
  return makeEntry(pfn, flagsOf(gpte) & NOT_GLOBAL, lg.steps.noExecute(lg, gpte));
}

/** Not present, so that it is not released when the guest is destroyed. */
function noPage(cpu: LgCpu, gpte: Entry): Entry {
  killGuest(cpu, `failed to get page ${ptePfn(gpte)}`);
  return makeEntry(NO_PFN, 0);
}

/** page_tables.c:188 get_pfn: the frame behind a guest page, with a reference taken, or NO_PFN. */
function getPfn(lg: Lguest, page: number, write: boolean): number {
  const frame = lg.steps.getUserPage(lg, page as Gpfn, write);
  return frame === NO_FRAME ? NO_PFN : frame;
}

/** page_tables.c:253 check_gpte: a large page, or one outside the guest, kills it. */
export function checkGpte(cpu: LgCpu, gpte: Entry): boolean {
  const isBad = flagsOf(gpte) & PAGE_PSE || ptePfn(gpte) >= cpu.lg.pfnLimit;
  return isBad ? killFor(cpu, 'bad page table entry') : true;
}

function killFor(cpu: LgCpu, reason: string): false {
  killGuest(cpu, reason);
  return false;
}
