/** `struct pgdir`: one of the shadow page tables that a guest has cached. */

import type { Gpa, Ptr } from './address.ts';
import * as address from './address.ts';
import { Lock } from './lock.ts';
import { SharedRecord } from './shared-record.ts';
import type { Words } from './words.ts';

const { NULL, toGpa, toPtr } = address;

const GPGDIR = 0;
const PGDIR = 1;
const SWITCHER_MAPPED = 2;
const LAST_HOST_CPU = 3;
const LOCK = 4;
const CHANGES = 5;
const USERS = 6;
const VERSION = 7;
const LAST_USE = 8;
/** Apart from what is exported, which is no constant to the compiler even here. */
const RECORD_WORDS = 16;
export const PGDIR_WORDS = RECORD_WORDS;

/** What no top level's address is: the pgdir is empty, and nobody's. */
export const NOBODYS: Gpa = toGpa(-1);
/** Nor this: the pgdir is that of vCPUs without page tables, whose mapping is linear. */
export const LINEAR: Gpa = toGpa(-2);

/**
 * Which of a guest's pgdirs shadows a top level; as many as there are if none does. Their records
 * lie one after the other, and go by as words: to V8 each record has a memory of its own.
 */
export function indexOfGpgdir(pgdirs: readonly Pgdir[], gpgdir: Gpa): number {
  const count = pgdirs.length;
  const { words, place } = pgdirs[0]!;
  for (let i = 0; i < count; i++) {
    const at = place + i * RECORD_WORDS;
    const isAllocated = words.read(toPtr(at + PGDIR)) !== NULL;
    if (isAllocated && words.read(toPtr(at + GPGDIR)) === gpgdir) return i;
  }
  return count;
}

export class Pgdir extends SharedRecord {
  /** Held while entries go away or change, if the discipline says so. */
  declare readonly lock: Lock;

  /** `gaveUp`: as for Lock. */
  constructor(words: Words, at: Ptr, gaveUp: () => boolean) {
    super(words, at);
    this.lock = new Lock(words, this.field(LOCK), gaveUp);
  }

  get place(): Ptr {
    return this.at;
  }

  /** Which guest top level this shadows. */
  get gpgdir(): Gpa {
    return toGpa(this.read(GPGDIR));
  }
  set gpgdir(gpa: Gpa) {
    this.write(GPGDIR, gpa);
  }

  /** The shadow's top level: one whole zeroed page, or NULL while never allocated. */
  get pgdir(): Ptr {
    return toPtr(this.read(PGDIR));
  }
  set pgdir(ptr: Ptr) {
    this.write(PGDIR, ptr);
  }

  get switcherMapped(): boolean {
    return this.read(SWITCHER_MAPPED) !== 0;
  }
  set switcherMapped(mapped: boolean) {
    this.write(SWITCHER_MAPPED, mapped ? 1 : 0);
  }

  /** Whose Switcher pages it maps; −1 is unknown. */
  get lastHostCpu(): number {
    return this.read(LAST_HOST_CPU) | 0;
  }
  set lastHostCpu(cpu: number) {
    this.write(LAST_HOST_CPU, cpu);
  }

  /**
   * How often entries were taken away or changed, modulo 2^32. A fault that finds another
   * number at its end than at its beginning may have used what is no longer so.
   */
  get changes(): number {
    return this.load(CHANGES);
  }
  countChange(): void {
    this.words.add(this.field(CHANGES), 1);
  }

  /** How many vCPUs that a host CPU has in hand run on it. */
  get users(): number {
    return this.read(USERS);
  }
  addUser(): void {
    this.words.add(this.field(USERS), 1);
  }
  removeUser(): void {
    this.words.add(this.field(USERS), -1);
  }

  /** What decides whether a vCPU may continue on it: whose it is, whether it has a page, users. */
  get claimWords(): readonly [gpgdir: Ptr, pgdir: Ptr, users: Ptr] {
    return [this.field(GPGDIR), this.field(PGDIR), this.field(USERS)];
  }

  /** When a vCPU last continued on it, as the way to evict wants it (src/paging/eviction.ts). */
  get lastUse(): number {
    return this.read(LAST_USE);
  }
  set lastUse(use: number) {
    this.write(LAST_USE, use);
  }

  /** How often its upper levels have changed, modulo 2^32; vCPUs keep copies of them. */
  get version(): number {
    return this.load(VERSION);
  }
  countVersion(): void {
    this.words.add(this.field(VERSION), 1);
  }
}
