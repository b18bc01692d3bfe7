/** `struct pgdir`: one of the shadow page tables that a guest has cached. */

import type { Gpa, Ptr } from '../src/hardware/address.ts';
import * as address from '../src/hardware/address.ts';
import { Lock } from './lock.ts';
import * as record from './record.ts';
import type { Words } from './words.ts';

const { NULL, toGpa, toPtr } = address;

/** See shared/record.ts. */
const FIELDS = {
  gpgdir: [0, 'gpa', 'plain', 'pgdirs, seen', 'top level that % shadows'],
  /** One whole zeroed page, or NULL while never allocated. */
  pgdir: [1, 'ptr', 'plain', 'pgdirs, seen', 'tables of %'],
  switcherMapped: [2, 'truth', 'plain', 'pgdir, seen', 'switcher_mapped of %'],
  /** Whose Switcher pages it maps; −1 is unknown. */
  lastHostCpu: [3, 'hostCpu', 'plain', 'either, seen', 'last_host_cpu of %'],
  lock: [4, 'lock', 'by hand', 'atomic', 'lock of %'],
  /**
   * Counts removed and changed entries. A fault that finds another number at its end than at its
   * beginning may have used stale entries.
   */
  changes: [5, 'count', 'atomic', 'atomic', 'changes of %'],
  /** How many running vCPUs use it. */
  users: [6, 'count', 'plain', 'atomic', 'users of %'],
  /** How often its upper levels have changed; vCPUs keep copies of them. */
  version: [7, 'count', 'atomic', 'atomic', 'version of %'],
  /** When a vCPU last switched to it, in the eviction policy's form (src/paging/policies). */
  lastUse: [8, 'number', 'plain', 'pgdirs', 'last use of %'],
} as const satisfies record.Fields;

export const PGDIR = FIELDS;

// Apart from what is exported, which is no constant to the compiler even here.
const RECORD_WORDS = record.wordsOf(FIELDS);
const [GPGDIR] = FIELDS.gpgdir;
const [TABLES] = FIELDS.pgdir;
const [CHANGES] = FIELDS.changes;
const [USERS] = FIELDS.users;
const [VERSION] = FIELDS.version;

export const PGDIR_WORDS = RECORD_WORDS;

/** No top level has this address: the pgdir is empty, and belongs to none. */
export const NOBODYS: Gpa = toGpa(-1);
/** Nor this one: the pgdir of vCPUs without page tables, whose mapping is linear. */
export const LINEAR: Gpa = toGpa(-2);

/**
 * Which of a guest's pgdirs shadows a top level; their number if none does. Their records are
 * contiguous and are read as words: to V8 each record object has a memory of its own.
 */
export function indexOfGpgdir(pgdirs: readonly Pgdir[], gpgdir: Gpa): number {
  const count = pgdirs.length;
  const { words, at: first } = pgdirs[0]!;
  for (let i = 0; i < count; i++) {
    const at = first + i * RECORD_WORDS;
    const isAllocated = words.read(toPtr(at + TABLES)) !== NULL;
    if (isAllocated && words.read(toPtr(at + GPGDIR)) === gpgdir) return i;
  }
  return count;
}

export class Pgdir extends record.recordOf(FIELDS) {
  /** Held while entries are removed or changed, if the discipline says so. */
  declare readonly lock: Lock;

  /** `gaveUp`: as for Lock. */
  constructor(words: Words, at: Ptr, gaveUp: () => boolean) {
    super(words, at);
    this.lock = new Lock(words, this.field(FIELDS.lock[0]), gaveUp);
  }

  countChange(): void {
    this.words.addBlind(this.field(CHANGES), 1);
  }
  countVersion(): void {
    this.words.addBlind(this.field(VERSION), 1);
  }
  addUser(): void {
    this.words.addBlind(this.field(USERS), 1);
  }
  removeUser(): void {
    this.words.addBlind(this.field(USERS), -1);
  }

  /** The words that decide whether a vCPU may switch to it: top level, page, users. */
  get claimWords(): readonly [gpgdir: Ptr, pgdir: Ptr, users: Ptr] {
    return [this.field(GPGDIR), this.field(TABLES), this.field(USERS)];
  }
}
