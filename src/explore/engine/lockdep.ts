/**
 * Lockdep: every access of a record's field holds the field's guard (shared/record.ts), and every
 * caller of a function holds the lock that it asserts (Words.mustHold). Checked under control, in
 * every schedule: a missing lock is found by the first run that executes the code, while its
 * consequences take an unlucky schedule. After Savage et al., Eraser: a dynamic data race detector
 * for multithreaded programs (TOCS 1997), and the kernel's lockdep; but guards are declared here,
 * not inferred.
 *
 * The check is no access itself. The code as written has no locks. Entries of shadows are in frames
 * and not in a record: the functions that change them assert the lock.
 */

import type { Host } from '../../../shared/host.ts';
import type { Section } from '../../../shared/host-cpu.ts';
import { holderOf } from '../../../shared/lock.ts';
import type { FieldGuard } from '../../../shared/record.ts';
import type { DefectId } from '../../defects.ts';
import { HostOops } from '../../errors.ts';
import { type Ptr, toPtr } from '../../hardware/address.ts';
import { fieldsOf, type RecordAt, recordsOf } from './record-words.ts';

/** An access of a word needs one of these. */
interface Check {
  /** Words of locks. */
  readonly locks: readonly Ptr[];
  readonly hostCpu: number;
  readonly vcpu: number;
  /** The vCPU that owns it. */
  readonly startedAt: Ptr | undefined;
  /** It may be read without the guard. */
  readonly seen: boolean;
  readonly name: string;
}

const NOBODY = -1;
const STARTED = 1;

/** For a word that no vCPU owns: no running vCPU has this number. */
const NO_VCPU = 0xffff;

/** Defects that omit a guard: the check is off, so that their consequences show. */
const DO_WITHOUT: Readonly<Partial<Record<FieldGuard, readonly DefectId[]>>> = {
  pgdirs: ['R12'],
  'pgdirs, seen': ['R12'],
  // U2: the Switcher's tables are mapped again in another pgdir.
  'pgdir, seen': ['U2'],
  'either, seen': ['R12', 'R13'],
  // The record of another vCPU or of the guest is used, or two vCPUs start it.
  owner: ['R8', 'R15', 'D3'],
  'owner, seen': ['R8', 'R15', 'D3'],
};

export class Lockdep {
  /** The end of the last record. */
  readonly end: number;
  readonly #plain: Uint32Array;
  readonly #guards: readonly Guards[];
  /** For each word, the number of its guard; 0 for none. */
  readonly #checkOf: Uint16Array;
  readonly #checks: Check[] = [];
  /** For each word, 1 if it may be read without its guard. */
  readonly seen: Uint8Array;

  /** `host`: a view by plain words. */
  constructor(host: Host) {
    this.#plain = host.words.plain;
    const records = recordsOf(host);
    this.end = Math.max(...records.map(({ at, words }) => at + words));
    this.#checkOf = new Uint16Array(this.end);
    this.seen = new Uint8Array(this.end);
    this.#guards = host.cpus.map((_, cpu) => new Guards(host, cpu, this));
    for (const record of records) this.#add(record);
  }

