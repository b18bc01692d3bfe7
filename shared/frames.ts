/**
 * The frame table and the frame allocator.
 *
 * A frame's count is one word: twice the references, plus one while its owner holds it. The owner's
 * reference is like the others: as with put_page, the frame is free when none is left, even if
 * another reference was put twice (some of the seed's defects) and the owner still holds it. The
 * frame may then be reused under its owner; over-puts.ts records the place, and the reference
 * checker reports it (docs/decisions/frame-counts.md).
 *
 * Free frames lie in one pool behind a lock; each host CPU keeps a few in a cache of
 * its own. LIMIT: a CPU that finds the pool empty cannot take frames from other CPUs' caches.
 */

import { HostOops } from '../src/errors.ts';
import type { Gpfn, Pfn, Ptr } from '../src/hardware/address.ts';
import * as address from '../src/hardware/address.ts';
import type { Counters } from './counters.ts';
import * as counters from './counters.ts';
import type { Layout } from './layout.ts';
import { Lock } from './lock.ts';
import { type MachineRecord, Stop } from './machine-record.ts';
import type * as record from './record.ts';
import type { Words } from './words.ts';

const { frameStart, NO_FRAME, PAGE_WORDS, toGpfn, toPfn, toPtr } = address;
const { CopiesOnWrite, TablePages } = counters.Counter;

export const FrameKind = {
  Free: 0,
  /** The host's own records. */
  Host: 1,
  /** The one page of zeroes behind every copy-on-write page not yet written. */
  Zero: 2,
  GuestPage: 3,
  /** A page of any level of a shadow page table. */
  PageTable: 4,
  /** A vCPU's regs page. */
  Regs: 5,
  Switcher: 6,
} as const;

export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind];

/** The owner of frames that belong to no guest. */
export const HOST_OWNED = 0xff_ffff;

/** An element of the frame table; see shared/record.ts. */
const FRAME = {
  /** As above. */
  count: [0, 'number', 'by hand', 'atomic', 'reference count of %'],
  /** With its owner: kind | owner << 8. */
  kind: [1, 'number', 'by hand', 'handed', 'kind of %'],
  /** While it is in the pool. */
  next: [2, 'number', 'by hand', 'handed', 'frame behind %'],
  /** Direct paging: which of its guest's pages it is. */
  guestPage: [3, 'number', 'by hand', 'handed', 'guest page of %'],
} as const satisfies record.Fields;

const [COUNT] = FRAME.count;
const [KIND] = FRAME.kind;
const [NEXT] = FRAME.next;
const [GUEST_PAGE] = FRAME.guestPage;
const ELEMENT_WORDS = 4;
export const FRAME_WORDS = ELEMENT_WORDS;

const OWNED = 1;
const REFERENCE = 2;

/** The pool; see shared/record.ts. */
export const POOL = {
  lock: [0, 'lock', 'by hand', 'atomic', 'lock of %'],
  /** The first frame that was never used. */
  fresh: [1, 'number', 'by hand', 'lock, seen', 'first fresh frame of %'],
  head: [2, 'number', 'by hand', 'lock', 'first free frame of %'],
  length: [3, 'number', 'by hand', 'lock, seen', 'count of free frames of %'],
} as const satisfies record.Fields;

const [POOL_LOCK] = POOL.lock;
const [POOL_FRESH] = POOL.fresh;
const [POOL_HEAD] = POOL.head;
const [POOL_LENGTH] = POOL.length;

/** A cache: how many, then the frames. */
const CACHE_FRAMES = 63;
export const FRAME_CACHE_WORDS = 64;
/** Frames moved between cache and pool at a time. */
const BATCH = 32;

/** What a freed frame is filled with: the kernel's POISON_FREE. */
export const POISON = 0x6b6b_6b6b;

export class Frames {
  declare private readonly words: Words;
  declare private readonly layout: Layout;
  declare private readonly machine: MachineRecord;
  declare private readonly pool: Ptr;
  /** The pool's. */
  declare readonly lock: Lock;
  declare private readonly cpu: number;
  declare private readonly cache: Ptr;
  /** The first element of the frame table, and how many there are. */
  declare private readonly table: Ptr;
  declare private readonly total: number;
  /** Of the first frame. */
  declare private readonly counts: Ptr;
  declare private readonly counted: readonly Counters[];
  declare private readonly runningVcpu: () => number;

