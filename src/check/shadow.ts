/** A guest's shadow tables, read from memory without the paging code's help. */

import {
  frameStart,
  type Gva,
  PAGE_SIZE,
  type Pfn,
  type Ptr,
  toGva,
  toPfn,
  toPtr,
} from '../../shared/address.ts';
import { type Entry, isPresent } from '../../shared/entry.ts';
import type { Lguest } from '../../shared/lguest.ts';

export interface ShadowEntry {
  /** −1 in a vCPU's own Switcher table. */
  readonly pgdir: number;
  readonly vaddr: Gva;
  readonly entry: Entry;
  /** The frame that it maps. */
  readonly frame: Pfn;
}

/** Every present entry of the last level. At rest only. */
export function* shadowEntries(lg: Lguest): Generator<ShadowEntry> {
  const { form } = lg;
  const shifts = form.pae ? [form.pgdirShift, 21, 12] : [form.pgdirShift, 12];
  const lengths = form.pae
    ? [form.ptrsPerPgd, form.ptrsPerPmd, form.ptrsPerPte]
    : [form.ptrsPerPgd, form.ptrsPerPte];
  function* walk(pgdir: number, table: Ptr, level: number, base: number): Generator<ShadowEntry> {
    for (let i = 0; i < lengths[level]!; i++) {
      const entry = lg.entry(toPtr(table + i * form.entryWords));
      if (!isPresent(entry)) continue;
      const frame = toPfn(entry.low >>> 12);
      const vaddr = toGva(base + i * 2 ** shifts[level]!);
      if (level === lengths.length - 1) yield { pgdir, vaddr, entry, frame };
      else yield* walk(pgdir, frameStart(frame), level + 1, vaddr);
    }
  }
  for (const { switcherTable } of lg.cpus) {
    if (switcherTable === 0) continue;
    const base = lg.host.switcherAddr & -(form.ptrsPerPte * PAGE_SIZE);
    yield* walk(-1, frameStart(switcherTable), lengths.length - 1, base >>> 0);
  }
  for (const [i, { pgdir }] of lg.pgdirs.entries()) {
    if (pgdir !== 0) yield* walk(i, pgdir, 0, 0);
  }
}
