/**
 * Page table entries, for both forms of 32-bit paging (SDM 3A 4.3 and 4.4).
 *
 * An entry is a value of two 32-bit halves; without PAE the high half is always 0 and never
 * stored. With that convention the functions below serve both forms, and only the geometry
 * differs: `PagingForm`.
 *
 * See docs/decisions/paging-forms.md.
 */

import type { Gva } from './address.ts';
import * as address from './address.ts';

const { PAGE_SHIFT } = address;

/** A separate constant: an exported one is no constant to V8, even here. */
const PRESENT = 0x001;

export const PAGE_PRESENT = PRESENT;
export const PAGE_RW = 0x002;
export const PAGE_USER = 0x004;
export const PAGE_ACCESSED = 0x020;
export const PAGE_DIRTY = 0x040;
export const PAGE_PSE = 0x080;
export const PAGE_GLOBAL = 0x100;
/** Bit 63: PAE only, in the high half. */
export const PAGE_NX_HIGH = 0x8000_0000 | 0;

/** `_PAGE_TABLE`: what a kernel puts into an entry that leads to another table. */
export const PAGE_TABLE = PAGE_PRESENT | PAGE_RW | PAGE_USER | PAGE_ACCESSED | PAGE_DIRTY;

/** One entry, as two signed 32-bit halves (signed, so that V8 keeps them unboxed). */
export class Entry {
  // Defined by the constructor alone: an entry is made on every fault.
  declare readonly low: number;
  declare readonly high: number;

  constructor(low: number, high: number) {
    this.low = low | 0;
    this.high = high | 0;
  }
}

/** The same, as a constant to V8. */
const Made = Entry;

export const NO_ENTRY = new Made(0, 0);

export const sameEntry = (a: Entry, b: Entry): boolean => a.low === b.low && a.high === b.high;

/**
 * The flags, as the seed sees them: it keeps them in an `unsigned long`, so those of
 * the high half (NX) do not exist for it.
 */
export const flagsOf = (entry: Entry): number => entry.low & 0xfff;

export const isPresent = (entry: Entry): boolean => (entry.low & PRESENT) !== 0;

/** `pte_pfn`: bits 12–43. Up to 32 bits wide with PAE. */
export const ptePfn = (pte: Entry): number => ((pte.high << 20) | (pte.low >>> PAGE_SHIFT)) >>> 0;

/**
 * `pgd_pfn` and `pmd_pfn`: everything above bit 11, so that stray high bits make it too large.
 * Without them it is an integer to the compiler.
 */
export const tablePfn = (entry: Entry): number =>
  entry.high === 0 ? entry.low >>> PAGE_SHIFT : wideTablePfn(entry);

const wideTablePfn = ({ low, high }: Entry): number =>
  (low >>> PAGE_SHIFT) + (high >>> 0) * 0x10_0000;

/**
 * `pfn_pte`. The flags are those of the low half, but for `noExecute`, which is PAGE_NX_HIGH or 0.
 */
export const makeEntry = (pfn: number, flags: number, noExecute = 0): Entry =>
  new Made((pfn << PAGE_SHIFT) | flags, (pfn >>> 20) | noExecute);

/** `pte_mkyoung`, `pte_mkdirty`, … */
export const withFlags = (entry: Entry, flags: number): Entry =>
  new Made(entry.low | flags, entry.high);
/** `pte_wrprotect`, … */
export const withoutFlags = (entry: Entry, flags: number): Entry =>
  new Made(entry.low & ~flags, entry.high);

/** All that differs between the two forms. */
export interface PagingForm {
  readonly name: 'nonpae' | 'pae';
  readonly pae: boolean;
  /** Words in an entry. */
  readonly entryWords: 1 | 2;
  /** PGDIR_SHIFT. */
  readonly pgdirShift: number;
  readonly ptrsPerPgd: number;
  /** 1 where the middle level is folded away. */
  readonly ptrsPerPmd: number;
  readonly ptrsPerPte: number;
  /** CHECK_GPGD_MASK: the flags that a guest's top-level entry may carry. */
  readonly checkGpgdMask: number;
  /** The made-up top-level entry of a guest without tables. */
  readonly linearGpgd: Entry;
}

export const NONPAE: PagingForm = {
  name: 'nonpae',
  pae: false,
  entryWords: 1,
  pgdirShift: 22,
  ptrsPerPgd: 1024,
  ptrsPerPmd: 1,
  ptrsPerPte: 1024,
  checkGpgdMask: PAGE_TABLE,
  linearGpgd: makeEntry(0, PAGE_TABLE),
};

export const PAE: PagingForm = {
  name: 'pae',
  pae: true,
  entryWords: 2,
  pgdirShift: 30,
  ptrsPerPgd: 4,
  ptrsPerPmd: 512,
  ptrsPerPte: 512,
  checkGpgdMask: PAGE_PRESENT,
  linearGpgd: makeEntry(0, PAGE_PRESENT),
};

export type PagingName = PagingForm['name'];

/** With PAE. */
const MIDDLE_SHIFT = 21;
export const PMD_SHIFT = MIDDLE_SHIFT;

export const pgdIndex = (form: PagingForm, va: Gva): number => va >>> form.pgdirShift;
export const pmdIndex = (form: PagingForm, va: Gva): number =>
  (va >>> MIDDLE_SHIFT) & (form.ptrsPerPmd - 1);
export const pteIndex = (form: PagingForm, va: Gva): number =>
  (va >>> PAGE_SHIFT) & (form.ptrsPerPte - 1);