  /**
   * `cpu`: whose cache to use; the number of host CPUs for the main thread. `counted`: what
   * this thread counts, by guest. `runningVcpu`: the number of the vCPU that this thread runs, plus
   * one; 0 for none.
   */
  constructor(
    words: Words,
    layout: Layout,
    machine: MachineRecord,
    cpu: number,
    counted: readonly Counters[],
    runningVcpu: () => number,
  ) {
    this.words = words;
    this.layout = layout;
    this.machine = machine;
    this.pool = machine.pool;
    this.lock = new Lock(words, toPtr(this.pool + POOL_LOCK), () => machine.stop === Stop.Failed);
    this.cpu = cpu;
    this.counted = counted;
    this.runningVcpu = runningVcpu;
    this.table = layout.regions.frameTable.at;
    this.total = layout.totalFrames;
    this.counts = toPtr(this.table + COUNT);
    const caches = layout.regions.frameCaches;
    this.cache = toPtr(caches.at + cpu * caches.stride);
  }

  /** Once, at boot. */
  initialise(): void {
    const { firstFrame, zeroFrame, firstFreeFrame } = this.layout;
    for (let pfn = 0; pfn < firstFreeFrame; pfn++) {
      const kind =
        pfn < firstFrame ? FrameKind.Host : pfn === zeroFrame ? FrameKind.Zero : FrameKind.Switcher;
      this.words.store(this.#field(toPfn(pfn), KIND), kind | (HOST_OWNED << 8));
      this.words.store(this.#field(toPfn(pfn), COUNT), OWNED);
    }
    this.words.store(toPtr(this.pool + POOL_FRESH), firstFreeFrame);
  }

  /**
   * `get_zeroed_page` for page tables and copies on write: the allocations that can be
   * made to fail. Returns NO_FRAME when there is none.
   */
  getZeroedPage(kind: FrameKind, owner: number): Pfn {
    const pfn = this.machine.allocationFails() ? NO_FRAME : this.allocate(kind, owner);
    this.machine.countAllocation(pfn === NO_FRAME);
    this.counted[owner]!.count(kind === FrameKind.PageTable ? TablePages : CopiesOnWrite);
    return pfn;
  }

  /** A zeroed frame held by its owner alone, or NO_FRAME. */
  allocate(kind: FrameKind, owner: number): Pfn {
    let cached = this.words.peek(this.cache);
    if (cached === 0) cached = this.#refill();
    if (cached === 0) return NO_FRAME;
    const pfn = toPfn(this.words.peek(toPtr(this.cache + cached)));
    this.words.poke(this.cache, cached - 1);
    this.words.fill(frameStart(pfn), PAGE_WORDS, 0);
    this.words.store(this.#field(pfn, KIND), kind | (owner << 8));
    this.words.store(this.#field(pfn, COUNT), OWNED);
    return pfn;
  }

  /** `get_page`. The host dies of a frame that does not exist, here and below. */
  get(pfn: Pfn): void {
    this.words.countUp(this.countOf(pfn), REFERENCE);
  }

  /**
   * `get_page_unless_zero`: take a reference on a frame that its owner may be releasing.
   * False if the owner has released it: it may be free, or reused.
   */
  getIfOwned(pfn: Pfn): boolean {
    return this.words.addIf(this.countOf(pfn), OWNED, REFERENCE);
  }

  /** `put_page` */
  put(pfn: Pfn): void {
    const before = this.words.countDown(this.countOf(pfn), REFERENCE, REFERENCE) | 0;
    if (before <= REFERENCE) this.lastPut(pfn, before);
  }

  private lastPut(pfn: Pfn, before: number): void {
    if (before === REFERENCE) return this.#free(pfn);
    // At most the owner's reference was left.
    this.#tellOverPut(pfn);
    if (before === OWNED) this.#free(pfn, 'as it is');
  }

  /** `free_page`, and the Launcher's unmapping: the owner releases it. */
  disown(pfn: Pfn): void {
    if (this.words.add(this.countOf(pfn), -OWNED) === OWNED) this.#free(pfn);
  }

  /** Whether the pool has fewer frames than the CPUs' caches may take at once. */
  isShort(): boolean {
    const words = this.words;
    const fresh = this.total - words.read(toPtr(this.pool + POOL_FRESH));
    const left = fresh + words.read(toPtr(this.pool + POOL_LENGTH));
    return left < BATCH * (this.layout.config.hostCpus + 1);
  }

  /** References beyond the owner's; negative if too many were put, and the frame was freed. */
  references(pfn: Pfn): number {
    return (this.words.load(this.#field(pfn, COUNT)) | 0) >> 1;
  }

  isOwned(pfn: Pfn): boolean {
    return (this.words.load(this.#field(pfn, COUNT)) & OWNED) !== 0;
  }

  kind(pfn: Pfn): FrameKind {
    return (this.words.load(this.#field(pfn, KIND)) & 0xff) as FrameKind;
  }

  /** Direct paging: which of its guest's pages it is, as Xen's machine_to_phys says. */
  guestPage(pfn: Pfn): Gpfn {
    if (pfn >= this.total) noFrame(pfn, this.total);
    return toGpfn(this.words.read(this.#field(pfn, GUEST_PAGE)));
  }
  setGuestPage(pfn: Pfn, page: Gpfn): void {
    this.words.write(this.#field(pfn, GUEST_PAGE), page);
  }

  /** A guest's number, or HOST_OWNED. */
  owner(pfn: Pfn): number {
    return this.words.load(this.#field(pfn, KIND)) >>> 8;
  }

  /** Whether a page number can be a frame at all; a shadow entry may hold any. */
  exists(pfn: number): boolean {
    return pfn >= 0 && pfn < this.total;
  }

  /** An entry taken from anywhere (U1) or from a freed table (R5) may name any number. */
  private countOf(pfn: Pfn): Ptr {
    if (pfn >= this.total) noFrame(pfn, this.total);
    return (this.counts + pfn * ELEMENT_WORDS) as Ptr;
  }

  #tellOverPut(pfn: Pfn): void {
    const kind = this.words.load(this.#field(pfn, KIND));
    this.machine.overPuts.add(pfn, kind, this.cpu, this.runningVcpu());
  }

  /**
   * A frame that is free already, or reserved, is in a "bad page state" and stays out of the pool
   * (free_pages_check). `contents`: the owner, unaware of it, still uses the contents.
   */
  #free(pfn: Pfn, contents: 'poisoned' | 'as it is' = 'poisoned'): void {
    const kind = this.kind(pfn);
    if (kind === FrameKind.Free || kind === FrameKind.Zero || kind === FrameKind.Host) return;
    this.words.store(this.#field(pfn, KIND), FrameKind.Free);
    if (contents === 'poisoned') this.words.fill(frameStart(pfn), PAGE_WORDS, POISON);
    let cached = this.words.peek(this.cache);
    if (cached === CACHE_FRAMES) cached = this.#drain();
    this.words.poke(toPtr(this.cache + cached + 1), pfn);
    this.words.poke(this.cache, cached + 1);
  }

  /** Move up to BATCH frames from the pool into the empty cache; returns how many. */
  #refill(): number {
    const words = this.words;
    this.lock.acquire(this.cpu);
    let moved = 0;
    for (; moved < BATCH; moved++) {
      const pfn = this.#takeFromPool();
      if (pfn === NO_FRAME) break;
      words.poke(toPtr(this.cache + 1 + moved), pfn);
    }
    this.lock.release(this.cpu);
    words.poke(this.cache, moved);
    return moved;
  }

  #takeFromPool(): Pfn {
    const words = this.words;
    words.mustHold(this.lock, 'get_zeroed_page');
    const head = toPfn(words.peek(toPtr(this.pool + POOL_HEAD)));
    if (head !== NO_FRAME) {
      words.poke(toPtr(this.pool + POOL_HEAD), words.peek(this.#field(head, NEXT)));
      words.poke(toPtr(this.pool + POOL_LENGTH), words.peek(toPtr(this.pool + POOL_LENGTH)) - 1);
      return head;
    }
    const fresh = words.peek(toPtr(this.pool + POOL_FRESH));
    if (fresh === this.total) return NO_FRAME;
    words.poke(toPtr(this.pool + POOL_FRESH), fresh + 1);
    return toPfn(fresh);
  }

  /** Move BATCH frames from the full cache to the pool; returns how many stay. */
  #drain(): number {
    const words = this.words;
    const left = CACHE_FRAMES - BATCH;
    this.lock.acquire(this.cpu);
    for (let i = left; i < CACHE_FRAMES; i++) {
      const pfn = toPfn(words.peek(toPtr(this.cache + 1 + i)));
      words.poke(this.#field(pfn, NEXT), words.peek(toPtr(this.pool + POOL_HEAD)));
      words.poke(toPtr(this.pool + POOL_HEAD), pfn);
    }
    const length = words.peek(toPtr(this.pool + POOL_LENGTH));
    words.poke(toPtr(this.pool + POOL_LENGTH), length + BATCH);
    this.lock.release(this.cpu);
    return left;
  }

  #field(pfn: Pfn, offset: number): Ptr {
    return toPtr(this.table + pfn * ELEMENT_WORDS + offset);
  }
}

/** Apart, so that what asks is short. */
function noFrame(pfn: Pfn, frames: number): never {
  throw new HostOops('machine check', `frame ${pfn} of ${frames}`);
}
