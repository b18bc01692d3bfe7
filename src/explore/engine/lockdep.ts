/**
 * Whether who accesses a field of a record holds what guards it (shared/record.ts), and who calls a
 * function holds what that needs (Words.mustHold). It is looked at under control, in every
 * schedule: a lock that is not taken is found by the first run that comes by, where what follows
 * from it takes an unlucky one. Savage et al., Eraser: a dynamic data race detector for
 * multithreaded programs (TOCS 1997), and the kernel's lockdep; but which lock guards what is not
 * guessed here.
 *
 * It is no access itself. As written there are no locks. Entries of shadows are in frames, and in
 * no record: functions that change them say which lock they must hold.
 */

import type { Host } from '../../../shared/host.ts';
import type { Section } from '../../../shared/host-cpu.ts';
import { holderOf } from '../../../shared/lock.ts';
import type { FieldGuard } from '../../../shared/record.ts';
import type { DefectId } from '../../defects.ts';
import { HostOops } from '../../errors.ts';
import { type Ptr, toPtr } from '../../hardware/address.ts';
import { type Access, onlyReads } from './access.ts';
import { fieldsOf, type RecordAt, recordsOf } from './record-words.ts';

/** One of these must be so for a word to be accessed. */
interface Check {
  /** Words of locks. */
  readonly locks: readonly Ptr[];
  readonly hostCpu: number;
  readonly vcpu: number;
  /** Of the vCPU. */
  readonly startedAt: Ptr | undefined;
  /** It may be read by anybody. */
  readonly seen: boolean;
  readonly name: string;
}

const NOBODY = -1;
/** Never in hand. */
const NO_VCPU = 0xffff;

/** What of a word is to be checked where a host CPU touches it. */
const LOOKS = 1;
const CHANGES = 2;

/** Defects by which somebody does without a guard: what follows from them is to be seen instead. */
const DO_WITHOUT: Readonly<Partial<Record<FieldGuard, readonly DefectId[]>>> = {
  pgdirs: ['R12'],
  'pgdirs, seen': ['R12'],
  // U2: the Switcher's tables are made anew in another pgdir.
  'pgdir, seen': ['U2'],
  'either, seen': ['R12', 'R13'],
  // Another vCPU is meant, or its record is the guest's, or two start it.
  owner: ['R8', 'R15', 'D3'],
  'owner, seen': ['R8', 'R15', 'D3'],
};

export class Lockdep {
  /** Behind the last word of a record. */
  readonly end: number;
  readonly #plain: Uint32Array;
  /** Of each word, by host CPU: `LOOKS`, `CHANGES`, both or neither. */
  readonly #asked: readonly Uint8Array[];
  /** Of each word that a vCPU owns: its number plus one, as the host CPU says that has it in hand. */
  readonly #ownerOf: Uint16Array;
  /** Of each word, by its number; 0 for none. */
  readonly #checkOf: Uint16Array;
  readonly #checks: Check[] = [];
  /** Where each host CPU says which vCPU it has in hand. */
  readonly #inHand: readonly Ptr[];

  /** `host`: a view by plain words. */
  constructor(host: Host) {
    this.#plain = host.words.plain;
    this.#inHand = host.cpus.map(({ runningVcpuWord }) => runningVcpuWord);
    const records = recordsOf(host);
    this.end = Math.max(...records.map(({ at, words }) => at + words));
    this.#checkOf = new Uint16Array(this.end);
    this.#ownerOf = new Uint16Array(this.end).fill(NO_VCPU);
    this.#asked = host.cpus.map(() => new Uint8Array(this.end));
    for (const record of records) this.#add(record);
  }

  #add(record: RecordAt): void {
    for (const { at, words, guard, is } of fieldsOf(record)) {
      const check = checkFor(record, guard, is);
      if (check === undefined) continue;
      const number = this.#checks.push(check);
      this.#checkOf.fill(number, at, at + words);
      if (check.vcpu !== NOBODY) this.#ownerOf.fill(check.vcpu + 1, at, at + words);
      for (const [cpu, asked] of this.#asked.entries()) {
        if (cpu === check.hostCpu) continue;
        asked.fill(check.seen ? CHANGES : LOOKS | CHANGES, at, at + words);
      }
    }
  }

  /** Host CPU `cpu` has taken a step. */
  step(cpu: number, kind: Access, at: number): void {
    if (onlyReads(kind)) this.look(cpu, at);
    else this.change(cpu, at);
  }

  /** It reads a word, here or where nobody else touches it at the time. */
  look(cpu: number, at: number): void {
    if ((this.#asked[cpu]![at]! & LOOKS) !== 0 && !this.#isInHand(cpu, at)) {
      this.#check(cpu, at, 'a look at');
    }
  }

  /** It writes it. */
  change(cpu: number, at: number): void {
    if (this.#asked[cpu]![at] !== 0 && !this.#isInHand(cpu, at)) {
      this.#check(cpu, at, 'a change of');
    }
  }

  /** The vCPU that owns it: nearly all that is checked, and so it comes first. */
  #isInHand(cpu: number, at: number): boolean {
    return this.#plain[this.#inHand[cpu]!] === this.#ownerOf[at];
  }

  #check(cpu: number, at: number, what: string): void {
    const { locks, vcpu, startedAt, name } = this.#checks[this.#checkOf[at]! - 1]!;
    for (const lock of locks) if (holderOf(this.#plain[lock]!) === cpu) return;
    // Who starts a vCPU fills in its record first.
    if (vcpu !== NOBODY && this.#plain[startedAt!] !== STARTED) return;
    throw new HostOops('lock not held', `${what} ${name}`);
  }

  mustHold(cpu: number, lock: Ptr, where: string): void {
    if (holderOf(this.#plain[lock]!) !== cpu) throw new HostOops('lock not held', where);
  }

  mustBeInside(section: Section | undefined, where: string): void {
    if (section === undefined || (this.#plain[section.count]! & 1) === 0) {
      throw new HostOops('lock not held', where);
    }
  }
}

const STARTED = 1;

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
