/**
 * The host's table of nested paging: from a guest's pages to frames, in four levels. It is filled
 * lazily, as a shadow is; the host does not see what the guest maps where.
 *
 * Each entry holds a reference on its frame. All vCPUs share the table; the guest's lock is held
 * while it changes, and removing an entry gets the other vCPUs out of the guest.
 */

import { letGo, lockPgdir, quiesce } from '../../shared/discipline.ts';
import { EventKind } from '../../shared/events.ts';
import { FrameKind } from '../../shared/frames.ts';
import { Vma } from '../../shared/launcher-map.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import { killGuest, type Lguest } from '../../shared/lguest.ts';
import {
  frameStart,
  type Gpfn,
  hex,
  NO_FRAME,
  type Pfn,
  type Ptr,
  toGpa,
  toPfn,
  toPtr,
} from '../hardware/address.ts';
import {
  NESTED_ALL,
  NESTED_ENTRIES,
  NESTED_READ,
  NESTED_SHIFTS,
  NESTED_WRITE,
  nestedIndex,
} from '../hardware/nested-entry.ts';

/** Make an empty table, and turn the boot vCPU's paging off. False when there is no memory. */
export function initNestedTable(lg: Lguest): boolean {
  lg.nestedRoot = lg.host.frames.getZeroedPage(FrameKind.PageTable, lg.index);
  lg.cpus[0]!.linearPages = true;
  return lg.nestedRoot !== NO_FRAME;
}

/** Map a page that a vCPU accessed and the table lacks, or not for writing. */
export function repairViolation(cpu: LgCpu, page: Gpfn, write: boolean): void {
  const { lg } = cpu;
  if (page >= lg.pfnLimit) return killGuest(cpu, `no memory at ${hex(toGpa(page * 4096))}`);
  const taken = lockPgdir(lg, 0);
  const frame = lg.map.getUserPage(page, write, true);
  const at = frame === NO_FRAME ? undefined : slotOf(lg, page, true);
  if (frame === NO_FRAME) killGuest(cpu, `failed to get page ${page}`);
  else if (at === undefined) {
    lg.host.frames.put(frame);
    killGuest(cpu, 'out of memory allocating a nested table');
  } else {
    const writable = lg.map.state(page) === Vma.ReadWrite;
    const entry = (frame << 12) | (writable ? NESTED_ALL : NESTED_ALL & ~NESTED_WRITE);
    const old = lg.words.exchange(at, entry);
    lg.host.events.trace(EventKind.SpteSet, page, entry, at * 4);
    if (old & NESTED_READ) giveBack(lg, old);
  }
  letGo(lg, taken);
}

/**
 * The Launcher has unmapped a page: get all vCPUs out of the guest. Also if the table has no entry
 * of it: a processor inside writes CR2 to lguest_data by the Launcher's map.
 */
export function dropNestedPage(lg: Lguest, page: Gpfn): void {
  const taken = lockPgdir(lg, 0);
  const at = slotOf(lg, page, false);
  const old = at === undefined ? 0 : lg.words.exchange(at, 0);
  giveBack(lg, old);
  letGo(lg, taken);
}

/** When the guest is taken down. */
export function freeNestedTable(lg: Lguest): void {
  if (lg.nestedRoot !== NO_FRAME) freeBelow(lg, lg.nestedRoot, 0);
  lg.nestedRoot = NO_FRAME;
}

/** Release a removed entry's frame when no CPU can reach it any more. */
function giveBack(lg: Lguest, old: number): void {
  for (const i of lg.pgdirs.keys()) quiesce(lg, i);
  if (old & NESTED_READ) lg.host.frames.put(toPfn(old >>> 12));
}

/** Where a page's entry is, or would be; undefined where it could not be. */
function slotOf(lg: Lguest, page: Gpfn, allocate: boolean): Ptr | undefined {
  let table = lg.nestedRoot;
  for (const shift of NESTED_SHIFTS.slice(0, -1)) {
    const at = toPtr(frameStart(table) + nestedIndex(page, shift) * 2);
    const entry = lg.words.read(at);
    if (entry & NESTED_READ) {
      table = toPfn(entry >>> 12);
      continue;
    }
    if (!allocate) return undefined;
    table = lg.host.frames.getZeroedPage(FrameKind.PageTable, lg.index);
    if (table === NO_FRAME) return undefined;
    lg.words.store(at, (table << 12) | NESTED_ALL);
  }
  return toPtr(frameStart(table) + nestedIndex(page, 0) * 2);
}

function freeBelow(lg: Lguest, table: Pfn, level: number): void {
  const { frames } = lg.host;
  for (let i = 0; i < NESTED_ENTRIES; i++) {
    const entry = lg.words.read(toPtr(frameStart(table) + i * 2));
    if ((entry & NESTED_READ) === 0) continue;
    const frame = toPfn(entry >>> 12);
    if (level === NESTED_SHIFTS.length - 1) frames.put(frame);
    else freeBelow(lg, frame, level + 1);
  }
  frames.disown(table);
}
