import { type OpKind, Prot } from '../guest/program.ts';
import type { Range } from './fold.ts';

/**
 * What the guest's process will have mapped when it replays the calls of the trace,
 * page by page, in guest addresses. It says which pages exec has to map, and where a
 * replay would fault though the original run did not.
 */
export class AddressSpace {
  /** State of each page now. */
  readonly #pages = new Uint8Array(PAGES);
  /** What exec maps: rights, and MAPPED where it maps anything. */
  readonly #image = new Uint8Array(PAGES);

  /** Whether the page of `address` allows an access of this kind: the question of each access. */
  allows(kind: OpKind, address: number): boolean {
    const need = NEED[kind]!;
    return (this.#pages[address >>> PAGE_SHIFT]! & need) === need;
  }

  /**
   * Make room for an access that would fault. A page that no call has named becomes part of the
   * image, or its image gets the rights; for any other page the caller puts the returned repair
   * into the stream, before the access.
   */
  admit(kind: OpKind, address: number): Repair | undefined {
    const page = address >>> PAGE_SHIFT;
    const state = this.#pages[page]!;
    const prot = (state & 7) | NEED[kind]!;
    if ((state & CALLED) === 0) {
      this.#image[page]! |= MAPPED | prot;
      this.#pages[page]! |= MAPPED | prot;
      return undefined;
    }
    this.#pages[page] = CALLED | MAPPED | prot;
    const start = (page << PAGE_SHIFT) >>> 0;
    const end = start + (1 << PAGE_SHIFT);
    return { start, end, unmapped: (state & MAPPED) === 0, prot };
  }

  /** After mmap of whole pages. */
  map(range: Range, prot: number): void {
    this.#pages.fill(CALLED | MAPPED | effective(prot), ...pages(range));
  }

  /** After munmap of whole pages. */
  unmap(range: Range): void {
    this.#pages.fill(CALLED, ...pages(range));
  }

  /**
   * After mprotect of whole pages. It succeeded, so all of them were mapped: pages that no call has
   * named become part of the image, and pages that a call had unmapped are returned, to be mapped
   * before.
   */
  protect(range: Range, prot: number): Range[] {
    const holes: { start: number; end: number }[] = [];
    const [first, end] = pages(range);
    for (let page = first; page < end; page++) {
      const state = this.#pages[page]!;
      if (state === 0) this.#image[page] = MAPPED | Prot.Read;
      else if ((state & MAPPED) === 0) {
        const start = page * (1 << PAGE_SHIFT);
        const last = holes.at(-1);
        if (last?.end === start) last.end += 1 << PAGE_SHIFT;
        else holes.push({ start, end: start + (1 << PAGE_SHIFT) });
      }
    }
    this.map(range, prot);
    return holes;
  }

  /** Prot of the page of `address`, for a mapping that moves. */
  protAt(address: number): number {
    return this.#pages[address >>> PAGE_SHIFT]! & 7;
  }

  /** Start, end and Prot of what exec maps: neighbouring pages of equal rights are one region. */
  regions(): [number, number, number][] {
    const regions: [number, number, number][] = [];
    for (let page = 0; page < PAGES; page++) {
      const image = this.#image[page]!;
      if (image === 0) continue;
      const start = page * (1 << PAGE_SHIFT);
      const last = regions.at(-1);
      if (last !== undefined && last[1] === start && last[2] === (image & 7)) {
        last[1] += 1 << PAGE_SHIFT;
      } else regions.push([start, start + (1 << PAGE_SHIFT), image & 7]);
    }
    return regions;
  }
}

/** How a page must be changed for an access that would fault otherwise. */
export interface Repair extends Range {
  /** The page is not mapped; else it only lacks rights. */
  readonly unmapped: boolean;
  readonly prot: number;
}

const PAGE_SHIFT = 12;
const PAGES = 1 << 20;

/**
 * A page's state is its Prot rights in the low bits and these. A page that no call
 * has spoken of can still become part of what exec maps, or gain rights there; one
 * that a call mapped or unmapped is as that call left it.
 */
const MAPPED = 8;
const CALLED = 16;

/** The rights an access must find, by Op. A store needs Read too: x86 has no write-only page. */
const NEED = [Prot.Read | Prot.Exec, Prot.Read, Prot.Read | Prot.Write, Prot.Read | Prot.Write];

/** Rights as in hardware: writable or executable implies readable. */
function effective(prot: number): number {
  const rights = prot & 7;
  return rights === 0 ? 0 : rights | Prot.Read;
}

function pages(range: Range): [number, number] {
  return [range.start / (1 << PAGE_SHIFT), range.end / (1 << PAGE_SHIFT)];
}
