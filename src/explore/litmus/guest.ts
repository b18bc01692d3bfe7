/**
 * The layout of the guest memory of a litmus test, as a kernel would have set it up.
 *
 *     pages 1 to 4     struct lguest_data, one for each vCPU
 *     page  5          words of the kernel's
 *     page  6 …        a stack for each vCPU
 *     then             page tables
 *     page  0x20 …     what the test maps
 *
 * The kernel maps all of it at PAGE_OFFSET, by tables that all top levels share.
 */

import { assert } from '../../errors.ts';
import { KERNEL_PAGE } from '../../guest/kernel/kernel-mapping.ts';
import { LGUEST_DATA, LGUEST_DATA_STRIDE, PAGE_OFFSET } from '../../guest/kernel/layout.ts';
import { type Gpa, type Gva, PAGE_SIZE, toGpa, toGva } from '../../hardware/address.ts';
import {
  type Entry,
  makeEntry,
  PAGE_PRESENT,
  PAGE_TABLE,
  type PagingForm,
  pgdIndex,
  pmdIndex,
  pteIndex,
} from '../../hardware/entry.ts';
import { FIRST_USER_PAGE, type Litmus } from './litmus.ts';

export const lguestDataOf = (vcpu: number): Gpa => toGpa(LGUEST_DATA + vcpu * LGUEST_DATA_STRIDE);

/** Columns that have ended: four bits for each. */
export const ENDED = toGpa(0x5800);
/** The reason text of a guest that ends by itself. */
export const END_TEXT = toGpa(0x5900);
export const END_REASON = 'end';

const FIRST_STACK_PAGE = 6;
/** The host translates the stack's beginning, so this must lie in its page. */
const STACK_PADDING = 16;

/** Where a vCPU's stack for traps begins, unless the test says otherwise. */
export const stackOf = (vcpu: number): Gva =>
  toGva(PAGE_OFFSET + (FIRST_STACK_PAGE + vcpu + 1) * PAGE_SIZE - STACK_PADDING);

/** Where a column's operations are, and the handlers of traps. */
const TEXT = 0x80_0000;
const HANDLERS = PAGE_OFFSET + 0x70_0000;
export const Handler = {
  pageFault: HANDLERS,
  ipi: HANDLERS + 16,
  syscall: HANDLERS + 32,
} as const;

/** Bits of eip beside column and position: an operation in two steps; a vCPU's first step. */
export const SECOND_STEP = 1;
export const STARTING = 2;

/** The address of an operation: low while the guest has no page tables. */
export const textAt = (column: number, position: number, linear: boolean): number =>
  (linear ? 0 : PAGE_OFFSET) + TEXT + column * PAGE_SIZE + position * 4;

export interface Place {
  readonly column: number;
  readonly position: number;
  readonly linear: boolean;
  readonly step: number;
}

export function placeAt(eip: number): Place {
  const linear = eip < PAGE_OFFSET;
  const offset = eip - textAt(0, 0, linear);
  const position = (offset & (PAGE_SIZE - 1)) >>> 2;
  return { column: Math.floor(offset / PAGE_SIZE), position, linear, step: offset & 3 };
}

/** The guest's own page tables at the beginning. */
export class GuestTables {
  readonly #form: PagingForm;
  readonly #tops = new Map<string, Gpa>();
  /** Tables by the entry that leads to them, and all entries by address. */
  readonly #below = new Map<number, number>();
  readonly entries = new Map<Gpa, Entry>();
  /** The last-level table of the kernel's mapping. */
  readonly #kernel: number;
  #next: number;

  constructor({ guest, vcpus }: Litmus, form: PagingForm) {
    this.#form = form;
    this.#next = FIRST_STACK_PAGE + vcpus.length;
    const kernel = this.#allocate();
    this.#kernel = kernel;
    for (let page = 0; page < guest.pages; page++) {
      this.entries.set(this.#entryIn(kernel, page), makeEntry(page, KERNEL_PAGE));
    }
    const middle = form.pae ? this.#allocate() : kernel;
    if (form.pae) this.entries.set(this.#entryIn(middle, 0), makeEntry(kernel, PAGE_TABLE));
    for (const [name, mapped] of guest.tables) {
      const top = this.#allocate();
      this.#tops.set(name, toGpa(top * PAGE_SIZE));
      const flags = form.pae ? PAGE_PRESENT : PAGE_TABLE;
      const index = pgdIndex(form, toGva(PAGE_OFFSET));
      this.entries.set(this.#entryIn(top, index), makeEntry(middle, flags));
      for (const [va, entry] of mapped) this.entries.set(this.#place(name, va), entry);
    }
    for (const { ops } of vcpus) {
      for (const op of ops) {
        if ('table' in op && 'va' in op && op.va < PAGE_OFFSET) this.#place(op.table, op.va);
      }
    }
    assert(this.#next <= FIRST_USER_PAGE, 'the page tables fit below the pages of the test');
  }

  top(table: string): Gpa {
    return this.#tops.get(table)!;
  }

  /** Where the last-level entry of an address is. */
  pte(table: string, va: Gva): Gpa {
    if (va < PAGE_OFFSET) return this.#place(table, va);
    return this.#entryIn(this.#kernel, (va - PAGE_OFFSET) >>> 12);
  }

  /** Where the entry above is, and its table. For the program's addresses alone. */
  upper(table: string, va: Gva): { readonly at: Gpa; readonly below: number } {
    const at = this.#upper(table, va);
    return { at, below: this.#table(at, PAGE_TABLE) };
  }

  /** The same; missing tables are allocated. */
  #place(table: string, va: Gva): Gpa {
    const below = this.#table(this.#upper(table, va), PAGE_TABLE);
    return this.#entryIn(below, pteIndex(this.#form, va));
  }

  #upper(table: string, va: Gva): Gpa {
    const form = this.#form;
    let page = this.top(table) / PAGE_SIZE;
    if (form.pae) page = this.#table(this.#entryIn(page, pgdIndex(form, va)), PAGE_PRESENT);
    return this.#entryIn(page, form.pae ? pmdIndex(form, va) : pgdIndex(form, va));
  }

  #table(entry: Gpa, flags: number): number {
    const page = this.#below.get(entry) ?? this.#allocate();
    this.#below.set(entry, page);
    this.entries.set(entry, makeEntry(page, flags));
    return page;
  }

  #entryIn(page: number, index: number): Gpa {
    return toGpa(page * PAGE_SIZE + index * this.#form.entryWords * 4);
  }

  #allocate(): number {
    return this.#next++;
  }
}
