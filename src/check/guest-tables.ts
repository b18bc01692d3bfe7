/** A guest's own page tables, walked in its memory without the paging code's help. */

import { Dead, type Lguest } from '../../shared/lguest.ts';
import { LINEAR, NOBODYS } from '../../shared/pgdir.ts';
import { guestEntry } from '../direct/tables.ts';
import { KERNEL_LOCK, PAGE_TABLE_LOCK, TELLING } from '../guest/kernel/layout.ts';
import {
  type Gpa,
  type Gva,
  gpfnOf,
  NO_FRAME,
  type Ptr,
  toGpa,
  toGpfn,
  toGva,
  wordInFrame,
} from '../hardware/address.ts';
import { Entry, isPresent, ptePfn } from '../hardware/entry.ts';
import { rightsOf, shiftsOf } from './shadow.ts';

export interface GuestEntry {
  readonly entry: Entry;
  /** The guest page that it maps. */
  readonly page: number;
  /** The rights by all levels. */
  readonly rights: number;
}

/**
 * Whether the host has been told of the guest's tables as they are: its kernel is not in the middle
 * of a change, or it has ended by itself. False before it has tables, and for a guest that the host
 * killed, which may have been anywhere.
 */
export function isSynchronised(lg: Lguest): boolean {
  if (lg.cpus.some((cpu) => cpu.linearPages && (cpu.started || cpu.id === 0))) return false;
  // Its kernel boots without its lock, until it gives the first vCPU a stack.
  const [first] = lg.cpus;
  if (first?.started && first.ss1 === 0) return false;
  if (lg.dead !== Dead.Alive && lg.dead !== Dead.PoweredOff) return false;
  const isZero = (at: number): boolean => wordOf(lg, toGpa(at)) === 0;
  // A kernel thread may be in the middle of something also when the guest ends.
  if (!lg.cpus.every(({ id }) => isZero(TELLING + id * 4))) return false;
  return lg.dead === Dead.PoweredOff || (isZero(KERNEL_LOCK) && isZero(PAGE_TABLE_LOCK));
}

/** Whether a shadow's tables are as the host was told. */
export const isShadowed = (lg: Lguest): boolean => lg.isShadow && isSynchronised(lg);

/** The guest's entry for an address, by the top level at `top`; undefined for none. */
export function guestLookUp(lg: Lguest, top: Gpa, vaddr: Gva): GuestEntry | undefined {
  const { form } = lg;
  const way: Entry[] = [];
  let table: number = top;
  for (const [level, shift] of shiftsOf(form).entries()) {
    const mask = level === 0 ? form.ptrsPerPgd - 1 : form.ptrsPerPte - 1;
    const entry = guestEntryAt(lg, toGpa(table + ((vaddr >>> shift) & mask) * form.entryWords * 4));
    if (entry === undefined || !isPresent(entry)) return undefined;
    // A PAE top-level entry allows everything.
    if (!form.pae || level > 0) way.push(entry);
    if (shift === 12) return { entry, page: ptePfn(entry), rights: rightsOf(way, lg.nx) };
    table = ptePfn(entry) * 4096;
  }
  return undefined;
}

/** A present entry of the guest's own tables, of any level; 0 is the top. */
export interface GuestTableEntry {
  readonly level: number;
  readonly vaddr: Gva;
  readonly entry: Entry;
}

/** All tables and entries below a pgdir's top level, if it has one, tables first. */
export function* guestEntries(lg: Lguest, top: Gpa): Generator<GuestTableEntry> {
  if (top === LINEAR || top === NOBODYS) return;
  yield* entriesBelow(lg, top, 0, 0);
}

function* entriesBelow(
  lg: Lguest,
  table: number,
  level: number,
  base: number,
): Generator<GuestTableEntry> {
  const { form } = lg;
  const shift = shiftsOf(form)[level]!;
  const length = level === 0 ? form.ptrsPerPgd : form.ptrsPerPte;
  for (let i = 0; i < length; i++) {
    const entry = guestEntryAt(lg, toGpa(table + i * form.entryWords * 4));
    if (entry === undefined || !isPresent(entry)) continue;
    const vaddr = base + i * 2 ** shift;
    yield { level, vaddr: toGva(vaddr), entry };
    if (shift > 12) yield* entriesBelow(lg, ptePfn(entry) * 4096, level + 1, vaddr);
  }
}

/**
 * The top level to compare a pgdir's translation of `vaddr` with. The kernel's part is the same in
 * all, and the page of a top level that no vCPU uses may have been reused.
 */
export function judgingTop(lg: Lguest, pgdir: number, vaddr: Gva): Gpa {
  const { gpgdir } = lg.pgdirs[pgdir]!;
  if (vaddr < lg.kernelAddress) return gpgdir;
  const running = lg.cpus.filter((cpu) => cpu.started);
  return running.some((cpu) => cpu.cr3 === gpgdir) ? gpgdir : (running[0]?.cr3 ?? gpgdir);
}

/** The frame behind a guest page; NO_FRAME where there is none. */
export const guestFrame = (lg: Lguest, page: number): number =>
  page < lg.pfnLimit ? lg.map.frame(toGpfn(page)) : NO_FRAME;

function wordAt(lg: Lguest, gpa: Gpa): Ptr | undefined {
  const page = gpfnOf(gpa);
  const frame = page < lg.pfnLimit ? lg.map.frame(page) : NO_FRAME;
  return frame === NO_FRAME ? undefined : wordInFrame(frame, gpa);
}

/** A word of guest memory; 0 where nothing is mapped. */
export function wordOf(lg: Lguest, gpa: Gpa): number {
  const at = wordAt(lg, gpa);
  return at === undefined ? 0 : lg.host.words.load(at);
}

function guestEntryAt(lg: Lguest, gpa: Gpa): Entry | undefined {
  const at = wordAt(lg, gpa);
  if (at === undefined) return undefined;
  const { words } = lg.host;
  return asGuestSees(lg, lg.form.pae ? words.load64(at) : new Entry(words.load(at), 0));
}

/** An entry with the guest's page in it: with direct paging it holds the frame. */
export const asGuestSees = (lg: Lguest, entry: Entry): Entry =>
  lg.isDirect && !lg.cpus[0]!.linearPages ? guestEntry(lg, entry) : entry;
