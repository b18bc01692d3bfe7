/**
 * A guest's own page tables as the processor uses them. Before a page becomes a table it is
 * validated: the guest must be allowed each entry, in which the host's frame replaces the guest's
 * page number (promote_l1_table and its like in Xen). From then on only the host changes it. When
 * the last use ends the page is an ordinary one again, with its content.
 *
 * Every last-level entry holds a reference on its frame, and every table one on its own frame.
 */

import { Counter } from '../../shared/counters.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import { Dead, killGuest, type Lguest } from '../../shared/lguest.ts';
import {
  frameStart,
  type Gpfn,
  gpfnOf,
  NO_FRAME,
  type Pfn,
  type Ptr,
  toGpfn,
  toPfn,
} from '../hardware/address.ts';
import {
  type Entry,
  flagsOf,
  isPresent,
  makeEntry,
  PAGE_GLOBAL,
  PAGE_NX_HIGH,
  PAGE_PSE,
  PAGE_RW,
  PAGE_TABLE,
  ptePfn,
  tablePfn,
} from '../hardware/entry.ts';
import { addUse, removeUse, tableType, typeOf, WRITABLE } from './types.ts';

/** The top level's number; the last is 1. */
export const topLevel = (lg: Lguest): number => (lg.form.pae ? 3 : 2);

/** Places of the present entries of a table of a level. */
export const entriesOf = (lg: Lguest, frame: Pfn, level: number): Generator<Ptr> =>
  lg.presentEntries(
    frameStart(frame),
    0,
    level === topLevel(lg) ? lg.form.ptrsPerPgd : lg.form.ptrsPerPte,
  );

/** One more use of a page as a table. Its frame; NO_FRAME, and a dead guest, if it cannot be. */
export function takeTable(cpu: LgCpu, page: Gpfn, level: number): Pfn {
  const { lg } = cpu;
  const isNew = typeOf(lg, page) !== tableType(level);
  if (isNew && lg.cpus.some(({ lguestData }) => gpfnOf(lguestData) === page)) {
    return refuse(cpu, `page ${page} is the host’s to write, and is to be a page table`);
  }
  if (!addUse(lg, page, tableType(level))) {
    return refuse(cpu, `page ${page} is in use, and is to be a page table of level ${level}`);
  }
  return isNew ? promote(cpu, page, level) : lg.map.frame(page);
}

function refuse(cpu: LgCpu, reason: string): Pfn {
  killGuest(cpu, reason);
  return NO_FRAME;
}

/** Validate all of its entries, or change none. */
function promote(cpu: LgCpu, page: Gpfn, level: number): Pfn {
  const { lg } = cpu;
  lg.counters.count(Counter.TablesTaken);
  const frame = lg.map.getUserPage(page, true);
  const taken: [Ptr, Entry][] = [];
  if (frame !== NO_FRAME) {
    lg.host.frames.setGuestPage(frame, page);
    for (const at of entriesOf(lg, frame, level)) {
      const entry = takeEntry(cpu, level, lg.entry(at));
      if (entry === undefined) break;
      taken.push([at, entry]);
    }
  }
  if (lg.dead === Dead.Alive && frame !== NO_FRAME) {
    for (const [at, entry] of taken) lg.setEntry(at, entry);
    return frame;
  }
  for (const [, entry] of taken) dropEntry(lg, level, entry);
  removeUse(lg, page);
  if (frame !== NO_FRAME) lg.host.frames.put(frame);
  return refuse(cpu, `failed to get page ${page}`);
}

/** One use of a table fewer; the last one releases what its entries hold. */
export function dropTable(lg: Lguest, page: Gpfn, level: number): void {
  if (!removeUse(lg, page)) return;
  lg.counters.count(Counter.TablesTaken);
  const frame = lg.map.frame(page);
  for (const at of entriesOf(lg, frame, level)) dropEntry(lg, level, lg.entry(at));
  lg.host.frames.put(frame);
}

/** A guest's entry as the processor uses it; undefined, and the guest is killed, if invalid. */
export function takeEntry(cpu: LgCpu, level: number, entry: Entry): Entry | undefined {
  if (!isPresent(entry)) return entry;
  return level === 1 ? takePage(cpu, entry) : takeLink(cpu, level, entry);
}

function takePage(cpu: LgCpu, entry: Entry): Entry | undefined {
  const { lg } = cpu;
  const page = toGpfn(ptePfn(entry));
  const flags = flagsOf(entry);
  if (flags & PAGE_PSE || page >= lg.pfnLimit) {
    return killed(cpu, 'bad page table entry');
  }
  if (flags & PAGE_RW && !addUse(lg, page, WRITABLE)) {
    return killed(cpu, `page ${page} is a page table, and is to be mapped for writing`);
  }
  // Even read-only it must be the guest's own: its content must not change unseen.
  const frame = lg.map.getUserPage(page, true);
  if (frame === NO_FRAME) {
    if (flags & PAGE_RW) removeUse(lg, page);
    return killed(cpu, `failed to get page ${page}`);
  }
  lg.host.frames.setGuestPage(frame, page);
  return makeEntry(frame, flags & ~PAGE_GLOBAL, lg.nx ? entry.high & PAGE_NX_HIGH : 0);
}

function takeLink(cpu: LgCpu, level: number, entry: Entry): Entry | undefined {
  const { lg } = cpu;
  const allowed = level === topLevel(lg) ? lg.form.checkGpgdMask : PAGE_TABLE;
  const page = tablePfn(entry);
  if (flagsOf(entry) & ~allowed || page >= lg.pfnLimit) {
    return killed(cpu, 'bad page directory entry');
  }
  const frame = takeTable(cpu, toGpfn(page), level - 1);
  return frame === NO_FRAME ? undefined : makeEntry(frame, flagsOf(entry));
}

function killed(cpu: LgCpu, reason: string): undefined {
  killGuest(cpu, reason);
}

/** Release what an unused entry held. */
export function dropEntry(lg: Lguest, level: number, entry: Entry): void {
  if (!isPresent(entry)) return;
  const { frames } = lg.host;
  const frame = toPfn(ptePfn(entry));
  const page = frames.guestPage(frame);
  if (level > 1) return dropTable(lg, page, level - 1);
  if (flagsOf(entry) & PAGE_RW) removeUse(lg, page);
  frames.put(frame);
}

/** A processor's entry as the guest sees it: with its page number, and the same flags. */
export function guestEntry({ host }: Lguest, entry: Entry): Entry {
  if (!isPresent(entry)) return entry;
  const page = host.frames.guestPage(toPfn(ptePfn(entry)));
  return makeEntry(page, flagsOf(entry), entry.high & PAGE_NX_HIGH);
}
