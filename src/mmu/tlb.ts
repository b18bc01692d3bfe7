/**
 * The MMU of one host CPU: a direct-mapped TLB (shared/tlb.ts) in front of the walk. An entry
 * whose rights do not suffice is dropped and walked again, which the hardware may do at any time.
 *
 * See docs/decisions/names-of-hot-files.md.
 */

import type { Host } from '../../shared/host.ts';
import type { HostCpu } from '../../shared/host-cpu.ts';
import * as hostCpu from '../../shared/host-cpu.ts';
import * as softwareTlb from '../../shared/tlb.ts';
import type { Words } from '../../shared/words.ts';
import type { Right } from '../hardware/access.ts';
import * as access from '../hardware/access.ts';
import type { Gpa, Gva, Pfn, Ptr } from '../hardware/address.ts';
import * as address from '../hardware/address.ts';
import type { PagingForm } from '../hardware/entry.ts';
import { loadNestedPdptes, walkNested } from './nested-walk.ts';
import * as walking from './walk.ts';

const { isFault } = access;
const { bitsOf, PAGE_SHIFT, PAGE_WORDS, frameStart, toPtr } = address;
const { CR4_PAE, EFER_NXE, NESTED, NESTED_LINEAR, TLB_ENTRIES, TLB_ENTRY_WORDS } = hostCpu;
const { lookUp } = softwareTlb;
const { loadPdptes, walk } = walking;

const GENERATIONS = 0xfff;

export class Mmu {
  declare readonly cpu: HostCpu;
  declare private readonly words: Words;
  declare private readonly plain: Uint32Array;
  declare private readonly frames: number;
  declare private readonly tlb: Ptr;
  declare private readonly generationAt: number;

  constructor(host: Host, cpu: HostCpu) {
    this.cpu = cpu;
    this.words = host.words;
    this.plain = host.words.plain;
    this.frames = host.layout.totalFrames;
    this.tlb = cpu.tlb;
    this.generationAt = cpu.generationWord;
  }

  /** The word of host memory behind an address, or a fault (see access.ts). */
  translate(va: Gva, right: Right): number {
    const at = this.lookUp(va, right);
    return at < 0 ? this.#walk(bitsOf(va), right) : at;
  }

  /** The word by the TLB alone, or a negative number: then call `translate`. */
  lookUp(va: Gva, right: Right): number {
    const plain = this.plain;
    return lookUp(plain, this.tlb, plain[this.generationAt]!, va, right);
  }

  #walk(va: Gva, right: Right): number {
    this.cpu.walks++;
    const found =
      this.cpu.cr4 & NESTED
        ? walkNested(this.words, this.cpu, va, right)
        : walk(this.words, this.frames, this.cpu, va, right);
    if (isFault(found)) {
      this.invlpg(va);
      return found;
    }
    const entry = this.#entryFor(va);
    this.plain[entry] = this.#key(va);
    this.plain[entry + 1] = found;
    return (found >>> PAGE_SHIFT) * PAGE_WORDS + ((va & 4095) >>> 2);
  }

  /** Write CR3: nothing in the TLB survives, since global pages are off. False: #GP. */
  loadCr3(top: Pfn, form: PagingForm, nx: boolean): boolean {
    this.cpu.cr3 = top;
    this.cpu.cr4 = (form.pae ? CR4_PAE : 0) | (nx ? EFER_NXE : 0);
    this.flush();
    return !form.pae || loadPdptes(this.words, this.cpu, frameStart(top));
  }

  /**
   * Enter a guest of nested paging: `root` is the host's table. A fault of that table, or 0;
   * `linear`: the guest has paging off.
   */
  loadNested(root: Pfn, cr3: Gpa, form: PagingForm, nx: boolean, linear: boolean): number {
    this.cpu.cr3 = root;
    this.cpu.cr4 =
      NESTED | (linear ? NESTED_LINEAR : 0) | (form.pae ? CR4_PAE : 0) | (nx ? EFER_NXE : 0);
    if (!linear) return this.loadGuestCr3(cr3);
    this.flush();
    return 0;
  }

  /** The guest itself writes CR3, which turns its paging on. A fault, or 0. */
  loadGuestCr3(top: Gpa): number {
    this.cpu.guestCr3 = top;
    this.cpu.cr4 &= ~NESTED_LINEAR;
    this.flush();
    return this.cpu.cr4 & CR4_PAE ? loadNestedPdptes(this.words, this.cpu) : 0;
  }

  flush(): void {
    if (this.cpu.generation < GENERATIONS) {
      this.cpu.generation++;
      return;
    }
    this.words.fill(toPtr(this.tlb), TLB_ENTRIES * TLB_ENTRY_WORDS, 0);
    this.cpu.generation = 1;
  }

  /** Drop one page. */
  invlpg(va: Gva): void {
    const entry = this.#entryFor(va);
    if (this.plain[entry] === this.#key(va)) this.plain[entry] = 0;
  }

  #entryFor(va: Gva): number {
    return this.tlb + ((va >>> PAGE_SHIFT) & (TLB_ENTRIES - 1)) * TLB_ENTRY_WORDS;
  }

  /** Page and generation. */
  #key(va: Gva): number {
    return ((va & -4096) | this.plain[this.generationAt]!) >>> 0;
  }
}
