/**
 * The bodies of the steps as written, by defect. All of them together are the code as written; one
 * alone is a mutant. Where two change the same step, the later one counts.
 */

import * as discipline from '../../../shared/discipline.ts';
import { lgwriteEntry } from '../../../shared/guest-memory.ts';
import type { LgCpu } from '../../../shared/lg-cpu.ts';
import { killGuest, type Lguest } from '../../../shared/lguest.ts';
import type { Publication, Steps } from '../../../shared/steps.ts';
import type { DefectId, DefectSwitches } from '../../defects.ts';
import * as entry from '../../hardware/entry.ts';
import * as entries from '../entries.ts';
import * as flush from '../flush.ts';
import { gpteToSpte } from '../gpte.ts';
import { pinStackPages } from '../pin.ts';
import { findPgdir } from '../switch.ts';
import { allocateSwitcherMapping } from '../switcher.ts';
import { REPAIRED } from './repaired.ts';

const { quiesce, shootDown } = discipline;
const { findSpte, releasePte, traceSpte } = entries;
const { mapSwitcher, releaseTable } = flush;
const { flagsOf, isPresent, NO_ENTRY, PAGE_ACCESSED, PAGE_DIRTY, ptePfn } = entry;

const nothing = (): void => {};

const CHANGES: Readonly<Partial<Record<DefectId, Partial<Steps>>>> = {
  U1: { isPgdIndex: (lg, idx) => idx <= lg.form.ptrsPerPgd },
  U2: { mapBack: mapBackIntoCurrent },
  U3: { stopsAtHoles: () => false },
  U4: {
    isUsed: (gpte) => (flagsOf(gpte) & (PAGE_ACCESSED | PAGE_DIRTY)) !== 0,
    shown: (gpte) => gpte,
  },
  U5: { keepsRefused: () => true },
  U6: { isMeant: () => true },
  U7: { rights: (_lg, _gpgd, _gpmd, gpte) => flagsOf(gpte), markUpper: nothing },
  U8: {
    mapCleared: (cpu, i) => {
      if (i !== cpu.cpuPgd) mapSwitcher(cpu, i);
    },
    // The stack's upper levels, shared with the Switcher, get the guest's flags.
    mapWayIn: (cpu, stack) => {
      if (stack) pinStackPages(cpu);
      mapSwitcher(cpu, cpu.cpuPgd);
    },
  },
  U9: { takesAnyStack: () => true },
  U10: { pinsStack: (isBlank) => isBlank },
  U11: { flushShared: nothing },
  U12: { forWriting: (gpte) => (flagsOf(gpte) & PAGE_DIRTY) !== 0 },
  U13: { noExecute: () => 0 },
  U14: { getUserPage: (lg, page, write) => lg.map.getUserPage(page, write) },

  R1: { changesOf: () => undefined, publish: replaceUnseen },
  R2: { copiesHalves: () => true, markGuestEntry: () => true, writeBack: lgwriteEntry },
  R3: {
    storesHalves: () => true,
    changesOf: () => undefined,
    publish: replaceReleased,
    beginReplacing: (lg, old) => {
      releasePte(lg, old);
      return NO_ENTRY;
    },
    replace: (lg, spte, fresh) => {
      lg.setEntry(spte, fresh);
      return NO_ENTRY;
    },
  },
  R4: {
    linkTable: (lg, at, _found, table) => {
      lg.setEntry(at, table);
      return true;
    },
  },
  R5: { awaitFaults: nothing, releasePgds: releaseUnseen },
  R6: { shootDown: nothing },
  R7: { mapCleared: nothing },
  R8: { actFor: ({ lg }) => lg.cpus[0]! },
  R9: { isMapped: (_cpu, _base, last, hostCpu) => last === hostCpu },
  R10: { isInUseThere: () => false },
  R11: {
    // The stack is checked even so.
    mayBeTaken: ({ users }) => users >= 0,
    allocatedPgdir: (_lg, current) => current,
    claim: nothing,
    mustClaim: () => false,
    isInUse: (lg, pgdir) => lg.cpus.some(({ cpuPgd }) => cpuPgd === pgdir),
  },
  R12: {
    locksPgdirs: () => false,
    findPgdir: (lg, pgtable, first) => (first ? lg.pgdirs.length : findPgdir(lg, pgtable)),
  },
  // Only the CPU that entered last is considered, though there may be more.
  R13: { isForgotten: (i, last) => last !== -1 && i !== last, locksWayIn: () => false },
  R14: { takesTables: () => false },
  R15: { keeperOf: ({ lg }) => lg.cpus[0]!, mayDieTwice: () => true },
  R17: { isStillOf: () => true },

  D1: {
    copiesRootAnew: () => false,
    awaitStackLookups: nothing,
    findStackSpte: (cpu, vaddr) => findSpte(cpu, cpu.cpuPgd, vaddr),
  },
  D2: { awaitLinkers: nothing },
  D3: { claimsStart: () => false },
  D4: { keepsStacks: () => false, awaitStackLookups: nothing },
  D5: { takesAway: (old, fresh) => isPresent(old) && ptePfn(old) !== ptePfn(fresh) },
};

/** U2: this may have removed the Switcher, so it is mapped again; but in the current pgdir. */
function mapBackIntoCurrent(cpu: LgCpu): void {
  if (!allocateSwitcherMapping(cpu, cpu.cpuPgd)) {
    killGuest(cpu, 'Cannot populate switcher mapping');
  }
}

/** R1: another vCPU may have done the same since the entry was read, and release the same page. */
function replaceUnseen(cpu: LgCpu, { spte, gpte, write }: Publication): true {
  const { lg } = cpu;
  const old = lg.entry(spte);
  const fresh = gpteToSpte(cpu, gpte, write);
  lg.setEntry(spte, fresh);
  traceSpte(lg, spte, gpte, fresh);
  if (isPresent(old)) shootDown(lg, cpu.cpuPgd);
  releasePte(lg, old);
  return true;
}

/** R3: the page is released while it is mapped. */
function replaceReleased(cpu: LgCpu, { spte, gpte, write }: Publication): true {
  const { lg } = cpu;
  releasePte(lg, lg.entry(spte));
  const fresh = gpteToSpte(cpu, gpte, write);
  lg.setEntry(spte, fresh);
  traceSpte(lg, spte, gpte, fresh);
  return true;
}

/** R5: freed while they are still part of the shadow. */
function releaseUnseen(lg: Lguest, pgdir: number, from: number, to: number): void {
  quiesce(lg, pgdir);
  for (const spgd of lg.presentEntries(lg.pgdirs[pgdir]!.pgdir, from, to)) {
    releaseTable(lg, lg.entry(spgd));
    lg.setEntry(spgd, NO_ENTRY);
  }
  lg.pgdirs[pgdir]!.countVersion();
}

const made = new Map<string, Steps>();

/** The same for the same defects, so that V8 sees one. */
export function stepsFor(on: DefectSwitches): Steps {
  const ids = (Object.keys(on) as DefectId[]).filter((id) => on[id]);
  const key = ids.join();
  const steps: Steps =
    made.get(key) ?? Object.assign({ ...REPAIRED }, ...ids.map((id) => CHANGES[id]));
  made.set(key, steps);
  return steps;
}
