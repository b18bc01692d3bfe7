/**
 * The steps of the paging code (shared/steps.ts), repaired for any number of vCPUs. Where the code
 * as written has another body, it is under the defect's id in as-written.ts.
 */

import * as discipline from '../../../shared/discipline.ts';
import * as guestMemory from '../../../shared/guest-memory.ts';
import type { LgCpu } from '../../../shared/lg-cpu.ts';
import type { Lguest } from '../../../shared/lguest.ts';
import type { Pgdir } from '../../../shared/pgdir.ts';
import type { Publication, Steps } from '../../../shared/steps.ts';
import type { Gpa, Gva, Ptr } from '../../hardware/address.ts';
import * as address from '../../hardware/address.ts';
import type { Entry } from '../../hardware/entry.ts';
import * as entry from '../../hardware/entry.ts';
import * as entries from '../entries.ts';
import * as flush from '../flush.ts';
import { gpteToSpte } from '../gpte.ts';
import { pinStackPages } from '../pin.ts';
import * as stack from '../stack.ts';
import * as switching from '../switch.ts';
import * as switcher from '../switcher.ts';

const { isInside, mustHoldPgdir, quiesce, quiesceAll, quiesceFaults } = discipline;
const { shootDown, shootDownOthers, waitForFaults } = discipline;
const { entryIn, findInRoot, gpgdAddr, gpmdAddr, releasePte, traceSpte } = entries;
const { mapNecessities, mapSwitcher, releaseLastLevel, releaseTable, topEntry } = flush;
const { keptWritable, takeBack } = stack;
const { NULL } = address;
const { flagsOf, isPresent, NO_ENTRY, pmdIndex, pteIndex, ptePfn, sameEntry } = entry;
const { PAGE_ACCESSED, PAGE_DIRTY, PAGE_NX_HIGH, PAGE_RW, PAGE_USER } = entry;
const { withFlags, withoutFlags } = entry;
const { lgcmpxchgEntry } = guestMemory;

const nothing = (): void => {};

export const REPAIRED: Steps = {
  locksPgdirs: () => true,
  awaitFaults: waitForFaults,
  awaitLinkers: waitForFaults,
  shootDown: shootDownOthers,
  storesHalves: () => false,
  copiesHalves: () => false,
  keeperOf: (cpu) => cpu,
  mayDieTwice: () => false,

  takesAnyStack: () => false,
  locksWayIn: () => true,
  copiesRootAnew: () => true,
  claimsStart: () => true,
  takesTables: () => true,

  linkTable: (lg, at, found, table) => lg.compareExchangeEntry(at, found, table),
  noExecute: (lg, { high }) => (lg.nx ? high & PAGE_NX_HIGH : 0),
  // A page that is read first must show later writes, so it gets a frame of its own at once.
  getUserPage: (lg, page, write) => lg.map.getUserPage(page, write, true),
  // A page that the guest maps read-only is not pinned for writing, dirty or not.
  forWriting: (gpte) => (flagsOf(gpte) & PAGE_DIRTY) !== 0 && (flagsOf(gpte) & PAGE_RW) !== 0,

  changesOf: (lg, pgdir) => lg.pgdirs[pgdir]!.changes,
  rights: (lg, gpgd, gpmd, gpte) => flagsOf(gpte) & upperFlags(lg, gpgd, gpmd),
  markGuestEntry: lgcmpxchgEntry,
  publish: replaceSpte,
  takesAway,
  writeBack: nothing,
  markUpper: setUpperAccessed,

  keepsStacks: ({ lg, linearPages }) => !lg.trustsStack && !linearPages,
  awaitStackLookups: quiesceAll,
  // By the vCPU's own top level, which may lack a table that is in the shadow.
  findStackSpte: findInRoot,

  isStillOf: (lg, pgdir, gpgdir) => lg.pgdirs[pgdir]!.gpgdir === gpgdir,
  beginReplacing: (_lg, old) => old,
  replace: (lg, spte, fresh) => lg.exchangeEntry(spte, fresh),
  keepsRefused: () => false,
  isMeant: isPresent,
  // DIRTY alone is not enough: ACCESSED would be set in the shadow only.
  isUsed: (gpte) => (flagsOf(gpte) & PAGE_ACCESSED) !== 0,
  // A clean page must fault on the first write, so that DIRTY can be set.
  shown: (gpte) => (flagsOf(gpte) & PAGE_DIRTY ? gpte : withoutFlags(gpte, PAGE_RW)),
  isPgdIndex: (lg, idx) => idx < lg.form.ptrsPerPgd,
  mapBack,
  actFor: (caller) => caller,

  findPgdir: (lg, pgtable) => switching.findPgdir(lg, pgtable),
  // Also for a pgdir that lost its mappings and was not just allocated.
  pinsStack: () => true,
  mayBeTaken: ({ users }) => users === 0,
  allocatedPgdir,
  claim,
  mustClaim: ({ holdsPgdir }) => !holdsPgdir,
  isInUse: (lg, pgdir) => lg.pgdirs[pgdir]!.users > 0,

  releasePgds,
  flushShared: flushBelow,
  stopsAtHoles: () => true,
  mapCleared: mapSwitcher,
  mapWayIn: (cpu, withStack) => {
    mapSwitcher(cpu, cpu.cpuPgd);
    if (withStack) pinStackPages(cpu);
  },

  // The pages may be this CPU's, and the regs page another vCPU's.
  isMapped: (cpu, base) => switcher.mapsPage(cpu, base, cpu.regsPage),
  isForgotten: () => false,
  // That CPU may be using the pages at this moment.
  isInUseThere: ({ lg, cpuPgd }, i) => isInside(lg, i, cpuPgd),
};

