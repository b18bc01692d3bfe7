/**
 * (iv) Switching page tables.
 *
 * A guest changes its top level on almost every context switch, so several shadows are
 * kept; one that is not among them takes the place of another, chosen at random, and
 * inherits its kernel mappings.
 */

import * as discipline from '../../shared/discipline.ts';
import * as events from '../../shared/events.ts';
import { FrameKind } from '../../shared/frames.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import * as lgCpu from '../../shared/lg-cpu.ts';
import { Dead, type Lguest } from '../../shared/lguest.ts';
import type { Pgdir } from '../../shared/pgdir.ts';
import * as pgdirs from '../../shared/pgdir.ts';
import type { Until } from '../../shared/words.ts';
import type { Gpa, Ptr } from '../hardware/address.ts';
import * as address from '../hardware/address.ts';
import * as flush from './flush.ts';
import { policyOf } from './policies/declared.ts';
import * as eviction from './policies/eviction.ts';

const { letGo, lockPgdirs, mustHoldPgdirs } = discipline;
const { flushAllMappings, flushUserMappings, mapNecessities, releaseAllPagetables } = flush;
const { frameStart, NO_FRAME, NULL } = address;
const { EventKind } = events;
const { NO_PGDIR } = lgCpu;
const { indexOfGpgdir, NOBODYS } = pgdirs;
const { noteUse, victim } = eviction;

/** What find_pgdir and new_pgdir return for "none": the index after the last. */
const none = (lg: Lguest): number => lg.pgdirs.length;

/** page_tables.c:823 guest_new_pagetable: the vCPU switches to another top level. */
export function guestNewPagetable(cpu: LgCpu, pgtable: Gpa): void {
  const { lg } = cpu;
  const first = cpu.linearPages;
  if (first) {
    releaseAllPagetables(lg);
    cpu.linearPages = false;
  }
  cpu.cr3 = pgtable;
  letGoOfPgdir(cpu);
  const taken = lockPgdirs(lg);
  const found = lg.steps.findPgdir(lg, pgtable, first);
  const blank = switchTo(cpu, found, pgtable);
  letGo(lg, taken);
  lg.host.events.record(EventKind.PgdirSwitched, cpu.cpuPgd, pgtable);
  mapNecessities(cpu, lg.steps.pinsStack(blank));
}

/** page_tables.c:689 find_pgdir: which shadow, if any, belongs to a guest top level. */
export const findPgdir = ({ pgdirs }: Lguest, pgtable: Gpa): number =>
  indexOfGpgdir(pgdirs, pgtable);

/** A shadow that was chosen. `blank`: a fresh page without kernel mappings. */
interface Choice {
  readonly index: number;
  readonly blank?: boolean;
}

/**
 * page_tables.c:703 new_pgdir: a shadow for a new top level, a random one among those that no vCPU
 * uses; none(lg) if there is none.
 */
export function newPgdir(cpu: LgCpu, gpgdir: Gpa): Choice {
  const { lg } = cpu;
  mustHoldPgdirs(lg, 'new_pgdir');
  let index = victim(cpu);
  if (index === none(lg)) return { index };
  let blank = false;
  if (lg.pgdirs[index]!.pgdir === NULL) {
    const frame = lg.host.frames.getZeroedPage(FrameKind.PageTable, lg.index);
    if (frame === NO_FRAME) {
      // No memory: make do with one that has a page, by preference the one in use.
      index = lg.steps.allocatedPgdir(lg, cpu.cpuPgd);
      if (index === none(lg)) return { index };
    } else {
      lg.pgdirs[index]!.pgdir = frameStart(frame);
      blank = true;
    }
  }
  const pgdir = lg.pgdirs[index]!;
  if (!blank) lg.host.events.record(EventKind.PgdirEvicted, index, pgdir.gpgdir, gpgdir);
  // It was emptied when the host was short of memory, or is emptied now.
  const { reclaim, kernelMappings } = policyOf(lg);
  const emptied = reclaim['when-short'] && pgdir.gpgdir === NOBODYS;
  pgdir.gpgdir = gpgdir;
  if (kernelMappings.dropped) flushAllMappings(lg, index);
  else flushUserMappings(lg, index);
  pgdir.lastHostCpu = -1;
  return { index, blank: blank || emptied || kernelMappings.dropped };
}

/** Switch to shadow `found`, or to a new one if it is none(lg). True if that is blank. */
function switchTo(cpu: LgCpu, found: number, pgtable: Gpa): boolean {
  if (found !== none(cpu.lg)) return takePgdir(cpu, found, false);
  const { index, blank = false } = newPgdir(cpu, pgtable);
  return takePgdir(cpu, index, blank);
}

function takePgdir(cpu: LgCpu, index: number, blank: boolean): boolean {
  const { lg } = cpu;
  mustHoldPgdirs(lg, 'guest_new_pagetable');
  if (index === none(lg)) {
    cpu.cpuPgd = NO_PGDIR;
    lg.hungryVcpu ||= cpu.id + 1;
    return false;
  }
  cpu.cpuPgd = index;
  noteUse(lg, index);
  lg.steps.claim(cpu, index);
  return blank;
}

/**
 * Before a vCPU uses its shadow: make sure that it has one, and hold it. Another vCPU may have
 * taken it since. False if others use all of them, or the last one is reserved for a vCPU that
 * found none before.
 */
export function claimPgdir(cpu: LgCpu): boolean {
  const { lg } = cpu;
  if (!lg.steps.mustClaim(cpu)) return true;
  const taken = lockPgdirs(lg);
  const claimed = tryToClaim(cpu);
  letGo(lg, taken);
  return claimed;
}

/** `claimPgdir` fails until this holds. */
export function untilClaimable({ lg, id, placeWords }: LgCpu): Until {
  const words = [lg.deadWord, lg.hungryWord, ...placeWords, ...lg.pgdirs.flatMap(claimWordsOf)];
  return {
    words,
    holds: ([dead, hungry, started, cr3, ...records]) => {
      const pgdirs = lg.pgdirs.map((_, i) => records.slice(3 * i, 3 * i + 3));
      const free = pgdirs.filter(([, , users]) => users === 0).length;
      // A dead guest, or a vCPU that is not started, needs no pgdir.
      if (dead !== Dead.Alive || started === 0) return true;
      if (free <= 1 && hungry !== 0 && hungry !== id + 1) return false;
      return free > 0 || pgdirs.some(([gpgdir, pgdir]) => pgdir !== NULL && gpgdir === cr3);
    },
  };
}

const claimWordsOf = ({ claimWords }: Pgdir): readonly Ptr[] => claimWords;

function tryToClaim(cpu: LgCpu): boolean {
  const { lg } = cpu;
  mustHoldPgdirs(lg, 'claimPgdir');
  const free = lg.pgdirs.filter(({ users }) => users === 0).length;
  if (free <= 1 && lg.hungryVcpu !== 0 && lg.hungryVcpu !== cpu.id + 1) return false;
  const isMine = cpu.cpuPgd !== NO_PGDIR && lg.pgdirs[cpu.cpuPgd]!.gpgdir === cpu.cr3;
  switchTo(cpu, isMine ? cpu.cpuPgd : findPgdir(lg, cpu.cr3), cpu.cr3);
  if (!isMine) mapNecessities(cpu, true);
  return cpu.holdsPgdir;
}

/** When a vCPU stops running, or switches to another pgdir. */
export function letGoOfPgdir(cpu: LgCpu): void {
  if (!cpu.holdsPgdir) return;
  cpu.holdsPgdir = false;
  cpu.lg.pgdirs[cpu.cpuPgd]!.removeUser();
}
