/** The meaning of each word of a litmus test's guest memory: page tables and kernel data. */

import { LGUEST_DATA_BYTES, LguestData, RING_SLOTS } from '../../../shared/lguest-data.ts';
import { shiftsOf } from '../../check/shadow.ts';
import { PAGE_OFFSET } from '../../guest/kernel/layout.ts';
import { type Gpa, gpfnOf, PAGE_SIZE, pageOffset, toGpa, toGva } from '../../hardware/address.ts';
import { isPresent, type PagingForm, ptePfn } from '../../hardware/entry.ts';
import { END_TEXT, ENDED, GuestTables, lguestDataOf, stackOf } from '../litmus/guest.ts';
import type { Litmus } from '../litmus/litmus.ts';

/** A page of the guest's own tables: top level, level from the top, and first address. */
interface GuestTable {
  readonly owner: string;
  readonly level: number;
  readonly base: number;
}

export interface GuestWord {
  readonly name: string;
  /** An entry of the last level or of one above, the kernel's own bookkeeping, or the test's. */
  readonly kind: 'guestEntry' | 'guestUpper' | 'kernelWord' | 'guestWord' | 'number';
}

/** Entries of each level by the names of the SDM, from the top. */
export const levelNames = ({ pae }: PagingForm): readonly string[] =>
  pae ? ['pdpte', 'pde', 'pte'] : ['pde', 'pte'];

export const hexAddress = (address: number): string =>
  `0x${(address >>> 0).toString(16).padStart(8, '0')}`;

export const hexPage = (page: number): string => `0x${page.toString(16)}`;

export class GuestWords {
  readonly #form: PagingForm;
  readonly #tables = new Map<number, GuestTable>();
  readonly #names = new Map<Gpa, string>();

  constructor(litmus: Litmus, form: PagingForm) {
    this.#form = form;
    const tables = new GuestTables(litmus, form);
    for (const name of litmus.guest.tables.keys()) {
      this.#follow(tables, gpfnOf(tables.top(name)), { owner: `in ${name}`, level: 0, base: 0 });
    }
    for (const vcpu of litmus.vcpus.keys()) this.#nameKernelWords(vcpu);
    this.#names.set(ENDED, 'count of columns that are at their end');
    this.#names.set(END_TEXT, "the guest's reason to end");
  }

  /** `index`: of the word within its page. */
  at(page: number, index: number): GuestWord {
    const table = this.#tables.get(page);
    if (table === undefined) {
      const own = this.#names.get(toGpa(page * PAGE_SIZE + index * 4));
      if (own !== undefined) return { name: own, kind: 'kernelWord' };
      return { name: `word ${index} of guest page ${hexPage(page)}`, kind: 'guestWord' };
    }
    const { level, base, owner } = table;
    const shifts = shiftsOf(this.#form);
    const high = this.#form.pae && index % 2 === 1 ? 'high half of ' : '';
    const entry = Math.floor(index / this.#form.entryWords);
    const address = hexAddress(base + entry * 2 ** shifts[level]!);
    const what = levelNames(this.#form)[level]!;
    return {
      name: `${high}guest ${what} of ${address} ${owner}`,
      kind: high ? 'number' : level === shifts.length - 1 ? 'guestEntry' : 'guestUpper',
    };
  }

  #follow(tables: GuestTables, page: number, table: GuestTable): void {
    if (this.#tables.has(page)) return;
    this.#tables.set(page, table);
    const shifts = shiftsOf(this.#form);
    if (table.level === shifts.length - 1) return;
    const bytes = this.#form.entryWords * 4;
    for (let i = 0; i < PAGE_SIZE / bytes; i++) {
      const entry = tables.entries.get(toGpa(page * PAGE_SIZE + i * bytes));
      if (entry === undefined || !isPresent(entry)) continue;
      const base = table.base + i * 2 ** shifts[table.level]!;
      const owner = base >= PAGE_OFFSET ? 'in all tables' : table.owner;
      this.#follow(tables, ptePfn(entry), { owner, level: table.level + 1, base });
    }
  }

  /** Its struct lguest_data, and its stack. */
  #nameKernelWords(vcpu: number): void {
    const data = lguestDataOf(vcpu);
    const of = `of vCPU ${vcpu}`;
    for (let at = 0; at < LGUEST_DATA_BYTES; at += 4) {
      this.#names.set(toGpa(data + at), `hypercall ring ${of}`);
    }
    for (let slot = 0; slot < RING_SLOTS; slot++) {
      this.#names.set(LguestData.hcallStatus(data, slot), `slot ${slot} of the ring ${of}`);
    }
    for (const [field, name] of [
      [LguestData.irqEnabled, 'irq_enabled'],
      [LguestData.blockedInterrupts, 'blocked_interrupts'],
      [LguestData.cr2, 'cr2'],
      [LguestData.irqPending, 'irq_pending'],
      [LguestData.reserveMem, 'reserve_mem'],
      [LguestData.kernelAddress, 'kernel_address'],
      [LguestData.syscallVec, 'syscall_vec'],
    ] as const) {
      this.#names.set(field(data), `${name} in lguest_data ${of}`);
    }
    const stack = toGva(stackOf(vcpu) - PAGE_OFFSET);
    const page = stack - pageOffset(stack);
    for (let at = page; at < page + PAGE_SIZE; at += 4) {
      this.#names.set(toGpa(at), `kernel stack ${of}`);
    }
  }
}
