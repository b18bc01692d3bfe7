/** Nested paging, read from memory without the host's help: its table, and the way through it. */

import type { LgCpu } from '../../shared/lg-cpu.ts';
import type { Lguest } from '../../shared/lguest.ts';
import { ANY_WRITE, Right } from '../hardware/access.ts';
import { frameStart, type Gva, toGpfn, toGva, toPfn, toPtr } from '../hardware/address.ts';
import { Entry, PAGE_DIRTY } from '../hardware/entry.ts';
import {
  NESTED_ENTRIES,
  NESTED_READ,
  NESTED_SHIFTS,
  NESTED_WRITE,
  nestedIndex,
} from '../hardware/nested-entry.ts';
import { guestLookUp } from './guest-tables.ts';
import type { Translation } from './host-cpus.ts';
import { isTable, type Shadow, type ShadowEntry, type ShadowTable } from './shadow.ts';

/** The host's table as a shadow of guest-physical addresses. */
export function nestedTable(lg: Lguest): Shadow {
  const entries: ShadowEntry[] = [];
  const tables: ShadowTable[] = [];
  const of = { pgdir: -1, vcpu: undefined };
  const below = (frame: number, level: number, first: number, leading?: Entry): void => {
    const vaddr = toGva(first * 4096);
    tables.push({ ...of, vaddr, frame: toPfn(frame), level, entry: leading });
    if (!isTable(lg, frame)) return;
    for (let i = 0; i < NESTED_ENTRIES; i++) {
      const low = lg.words.load(toPtr(frameStart(toPfn(frame)) + i * 2));
      if ((low & NESTED_READ) === 0) continue;
      const entry = new Entry(low, 0);
      const page = first + i * 2 ** NESTED_SHIFTS[level]!;
      if (level < NESTED_SHIFTS.length - 1) {
        below(low >>> 12, level + 1, page, entry);
        continue;
      }
      const rights = Right.SupervisorRead | (low & NESTED_WRITE ? Right.SupervisorWrite : 0);
      entries.push({
        ...of,
        vaddr: toGva(page * 4096),
        entry,
        frame: toPfn(low >>> 12),
        rights,
      });
    }
  };
  if (lg.nestedRoot !== 0) below(lg.nestedRoot, 0, 0);
  return { entries, tables };
}

/** The translation of an address by the current tables of the guest and the host. */
export function translateNested({ lg, cr3, linearPages }: LgCpu, va: Gva): Translation | undefined {
  const all = 0x3f;
  const own = linearPages
    ? { page: va >>> 12, rights: all, entry: new Entry(PAGE_DIRTY, 0) }
    : guestLookUp(lg, cr3, va);
  if (own === undefined) return undefined;
  let low = 0;
  let table = lg.nestedRoot;
  for (const shift of NESTED_SHIFTS) {
    low = lg.words.load(toPtr(frameStart(table) + nestedIndex(toGpfn(own.page), shift) * 2));
    if ((low & NESTED_READ) === 0) return undefined;
    table = toPfn(low >>> 12);
  }
  const writable = (low & NESTED_WRITE) !== 0 && (own.entry.low & PAGE_DIRTY) !== 0;
  return { vaddr: va, frame: table, rights: writable ? own.rights : own.rights & ~ANY_WRITE };
}
