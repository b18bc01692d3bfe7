/**
 * The Launcher's map: for each page of a guest the frame behind it and what may be
 * done with it. It stands for the Launcher's address space, which the host reaches
 * by get_user_pages_fast and copy_from_user.
 */

import type { Gpfn, Pfn, Ptr } from '../src/hardware/address.ts';
import * as address from '../src/hardware/address.ts';
import { FrameKind, type Frames } from './frames.ts';
import type { Words } from './words.ts';

const { NO_FRAME, toPfn } = address;

export const Vma = {
  /** Not mapped. */
  None: 0,
  ReadWrite: 1,
  ReadOnly: 2,
  /** Shares the zero page until it is written. */
  CopyOnWrite: 3,
} as const;

export type Vma = (typeof Vma)[keyof typeof Vma];

/** As constants to V8. */
const { ReadWrite: READ_WRITE, CopyOnWrite: COPY_ON_WRITE } = Vma;

/** One word a page: frame << 2 | state. */
const STATE_BITS = 2;

export class LauncherMap {
  declare private readonly words: Words;
  declare private readonly frames: Frames;
  declare private readonly at: Ptr;
  declare private readonly guest: number;
  declare private readonly zeroPage: Pfn;

  constructor(words: Words, frames: Frames, at: Ptr, guest: number, zeroPage: Pfn) {
    this.words = words;
    this.frames = frames;
    this.at = at;
    this.guest = guest;
    this.zeroPage = zeroPage;
  }

  state(page: Gpfn): Vma {
    return (this.words.read(this.entryOf(page)) & 3) as Vma;
  }

  /** The frame behind a page; the zero page or NO_FRAME where it has none of its own. */
  frame(page: Gpfn): Pfn {
    return toPfn(this.words.read(this.entryOf(page)) >>> STATE_BITS);
  }

  /**
   * What the Launcher does with mmap, mprotect and madvise, also while the guest runs. Frames that
   * it releases stay allocated while shadow entries hold references. False, and nothing is changed,
   * if there is no memory for a frame that is needed.
   */
  set(page: Gpfn, state: Vma): boolean {
    const entry = this.entryOf(page);
    for (;;) {
      const old = this.words.read(entry);
      const had = toPfn(old >>> STATE_BITS);
      const own = had !== NO_FRAME && had !== this.zeroPage;
      const frame = this.#frameFor(state, own ? had : NO_FRAME);
      const backed = state !== Vma.None;
      if (backed && frame === NO_FRAME) return false;
      const wanted = ((frame << STATE_BITS) | state) >>> 0;
      const done = this.words.compareExchange(entry, old, wanted) === old;
      // Release what is not in the map: the old frame, or the new one that lost the race.
      if (done && own && frame !== had) this.frames.disown(had);
      if (done) return true;
      if (backed && frame !== had && frame !== this.zeroPage) this.frames.disown(frame);
    }
  }

  /**
   * Discard a page's own frame: it shares the zero page until it is written again. Returns the
   * frame, with a reference, to be freed once no CPU uses the old state of the map. NO_FRAME, and
   * nothing is changed, if it is not mapped for reading and writing.
   */
  discard(page: Gpfn): Pfn {
    const entry = this.entryOf(page);
    for (;;) {
      const old = this.words.read(entry);
      if ((old & 3) !== Vma.ReadWrite) return NO_FRAME;
      const frame = toPfn(old >>> STATE_BITS);
      // Another CPU may have discarded it, and the frame may be reused: the map must still name it.
      if (!this.frames.getIfOwned(frame)) continue;
      const wanted = ((this.zeroPage << STATE_BITS) | Vma.CopyOnWrite) >>> 0;
      if (this.words.compareExchange(entry, old, wanted) === old) {
        this.frames.disown(frame);
        return frame;
      }
      this.frames.put(frame);
    }
  }

  /** The frame for a page in this state; its own one is kept where that is possible. */
  #frameFor(state: Vma, own: Pfn): Pfn {
    if (state === Vma.None) return NO_FRAME;
    if (state === Vma.CopyOnWrite) return this.zeroPage;
    return own !== NO_FRAME ? own : this.frames.allocate(FrameKind.GuestPage, this.guest);
  }

  /**
   * `get_user_pages_fast`: the frame behind a page, with a reference taken; asked for
   * writing it breaks copy-on-write. NO_FRAME when the page is not mapped, is
   * read-only and to be written, or cannot be copied for want of memory. `unshare`
   * breaks copy-on-write for a reader too (FAULT_FLAG_UNSHARE of later kernels).
   */
  getUserPage(page: Gpfn, write: boolean, unshare = false): Pfn {
    for (;;) {
      const value = this.words.read(this.entryOf(page));
      if ((value & 3) !== READ_WRITE) {
        if (!this.isUsable(page, value, write, unshare)) return NO_FRAME;
        if ((value & 3) === COPY_ON_WRITE && (write || unshare)) continue;
      }
      const frame = (value >>> STATE_BITS) as Pfn;
      if (!this.frames.getIfOwned(frame)) continue;
      // Copy-on-write may have been broken in between, or the page discarded.
      if (this.words.read(this.entryOf(page)) === value) return frame;
      this.frames.put(frame);
    }
  }

  /**
   * The frame in which the host itself reads or writes a page, or NO_FRAME. No reference is taken:
   * discarding a page waits until no CPU uses an earlier result of this.
   */
  frameForHost(page: Gpfn, write: boolean): Pfn {
    for (;;) {
      const value = this.words.read(this.entryOf(page));
      const state = (value & 3) as Vma;
      if (!write || state === Vma.ReadWrite) return toPfn(value >>> STATE_BITS);
      if (state !== Vma.CopyOnWrite) return NO_FRAME;
      if (!this.#breakCopyOnWrite(page, value)) return NO_FRAME;
    }
  }

  /** What is not mapped for reading and writing; copies on write are broken first. */
  private isUsable(page: Gpfn, value: number, write: boolean, unshare: boolean): boolean {
    const state = (value & 3) as Vma;
    if (state === COPY_ON_WRITE) return !(write || unshare) || this.#breakCopyOnWrite(page, value);
    return state !== Vma.None && !write;
  }

  #breakCopyOnWrite(page: Gpfn, value: number): boolean {
    const copy = this.frames.getZeroedPage(FrameKind.GuestPage, this.guest);
    if (copy === NO_FRAME) return false;
    const broken = ((copy << STATE_BITS) | Vma.ReadWrite) >>> 0;
    if (this.words.compareExchange(this.entryOf(page), value, broken) !== value) {
      this.frames.disown(copy);
    }
    return true;
  }

  private entryOf(page: Gpfn): Ptr {
    return (this.at + page) as Ptr;
  }
}
