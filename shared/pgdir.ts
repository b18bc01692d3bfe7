/** `struct pgdir`: one of the shadow page tables that a guest has cached. */

import type { Gpa, Ptr } from './address.ts';
import { toGpa, toPtr } from './address.ts';
import type { Words } from './words.ts';

const GPGDIR = 0;
const PGDIR = 1;
const SWITCHER_MAPPED = 2;
const LAST_HOST_CPU = 3;
export const PGDIR_WORDS = 16;

export class Pgdir {
  readonly #words: Words;
  readonly #at: Ptr;

  constructor(words: Words, at: Ptr) {
    this.#words = words;
    this.#at = at;
  }

  /** Which guest top level this shadows. */
  get gpgdir(): Gpa {
    return toGpa(this.#words.load(toPtr(this.#at + GPGDIR)));
  }
  set gpgdir(gpa: Gpa) {
    this.#words.store(toPtr(this.#at + GPGDIR), gpa);
  }

  /** The shadow's top level: one whole zeroed page, or NULL while never allocated. */
  get pgdir(): Ptr {
    return toPtr(this.#words.load(toPtr(this.#at + PGDIR)));
  }
  set pgdir(ptr: Ptr) {
    this.#words.store(toPtr(this.#at + PGDIR), ptr);
  }

  get switcherMapped(): boolean {
    return this.#words.load(toPtr(this.#at + SWITCHER_MAPPED)) !== 0;
  }
  set switcherMapped(mapped: boolean) {
    this.#words.store(toPtr(this.#at + SWITCHER_MAPPED), mapped ? 1 : 0);
  }

  /** Whose Switcher pages it maps; −1 is unknown. */
  get lastHostCpu(): number {
    return this.#words.load(toPtr(this.#at + LAST_HOST_CPU)) | 0;
  }
  set lastHostCpu(cpu: number) {
    this.#words.store(toPtr(this.#at + LAST_HOST_CPU), cpu);
  }
}