  #add(record: RecordAt): void {
    for (const { at, words, guard, is } of fieldsOf(record)) {
      if (guard.endsWith('seen')) this.seen.fill(1, at, at + words);
      const check = checkFor(record, guard, is);
      if (check === undefined) continue;
      const number = this.#checks.push(check);
      this.#checkOf.fill(number, at, at + words);
      const owner = check.vcpu === NOBODY ? NO_VCPU : check.vcpu + 1;
      for (const [cpu, guards] of this.#guards.entries()) {
        if (cpu !== check.hostCpu) guards.add(owner, check.seen, at, words);
      }
    }
  }

  /** The checks for host CPU `cpu`. */
  of(cpu: number): Guards {
    return this.#guards[cpu]!;
  }

  /** `cpu` does not run the vCPU that owns the word. */
  check(cpu: number, at: number, what: string): void {
    const { locks, vcpu, startedAt, name } = this.#checks[this.#checkOf[at]! - 1]!;
    for (const lock of locks) if (holderOf(this.#plain[lock]!) === cpu) return;
    // The starting CPU fills in the record of a vCPU before it runs.
    if (vcpu !== NOBODY && this.#plain[startedAt!] !== STARTED) return;
    throw new HostOops('lock not held', `${what} ${name}`);
  }
}

/** What one host CPU must hold for each word of a record. */
export class Guards {
  declare private readonly lockdep: Lockdep;
  declare private readonly cpu: number;
  declare private readonly end: number;
  declare private readonly plain: Uint32Array;
  /** The word with the CPU's running vCPU: its number plus one. */
  declare private readonly inHand: Ptr;
  /**
   * The fast check before locks, which covers nearly all accesses: 0 for no guard, else the value
   * of the CPU's word while it runs the owner.
   */
  declare private readonly looks: Uint16Array;
  declare private readonly changes: Uint16Array;

  constructor(host: Host, cpu: number, lockdep: Lockdep) {
    this.lockdep = lockdep;
    this.cpu = cpu;
    this.end = lockdep.end;
    this.plain = host.words.plain;
    this.inHand = host.cpus[cpu]!.runningVcpuWord;
    this.looks = new Uint16Array(lockdep.end);
    this.changes = new Uint16Array(lockdep.end);
  }

  add(owner: number, seen: boolean, at: number, words: number): void {
    if (!seen) this.looks.fill(owner, at, at + words);
    this.changes.fill(owner, at, at + words);
  }

  /** The number of the CPU's running vCPU among all; 2^32 − 1 if there is none. */
  get runningVcpu(): number {
    return (this.plain[this.inHand]! - 1) >>> 0;
  }

  /** Whether another CPU may read it without the guard, where its owner only peeks and pokes. */
  isSeen(at: number): boolean {
    return at < this.end && this.lockdep.seen[at] === 1;
  }

  /** Check a read, or a peek. */
  look(at: number): void {
    if (at >= this.end) return;
    const owner = this.looks[at]!;
    if (owner === 0 || owner === this.plain[this.inHand]) return;
    this.lockdep.check(this.cpu, at, 'a look at');
  }

  /** Check a write. */
  change(at: number): void {
    if (at >= this.end) return;
    const owner = this.changes[at]!;
    if (owner === 0 || owner === this.plain[this.inHand]) return;
    this.lockdep.check(this.cpu, at, 'a change of');
  }

  mustHold(lock: Ptr, where: string): void {
    if (holderOf(this.plain[lock]!) !== this.cpu) throw new HostOops('lock not held', where);
  }

  mustBeInside(section: Section | undefined, where: string): void {
    if (section === undefined || (this.plain[section.count]! & 1) === 0) {
      throw new HostOops('lock not held', where);
    }
  }
}

/** Undefined where nothing can be checked. */
function checkFor(record: RecordAt, guard: FieldGuard, is: string): Check | undefined {
  const { guest, hostCpu = NOBODY, vcpu = NOBODY, at, fields } = record;
  const hasLocks = guest === undefined || (guest.isShadow && !guest.isAsWritten);
  const isDoneWithout = DO_WITHOUT[guard]?.some((id) => guest?.defects[id]) ?? false;
  const [by] = guard.split(',') as [string];
  if (!hasLocks || isDoneWithout || ['once', 'atomic', 'handed'].includes(by)) return undefined;
  return {
    locks: locksOf(by, record),
    hostCpu,
    vcpu,
    startedAt: vcpu === NOBODY ? undefined : toPtr(at + fields['started']![0]),
    seen: guard.endsWith('seen'),
    name: is.replace('%', record.name),
  };
}

function locksOf(by: string, { guest, pgdir, at, fields }: RecordAt): Ptr[] {
  if (by === 'lock') return [toPtr(at + fields['lock']![0])];
  if (by === 'owner') return [];
  const pgdirs = guest!.lock.at;
  const own = guest!.hasOneLock || pgdir === undefined ? pgdirs : guest!.pgdirs[pgdir]!.lock.at;
  return { pgdirs: [pgdirs], pgdir: [own], either: [pgdirs, own] }[by]!;
}
