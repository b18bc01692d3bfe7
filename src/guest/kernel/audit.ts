/**
 * Invariants of the guest kernel's memory while its lock is free, checked from outside: every entry
 * of every process lies in an area whose rights cover it, every page's count is the number of
 * entries that map it, and every page has one use.
 * An entry that comes back after the kernel has cleared it breaks one of these.
 */

import { hex, PAGE_SHIFT, PAGE_SIZE } from '../../hardware/address.ts';
import { PAGE_PRESENT, PAGE_RW, PAGE_USER, type PagingForm } from '../../hardware/entry.ts';
import { Prot } from '../program.ts';
import {
  BALLOON,
  FREE_PAGES,
  FRESH_PAGE,
  firstFreePage,
  MAX_MMS,
  MAX_TASKS,
  MAX_VMAS,
  MEM_MAP,
  MM_BYTES,
  MMS,
  Mm,
  PAGE_OFFSET,
  STACK_PADDING,
  SWAPPER_PG_DIR,
  TASK_BYTES,
  TASKS,
  Task,
  THREAD_SIZE,
  VmArea,
  windowsStart,
  ZERO_PAGE,
} from './layout.ts';

export interface AuditedGuest {
  readonly form: PagingForm;
  /** Memory, in pages. */
  readonly pages: number;
  /** A word of it, by its guest-physical address. */
  readonly read: (gpa: number) => number;
  /** The low half of a page table entry, with the guest's page in it. */
  readonly entry: (gpa: number) => number;
}

/** One entry: where it is for, which level has it (0 is the last), and its low half. */
interface Entry {
  readonly address: number;
  readonly level: number;
  readonly low: number;
}

interface Area {
  readonly start: number;
  readonly end: number;
  readonly prot: number;
}

/** What is wrong, in words. Of a guest that is at rest and has booted. */
export function auditKernel(guest: AuditedGuest): string[] {
  const audit = new Audit(guest);
  audit.lists();
  audit.swapper();
  for (let i = 0; i < MAX_MMS; i++) audit.addressSpace(i);
  audit.counts();
  return audit.messages;
}

class Audit {
  readonly messages: string[] = [];
  readonly #guest: AuditedGuest;
  readonly #zeroPage: number;
  /** Each page's use; the first one found. */
  readonly #uses = new Map<number, string>();
  /** How many user entries map each page. */
  readonly #mapped = new Map<number, number>();
  readonly #ballooned: ReadonlySet<number>;

  constructor(guest: AuditedGuest) {
    this.#guest = guest;
    this.#zeroPage = guest.read(ZERO_PAGE);
    this.#use(this.#zeroPage, 'the zero page');
    this.#ballooned = new Set(this.#list(BALLOON, 'in the balloon'));
  }

