/**
 * The steps in which the code as written and the repaired code differ. A guest has one body for
 * each: repaired (src/paging/steps/repaired.ts), or as written where a defect is on
 * (src/paging/steps/as-written.ts). The seven parts hold the common code, which calls these.
 */

import type { DefectSwitches } from '../src/defects.ts';
import type { Gpa, Gpfn, Gva, Pfn, Ptr } from '../src/hardware/address.ts';
import type { Entry } from '../src/hardware/entry.ts';
import type { LgCpu } from './lg-cpu.ts';
import type { Lguest } from './lguest.ts';
import type { Pgdir } from './pgdir.ts';

/** An entry that a fault puts into the shadow. */
export interface Publication {
  readonly vaddr: Gva;
  readonly spte: Ptr;
  /** The guest's entry, as the guest sees it. */
  readonly gpte: Entry;
  readonly write: boolean;
  /** The shadow's count of changes when the fault began; undefined if it is not validated. */
  readonly changes: number | undefined;
}

export interface Steps {
  // Below the seven parts: locks, waiting, and state that several vCPUs share.

  /** Whether a lock guards which shadow belongs to which top level. */
  locksPgdirs(): boolean;
  /** Wait for faults that began before on a shadow, which may use what was removed. */
  awaitFaults(lg: Lguest, pgdir: number): void;
  /** The same before tables are taken out: none of them links one in afterwards. */
  awaitLinkers(lg: Lguest, pgdir: number): void;
  /** Get every other CPU out of the guest that runs on a shadow. */
  shootDown(lg: Lguest, pgdir: number): void;
  /** Whether an entry of two words is stored in two halves, as by native_set_pte with PAE. */
  storesHalves(): boolean;
  /** Whether such an entry of the guest's is copied byte by byte. */
  copiesHalves(): boolean;
  /** The vCPU whose record holds lguest_data and the like of a vCPU. */
  keeperOf(cpu: LgCpu): LgCpu;
  /** Whether killing a guest checks first and sets afterwards, so that two CPUs may do it. */
  mayDieTwice(): boolean;

  // The host's round.

  /** Whether a stack of too many pages is still accepted after it has killed the guest. */
  takesAnyStack(): boolean;
  /** Whether the Switcher's pages are mapped under the pgdir's lock. */
  locksWayIn(): boolean;
  /** Whether a vCPU whose stack was not found copies its upper levels anew. */
  copiesRootAnew(): boolean;
  /** Whether starting a vCPU claims it first. */
  claimsStart(): boolean;
  /** Whether it continues on its starter's tables, and not with what its record has. */
  takesTables(): boolean;

  // Finding entries.

  /** Link a new table in, where `found` is not present. False: another vCPU has linked one. */
  linkTable(lg: Lguest, at: Ptr, found: Entry, table: Entry): boolean;
  /** NX of the guest's entry, as it is kept in the shadow's high half. */
  noExecute(lg: Lguest, entry: Entry): number;
  /** get_user_pages_fast, with a reference. */
  getUserPage(lg: Lguest, page: Gpfn, write: boolean): Pfn;
  /** Whether the page of a guest's entry has to be writable by the host, too. */
  forWriting(gpte: Entry): boolean;

  // (i)

  /** What a fault validates at its end. */
  changesOf(lg: Lguest, pgdir: number): number | undefined;
  /** The flags that are access rights. */
  rights(lg: Lguest, gpgd: Entry, gpmd: Entry, gpte: Entry): number;
  /** ACCESSED and DIRTY into the guest's entry, before the shadow has it. False: it has changed. */
  markGuestEntry(cpu: LgCpu, at: Gpa, before: Entry, after: Entry): boolean;
  /** Put an entry into the shadow. False: its sources have changed, and it was removed again. */
  publish(cpu: LgCpu, publication: Publication): boolean;
  /** Whether a TLB may hold more of an entry that a fault has replaced than there is now. */
  takesAway(old: Entry, fresh: Entry): boolean;
  /** The guest's entry, after the shadow has it. */
  writeBack(cpu: LgCpu, at: Gpa, gpte: Entry): void;
  /** ACCESSED into the level above, as the processor does on its way down. */
  markUpper(cpu: LgCpu, vaddr: Gva, gpgd: Entry, gpmd: Entry): void;