/**
 * There may be an entry already, such as a read-only one of a page that is now written. False if
 * the sources may have changed since the fault began, or the shadow's entry has: then the new entry
 * is removed again.
 */
function replaceSpte(cpu: LgCpu, { vaddr, spte, gpte, write, changes }: Publication): boolean {
  const { lg } = cpu;
  const old = lg.entry(spte);
  const fresh = keptWritable(cpu, vaddr, old, gpteToSpte(cpu, gpte, write));
  if (sameEntry(old, fresh)) {
    // Another vCPU was first; or this vCPU's own top level lacks the table, because the CPU that
    // linked it has not yet incremented the version, which may take long.
    cpu.forgetRoot();
    releasePte(lg, fresh);
    return true;
  }
  if (!lg.compareExchangeEntry(spte, old, fresh)) {
    releasePte(lg, fresh);
    return false;
  }
  traceSpte(lg, spte, gpte, fresh);
  if (lg.steps.takesAway(old, fresh)) shootDown(lg, cpu.cpuPgd);
  releasePte(lg, old);
  if (lg.pgdirs[cpu.cpuPgd]!.changes === changes) return true;
  takeBack(cpu, spte, vaddr, fresh);
  return false;
}

/**
 * Another page, or a right that is gone, as where this fault read the guest's entry before
 * another's set DIRTY in it. A vCPU that lacks rights faults again.
 */
function takesAway(old: Entry, fresh: Entry): boolean {
  if (!isPresent(old)) return false;
  const gone = flagsOf(old) & ~flagsOf(fresh) & (PAGE_RW | PAGE_USER);
  const barred = fresh.high & ~old.high & PAGE_NX_HIGH;
  return ptePfn(old) !== ptePfn(fresh) || gone !== 0 || barred !== 0;
}

/** What the level above allows. A PAE top-level entry allows everything (SDM 3A 4.4.1). */
const upperFlags = ({ form }: Lguest, gpgd: Entry, gpmd: Entry): number =>
  form.pae ? flagsOf(gpmd) : flagsOf(gpgd);

/** A PAE top-level entry has no such bit. One that has changed since it was read stays as it is. */
function setUpperAccessed(cpu: LgCpu, vaddr: Gva, gpgd: Entry, gpmd: Entry): void {
  const { form } = cpu.lg;
  if (upperFlags(cpu.lg, gpgd, gpmd) & PAGE_ACCESSED) return;
  const upper = form.pae ? gpmd : gpgd;
  const at: Gpa = form.pae ? gpmdAddr(cpu, gpgd, vaddr) : gpgdAddr(cpu, cpu.cpuPgd, vaddr);
  lgcmpxchgEntry(cpu, at, upper, withFlags(upper, PAGE_ACCESSED));
}

function mapBack(cpu: LgCpu, pgdir: number, idx: number): void {
  const { lg } = cpu;
  if (switcher.holdsSwitcher(lg, idx)) lg.pgdirs[pgdir]!.switcherMapped = false;
  mapSwitcher(cpu, pgdir);
  // Other pgdirs get the stack when they become current.
  if (pgdir === cpu.cpuPgd) mapNecessities(cpu, true);
}

function allocatedPgdir(lg: Lguest, current: number): number {
  const isFree = (p: Pgdir | undefined): boolean => p?.users === 0 && p.pgdir !== NULL;
  if (isFree(lg.pgdirs[current])) return current;
  const i = lg.pgdirs.findIndex(isFree);
  return i === -1 ? lg.pgdirs.length : i;
}

function claim(cpu: LgCpu, pgdir: number): void {
  const { lg } = cpu;
  cpu.holdsPgdir = true;
  lg.pgdirs[pgdir]!.addUser();
  if (lg.hungryVcpu === cpu.id + 1) lg.hungryVcpu = 0;
}

/** First unlinked, all at once; freed when no CPU can reach them. */
function releasePgds(lg: Lguest, pgdir: number, from: number, to: number): void {
  // A vCPU inside uses the Switcher in these tables: it must leave first; the lock keeps it out.
  if (lg.sharesSwitcher) quiesce(lg, pgdir);
  else quiesceFaults(lg, pgdir);
  const unlinked: Entry[] = [];
  for (const spgd of lg.presentEntries(lg.pgdirs[pgdir]!.pgdir, from, to)) {
    unlinked.push(lg.exchangeEntry(spgd, NO_ENTRY));
  }
  if (unlinked.length > 0) lg.pgdirs[pgdir]!.countVersion();
  quiesce(lg, pgdir);
  for (const table of unlinked) releaseTable(lg, table);
}

function flushBelow(lg: Lguest, pgdir: number, index: number): void {
  mustHoldPgdir(lg, pgdir, 'flush_user_mappings');
  const { form, kernelAddress } = lg;
  const spgd = lg.entry(topEntry(lg, pgdir, index));
  if (!isPresent(spgd)) return;
  const unlinked: Entry[] = [];
  const unlink = (table: Entry, count: number): Entry[] =>
    Array.from(lg.presentEntries(entryIn(lg, table, 0), 0, count), (at: Ptr) =>
      lg.exchangeEntry(at, NO_ENTRY),
    );
  let last = spgd;
  if (form.pae) {
    unlinked.push(...unlink(spgd, pmdIndex(form, kernelAddress)));
    last = lg.entry(entryIn(lg, spgd, pmdIndex(form, kernelAddress)));
  }
  const pages = isPresent(last) ? unlink(last, pteIndex(form, kernelAddress)) : [];
  if (unlinked.length > 0) lg.pgdirs[pgdir]!.countVersion();
  quiesce(lg, pgdir);
  for (const spmd of unlinked) releaseLastLevel(lg, spmd);
  for (const pte of pages) releasePte(lg, pte);
}