  lists(): void {
    this.#list(FREE_PAGES, 'free');
    for (let i = 0; i < MAX_TASKS; i++) {
      const top = this.#guest.read(TASKS + i * TASK_BYTES + Task.stackTop);
      if (top === 0) continue;
      const first = (top + STACK_PADDING - PAGE_OFFSET - THREAD_SIZE) >>> PAGE_SHIFT;
      for (const page of [first, first + 1]) this.#use(page, `a stack of task ${i}`);
      for (const page of this.#pagesOf(i)) this.#use(page, `a page of kernel thread ${i}`);
    }
  }

  /** Those that a kernel thread shows in its window. */
  #pagesOf(task: number): number[] {
    const at = TASKS + task * TASK_BYTES + Task.pages;
    return [at, at + 4].map(this.#guest.read).filter((page) => page !== 0);
  }

  /** The kernel's mapping: every page to itself, but not what is in the balloon. */
  swapper(): void {
    const { pages, read } = this.#guest;
    const seen = new Set<number>();
    for (const { address, level, low } of this.#entries(
      read(SWAPPER_PG_DIR),
      PAGE_OFFSET,
      2 ** 32,
    )) {
      const page = (address - PAGE_OFFSET) >>> PAGE_SHIFT;
      if (level > 0) this.#use(low >>> PAGE_SHIFT, 'a table of the kernel');
      else if (address >= windowsStart(this.#guest)) this.#window(address, low >>> PAGE_SHIFT);
      else if (low >>> PAGE_SHIFT !== page) {
        this.#wrong(`the kernel maps page ${low >>> PAGE_SHIFT} where page ${page} belongs`);
      } else seen.add(page);
    }
    this.#use(read(SWAPPER_PG_DIR) >>> PAGE_SHIFT, 'the kernel’s top level');
    for (let page = 0; page < pages; page++) {
      if (seen.has(page) !== this.#ballooned.has(page)) continue;
      const how = seen.has(page)
        ? 'is in the balloon, and the kernel maps it'
        : 'is not mapped by the kernel';
      this.#wrong(`page ${page} ${how}`);
    }
  }

  #window(address: number, page: number): void {
    const task = (address - windowsStart(this.#guest)) >>> (PAGE_SHIFT + 1);
    if (this.#pagesOf(task).includes(page)) return;
    this.#wrong(`the window of task ${task} shows page ${page}, which it does not have`);
  }

  addressSpace(index: number): void {
    const { read } = this.#guest;
    const mm = MMS + index * MM_BYTES;
    if (read(mm + Mm.users) === 0) return;
    const pgd = read(mm + Mm.pgd);
    const areas = this.#areas(mm);
    this.#use(pgd >>> PAGE_SHIFT, `the top level of mm ${index}`);
    for (const { address, level, low } of this.#entries(pgd, 0, PAGE_OFFSET)) {
      const page = low >>> PAGE_SHIFT;
      if (level > 0) {
        this.#use(page, `a table of mm ${index}`);
        continue;
      }
      const area = areas.find(({ start, end }) => address >= start && address < end);
      const wrong = this.#wrongIn(low, area);
      if (wrong !== '') this.#wrong(`mm ${index}: the entry of ${hex(address)} ${wrong}`);
      if (page !== this.#zeroPage) this.#mapped.set(page, (this.#mapped.get(page) ?? 0) + 1);
    }
  }

  counts(): void {
    const { pages, read } = this.#guest;
    for (const [page, entries] of this.#mapped) {
      this.#use(page, 'mapped for users');
      const count = read(MEM_MAP + page * 4);
      if (count !== entries)
        this.#wrong(`page ${page} is mapped ${entries} times, and its count is ${count}`);
    }
    for (let page = firstFreePage(pages); page < read(FRESH_PAGE); page++) {
      if (!this.#uses.has(page)) this.#wrong(`page ${page} was taken and is used for nothing`);
    }
  }

  /** The violation of a last-level entry in an area, or ''. */
  #wrongIn(low: number, area: Area | undefined): string {
    if (area === undefined) return 'is in no area';
    const present = (low & PAGE_PRESENT) !== 0;
    const writable = present && (low & PAGE_RW) !== 0;
    if (present && area.prot === 0) return 'can be used, and its area cannot';
    if (writable && !(area.prot & Prot.Write)) return 'can be written, and its area cannot';
    if (present && !(low & PAGE_USER)) return 'is the kernel’s';
    return writable && low >>> PAGE_SHIFT === this.#zeroPage ? 'can be written: the zero page' : '';
  }

  /** The pages of a list that is chained through mem_map. */
  #list(head: number, use: string): number[] {
    const { read } = this.#guest;
    const list: number[] = [];
    for (let page = read(head); page !== 0; page = read(MEM_MAP + page * 4)) {
      if (!this.#use(page, use)) break;
      list.push(page);
    }
    return list;
  }

  #areas(mm: number): Area[] {
    const { read } = this.#guest;
    const areas: Area[] = [];
    for (let at = read(mm + Mm.vmas); at !== 0; at = read(at + VmArea.next)) {
      const [start, end, prot] = [VmArea.start, VmArea.end, VmArea.prot].map((i) => read(at + i));
      const before = areas.at(-1);
      areas.push({ start: start!, end: end!, prot: prot! });
      if (start! >= end! || (before !== undefined && before.end > start!)) {
        this.#wrong(`the area ${hex(start!)}-${hex(end!)} is empty or overlaps another`);
      }
      if (areas.length > MAX_VMAS) break;
    }
    return areas;
  }

  /** Every entry in use below a top level, for addresses in a range. */
  *#entries(top: number, start: number, end: number): Generator<Entry> {
    const { form } = this.#guest;
    const shifts = form.pae ? [30, 21, PAGE_SHIFT] : [22, PAGE_SHIFT];
    yield* this.#below(top, 0, shifts, { start, end });
  }

  *#below(
    table: number,
    base: number,
    [shift, ...below]: readonly number[],
    range: { start: number; end: number },
  ): Generator<Entry> {
    const { form } = this.#guest;
    const bytes = form.entryWords * 4;
    const isTop = below.length === (form.pae ? 2 : 1);
    const length = isTop ? form.ptrsPerPgd : PAGE_SIZE / bytes;
    for (let i = 0; i < length; i++) {
      const address = base + i * 2 ** shift!;
      if (address >= range.end) return;
      if (address + 2 ** shift! <= range.start) continue;
      const low = this.#guest.entry(table + i * bytes);
      if (below.length === 0 ? low === 0 : (low & PAGE_PRESENT) === 0) continue;
      yield { address, level: below.length, low };
      if (below.length > 0) yield* this.#below((low & -PAGE_SIZE) >>> 0, address, below, range);
    }
  }

  /** False when the page is used for something else already. */
  #use(page: number, use: string): boolean {
    const other = this.#uses.get(page);
    if (page >= this.#guest.pages) this.#wrong(`page ${page}, ${use}, is past the end of memory`);
    else if (other !== undefined) this.#wrong(`page ${page} is ${other} and ${use}`);
    else this.#uses.set(page, use);
    return page < this.#guest.pages && other === undefined;
  }

  #wrong(message: string): void {
    this.messages.push(message);
  }
}
