/**
 * A hash of a guest's memory: all of it by physical address, or the first process's by virtual
 * address, which does not depend on the paging form.
 */

import type { Host } from '../../shared/host.ts';
import type { Lguest } from '../../shared/lguest.ts';
import { MMS, Mm, RESULT } from '../guest/kernel/layout.ts';
import { isSwapped } from '../guest/kernel/page-tables.ts';
import {
  frameStart,
  type Gpa,
  gpfnOf,
  PAGE_WORDS,
  toGpa,
  toGpfn,
  wordInFrame,
} from '../hardware/address.ts';
import { Entry, isPresent, ptePfn } from '../hardware/entry.ts';
import { sha256 } from '../platform.ts';
import { asGuestSees } from './guest-tables.ts';

export interface MemoryDigest {
  /** Every page, page tables and kernel included. */
  readonly physical: string;
  /** The pages of the first process, and what all threads had computed. */
  readonly user: string;
  /** Pages of the guest that were ever written. */
  readonly pagesWritten: number;
  /** User pages of that process. */
  readonly userPages: number;
}

const DIGEST_CHARACTERS = 16;

/** At rest, before the guest is freed. */
export function digestMemory(host: Host, lg: Lguest): MemoryDigest {
  const all = sha256();
  let pagesWritten = 0;
  for (let page = 0; page < lg.pfnLimit; page++) {
    const frame = lg.map.frame(toGpfn(page));
    if (frame === 0 || frame === host.zeroPage) continue;
    pagesWritten++;
    all.update(`${page}:`).update(pageBytes(host, frameStart(frame)));
  }
  const user = sha256();
  user.update(String(readGuest(host, lg, toGpa(RESULT))));
  let userPages = 0;
  eachUserPage(host, lg, (vaddr, gpa) => {
    userPages++;
    user.update(`${vaddr}:`).update(pageBytes(host, frameStart(lg.map.frame(gpfnOf(gpa)))));
  });
  return {
    physical: all.hex().slice(0, DIGEST_CHARACTERS),
    user: user.hex().slice(0, DIGEST_CHARACTERS),
    pagesWritten,
    userPages,
  };
}

function pageBytes(host: Host, start: number): Uint8Array {
  // Hashing reads the bytes at once, and wants none that others could change.
  return Uint8Array.from(new Uint8Array(host.words.memory.buffer, start * 4, PAGE_WORDS * 4));
}

function readGuest(host: Host, lg: Lguest, gpa: Gpa): number {
  return host.words.load(wordInFrame(lg.map.frame(gpfnOf(gpa)), gpa));
}

/** Walk the guest's own tables, from the first process's top level; none before it started. */
function eachUserPage(host: Host, lg: Lguest, body: (vaddr: number, gpa: Gpa) => void): void {
  const { form, kernelAddress } = lg;
  const top = readGuest(host, lg, toGpa(MMS + Mm.pgd));
  const bytes = form.entryWords * 4;
  const read = (table: number, i: number): Entry => {
    const at = toGpa(table + i * bytes);
    return asGuestSees(lg, new Entry(readGuest(host, lg, at), 0));
  };
  const walk = (table: number, base: number, shifts: readonly number[]): void => {
    const [shift, ...below] = shifts;
    for (let i = 0; ; i++) {
      const vaddr = base + i * 2 ** shift!;
      const isLast = i === (shift === form.pgdirShift ? form.ptrsPerPgd : form.ptrsPerPte);
      if (isLast || vaddr >= kernelAddress) return;
      const entry = read(table, i);
      // Swapped-out content is in a page too.
      if (!isPresent(entry) && !(below.length === 0 && isSwapped(entry))) continue;
      const next = ptePfn(entry) * 4096;
      if (below.length === 0) body(vaddr, toGpa(next));
      else walk(next, vaddr, below);
    }
  };
  if (top !== 0) walk(top, 0, form.pae ? [30, 21, 12] : [22, 12]);
}
