/**
 * How the host reads and writes guest memory: `lgread` and `lgwrite` of lguest's
 * core.c, through the Launcher's map.
 */

import type { Gpa, Pfn } from '../src/hardware/address.ts';
import * as address from '../src/hardware/address.ts';
import type { Entry } from '../src/hardware/entry.ts';
import * as entries from '../src/hardware/entry.ts';
import type { LgCpu } from './lg-cpu.ts';
import { killGuest, type Lguest } from './lguest.ts';

const { Entry: EntryValue, NO_ENTRY } = entries;
const { gpfnOf, hex, NO_FRAME, PAGE_SHIFT, toGpa, toPtr, wordInFrame } = address;

/** `lguest_address_ok`. As in the kernel, the last byte of memory is not within reach. */
export function lguestAddressOk(lg: Lguest, gpa: Gpa, bytes: number): boolean {
  const end = (gpa + bytes) >>> 0;
  return end >= gpa && end >>> PAGE_SHIFT < lg.pfnLimit;
}

/** A word at a 4-byte-aligned address. A bad address kills the guest and reads as 0. */
export function lgreadWord(cpu: LgCpu, gpa: Gpa): number {
  const frame = readable(cpu, gpa, 4);
  return frame === NO_FRAME ? 0 : cpu.lg.words.read(wordInFrame(frame, gpa));
}

/** A bad or unwritable address kills the guest and nothing is written. */
export function lgwriteWord(cpu: LgCpu, gpa: Gpa, value: number): void {
  const frame = writable(cpu, gpa, 4);
  if (frame !== NO_FRAME) cpu.lg.words.write(wordInFrame(frame, gpa), value);
}

/** `lgread(cpu, gpa, pte_t)`, whole. */
export function lgreadEntry(cpu: LgCpu, gpa: Gpa): Entry {
  const { lg } = cpu;
  const frame = readable(cpu, gpa, lg.form.entryWords * 4);
  if (frame === NO_FRAME) return NO_ENTRY;
  const at = wordInFrame(frame, gpa);
  if (lg.form.pae && lg.steps.copiesHalves()) {
    return new EntryValue(lg.words.read(at), lg.words.read(toPtr(at + 1)));
  }
  return lg.entry(at);
}

/** `lgwrite(cpu, gpa, pte_t, entry)`; with R2 it is copied byte by byte. */
export function lgwriteEntry(cpu: LgCpu, gpa: Gpa, entry: Entry): void {
  const frame = writable(cpu, gpa, cpu.lg.form.entryWords * 4);
  if (frame === NO_FRAME) return;
  const { words } = cpu.lg;
  const at = wordInFrame(frame, gpa);
  words.write(at, entry.low);
  if (cpu.lg.form.pae) words.write(toPtr(at + 1), entry.high);
}

/**
 * Replace `expected` by `entry` atomically. False if something else was there. A bad address kills
 * the guest and counts as done.
 */
export function lgcmpxchgEntry(cpu: LgCpu, gpa: Gpa, expected: Entry, entry: Entry): boolean {
  const frame = writable(cpu, gpa, cpu.lg.form.entryWords * 4);
  if (frame === NO_FRAME) return true;
  return cpu.lg.compareExchangeEntry(wordInFrame(frame, gpa), expected, entry);
}

/**
 * `get_user` and `put_user`: by the Launcher's mapping alone, without the check against
 * pfn_limit. `undefined` and false where nothing is mapped.
 */
export function getUser(lg: Lguest, gpa: Gpa): number | undefined {
  const frame = lg.map.frameForHost(gpfnOf(gpa), false);
  return frame === NO_FRAME ? undefined : lg.words.read(wordInFrame(frame, gpa));
}

export function putUser(lg: Lguest, gpa: Gpa, value: number): boolean {
  const frame = lg.map.frameForHost(gpfnOf(gpa), true);
  if (frame === NO_FRAME) return false;
  lg.words.write(wordInFrame(frame, gpa), value);
  return true;
}

/** A zero-terminated text of at most `most` bytes. */
export function lgreadText(cpu: LgCpu, gpa: Gpa, most: number): string {
  const bytes: number[] = [];
  for (let i = 0; i < most; i++) {
    const at = toGpa(gpa + i);
    const byte = (lgreadWord(cpu, toGpa(at & ~3)) >>> ((at & 3) * 8)) & 0xff;
    if (byte === 0) break;
    bytes.push(byte);
  }
  return String.fromCharCode(...bytes);
}

function readable(cpu: LgCpu, gpa: Gpa, bytes: number): Pfn {
  const frame = lguestAddressOk(cpu.lg, gpa, bytes)
    ? cpu.lg.map.frameForHost(gpfnOf(gpa), false)
    : NO_FRAME;
  if (frame === NO_FRAME) killGuest(cpu, `bad read address ${hex(gpa)} len ${bytes}`);
  return frame;
}

function writable(cpu: LgCpu, gpa: Gpa, bytes: number): Pfn {
  const frame = lguestAddressOk(cpu.lg, gpa, bytes)
    ? cpu.lg.map.frameForHost(gpfnOf(gpa), true)
    : NO_FRAME;
  if (frame === NO_FRAME) killGuest(cpu, `bad write address ${hex(gpa)} len ${bytes}`);
  return frame;
}