  // (ii)

  /** Whether entries of stacks that have to be removed are replaced atomically. */
  keepsStacks(cpu: LgCpu): boolean;
  /** A vCPU has another stack: wait for CPUs that checked before whether a page belongs to one. */
  awaitStackLookups(lg: Lguest): void;
  /** The last-level entry of a page of the stack, or NULL, for a CPU that is counted as inside. */
  findStackSpte(cpu: LgCpu, vaddr: Gva): Ptr;

  // (iii)

  /** Whether a pgdir is still that of a top level, once it is locked. */
  isStillOf(lg: Lguest, pgdir: number, gpgdir: Gpa): boolean;
  /** Before an entry is replaced. Returns what to release in the end. */
  beginReplacing(lg: Lguest, old: Entry): Entry;
  /** After it is replaced. Returns what to release in the end. */
  replace(lg: Lguest, spte: Ptr, fresh: Entry): Entry;
  /** Whether the old entry stays where the new one is refused. */
  keepsRefused(): boolean;
  /** Whether an entry carries any flags. */
  isMeant(gpte: Entry): boolean;
  /** Whether the guest has set what the processor would on the first access. */
  isUsed(gpte: Entry): boolean;
  /** As the shadow is to show it. */
  shown(gpte: Entry): Entry;
  isPgdIndex(lg: Lguest, idx: number): boolean;
  /** After what was below entry `idx` of a shadow is removed: map what the caller needs. */
  mapBack(cpu: LgCpu, pgdir: number, idx: number): void;
  /** On which vCPUs' behalf SET_PGD and SET_PMD act. */
  actFor(caller: LgCpu): LgCpu;

  // (iv)

  /** Which shadow belongs to a top level; `first`: of a vCPU that had none before. */
  findPgdir(lg: Lguest, pgtable: Gpa, first: boolean): number;
  /** Whether the stack is to be pinned in a pgdir that a vCPU goes on with. */
  pinsStack(isBlank: boolean): boolean;
  /** Whether a pgdir may become another top level's. */
  mayBeTaken(pgdir: Pgdir): boolean;
  /** One that has a page, where there is no memory for another: by preference the current one. */
  allocatedPgdir(lg: Lguest, current: number): number;
  /** A vCPU continues on a pgdir. */
  claim(cpu: LgCpu, pgdir: number): void;
  /** Whether a vCPU must claim its pgdir before it uses it. */
  mustClaim(cpu: LgCpu): boolean;
  isInUse(lg: Lguest, pgdir: number): boolean;

  // (v)

  /** Remove top-level entries `from` … `to` − 1 of a shadow, and all that they lead to. */
  releasePgds(lg: Lguest, pgdir: number, from: number, to: number): void;
  /** The user part of top-level entry `index`, which user and kernel share. */
  flushShared(lg: Lguest, pgdir: number, index: number): void;
  /** Whether guest_pa stops at a level that is not there. */
  stopsAtHoles(): boolean;
  /** Pgdir `i` was emptied by clear-all. */
  mapCleared(cpu: LgCpu, i: number): void;
  /** The Switcher, and if `stack` the kernel's stack, into the current pgdir. */
  mapWayIn(cpu: LgCpu, stack: boolean): void;

  // (vi)

  /** Whether a pgdir, last entered through by host CPU `last`, has the right pages at `base`. */
  isMapped(cpu: LgCpu, base: Gva, last: number, hostCpu: number): boolean;
  /**
   * Whether host CPU `i`, whose pages a pgdir may map, is forgotten; the pgdir was last entered by
   * `last`.
   */
  isForgotten(i: number, last: number): boolean;
  /** Whether host CPU `i`, which is another one, uses its pages in the current pgdir. */
  isInUseThere(cpu: LgCpu, i: number): boolean;
}

/** The steps of a guest, by the defects that it has (src/paging/steps/as-written.ts). */
export type StepsFor = (on: DefectSwitches) => Steps;
