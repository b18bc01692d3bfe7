/** A guest's shadow tables, read from memory without the paging code's help. */

import { FrameKind } from '../../shared/frames.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import type { Lguest } from '../../shared/lguest.ts';
import { Right } from '../hardware/access.ts';
import {
  frameOf,
  frameStart,
  type Gva,
  NO_FRAME,
  PAGE_SIZE,
  type Pfn,
  toGva,
  toPfn,
  toPtr,
} from '../hardware/address.ts';
import {
  type Entry,
  PAGE_NX_HIGH,
  PAGE_RW,
  PAGE_USER,
  type PagingForm,
} from '../hardware/entry.ts';

export interface ShadowEntry {
  /** −1 in a vCPU's own Switcher table. */
  readonly pgdir: number;
  /** Whose table it is, if it is a vCPU's own. */
  readonly vcpu: LgCpu | undefined;
  readonly vaddr: Gva;
  readonly entry: Entry;
  /** The frame that it maps. */
  readonly frame: Pfn;
  /** The rights by all levels: bits of `Right`. */
  readonly rights: number;
}

/** A table and what leads to it: an entry of the level above, a pgdir, or a vCPU's record. */
export interface ShadowTable {
  readonly pgdir: number;
  readonly vcpu: LgCpu | undefined;
  readonly vaddr: Gva;
  readonly frame: Pfn;
  /** 0 is the top. */
  readonly level: number;
  /** The entry that leads to it; undefined for a top level, and for a vCPU's own. */
  readonly entry: Entry | undefined;
}

/** How many bits of the address are below each level's index, from the top. */
export const shiftsOf = (form: PagingForm): readonly number[] =>
  form.pae ? [30, 21, 12] : [22, 12];

const lengthsOf = (form: PagingForm): readonly number[] =>
  form.pae
    ? [form.ptrsPerPgd, form.ptrsPerPmd, form.ptrsPerPte]
    : [form.ptrsPerPgd, form.ptrsPerPte];

/** Whether a frame is a page table of the guest; nothing else is walked. */
export const isTable = (lg: Lguest, frame: number): boolean =>
  lg.host.frames.exists(frame) &&
  lg.host.frames.kind(toPfn(frame)) === FrameKind.PageTable &&
  lg.host.frames.owner(toPfn(frame)) === lg.index;

/**
 * What entries allow that an access uses one after the other: RW and USER of all of them,
 * and NX of any. A PAE top-level entry is not to be among them (SDM 3A 4.4.1).
 */
export function rightsOf(entries: readonly Entry[], nx: boolean): number {
  const flags = entries.reduce((all, entry) => all & entry.low, PAGE_RW | PAGE_USER);
  const executable = !nx || entries.every((entry) => !(entry.high & PAGE_NX_HIGH));
  let rights: number = Right.SupervisorRead;
  if (flags & PAGE_RW) rights |= Right.SupervisorWrite;
  if (executable) rights |= Right.SupervisorFetch;
  // Each right of the user's is the bit above the supervisor's.
  return flags & PAGE_USER ? rights | (rights << 1) : rights;
}

/** All that a guest's shadow is made of, in order. */
export interface Shadow {
  /** Every present entry of the last level. */
  readonly entries: readonly ShadowEntry[];
  /** Every table, once for each entry or record that leads to it. */
  readonly tables: readonly ShadowTable[];
}

/** Walks it. */
class Walk implements Shadow {
  readonly entries: ShadowEntry[] = [];
  readonly tables: ShadowTable[] = [];
  readonly #lg: Lguest;
  readonly #shifts: readonly number[];
  readonly #lengths: readonly number[];

  constructor(lg: Lguest) {
    this.#lg = lg;
    this.#shifts = shiftsOf(lg.form);
    this.#lengths = lengthsOf(lg.form);
  }

  get last(): number {
    return this.#lengths.length - 1;
  }

  /** All that hangs below a table; one that is none is told of and not walked. */
  below(
    of: { readonly pgdir: number; readonly vcpu: LgCpu | undefined },
    table: Pfn,
    level: number,
    base: number,
    above: readonly Entry[],
    leading?: Entry,
  ): void {
    const lg = this.#lg;
    const { form, host } = lg;
    const { pgdir, vcpu } = of;
    this.tables.push({ pgdir, vcpu, vaddr: toGva(base), frame: table, level, entry: leading });
    if (!isTable(lg, table)) return;
    const length = this.#lengths[level]!;
    const bytes = 2 ** this.#shifts[level]!;
    for (let i = 0; ; i++) {
      const from = toPtr(frameStart(table) + i * form.entryWords);
      i += host.words.scan(from, length - i, form.entryWords);
      if (i >= length) return;
      const entry = lg.entry(toPtr(frameStart(table) + i * form.entryWords));
      const frame = toPfn(entry.low >>> 12);
      const vaddr = toGva(base + i * bytes);
      const way = form.pae && level === 0 ? above : [...above, entry];
      if (level < this.last) this.below(of, frame, level + 1, vaddr, way, entry);
      else this.entries.push({ pgdir, vcpu, vaddr, entry, frame, rights: rightsOf(way, lg.nx) });
    }
  }
}

/** At rest, or with all CPUs at safe points. `pgdirs`: those that are the host's own tables. */
export function shadowOf(lg: Lguest, pgdirs = lg.pgdirs): Shadow {
  const walk = new Walk(lg);
  const span = lg.form.ptrsPerPte * PAGE_SIZE;
  for (const vcpu of lg.cpus) {
    const base = (lg.host.switcherAddr & -span) >>> 0;
    const { switcherTable } = vcpu;
    if (switcherTable !== NO_FRAME)
      walk.below({ pgdir: -1, vcpu }, switcherTable, walk.last, base, []);
  }
  for (const [i, { pgdir }] of pgdirs.entries()) {
    if (pgdir !== 0) walk.below({ pgdir: i, vcpu: undefined }, frameOf(pgdir), 0, 0, []);
  }
  // The roots are copies, made at every entry, of what pgdirs hold.
  for (const vcpu of lg.cpus) {
    for (const frame of [vcpu.root, vcpu.rootPmd]) {
      if (frame === NO_FRAME) continue;
      const level = frame === vcpu.root ? 0 : 1;
      walk.tables.push({ pgdir: -1, vcpu, vaddr: toGva(0), frame, level, entry: undefined });
    }
  }
  return walk;
}
