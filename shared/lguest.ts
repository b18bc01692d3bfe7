/** `struct lguest`: one guest, in shared memory. */

import { type DefectSwitches, sharesSwitcher, trustsStack } from '../src/defects.ts';
import type { Gpfn, Ptr } from '../src/hardware/address.ts';
import * as address from '../src/hardware/address.ts';
import type { Entry, PagingForm } from '../src/hardware/entry.ts';
import * as entries from '../src/hardware/entry.ts';
import type { Counters } from './counters.ts';
import { type DisciplineName, faultsTakeNoLock } from './discipline.ts';
import type { Host } from './host.ts';
import type { LauncherMap } from './launcher-map.ts';
import type { LgCpu } from './lg-cpu.ts';
import { Lock } from './lock.ts';
import { Stop } from './machine-record.ts';
import type { Pgdir } from './pgdir.ts';
import * as record from './record.ts';
import type { Steps } from './steps.ts';
import type { Virtualization } from './virtualization.ts';

const { toPtr } = address;
const { Entry: EntryValue } = entries;

const REASON_WORDS = 48;

/** See shared/record.ts. */
const FIELDS = {
  dead: [0, 'dead', 'by hand', 'atomic', 'whether % is dead'],
  /** Everything from here up is the guest kernel's; 0 until LGUEST_INIT. */
  kernelAddress: [1, 'gva', 'published', 'once', 'kernel address of %'],
  /** How often the guest notified the Launcher. */
  notifications: [4, 'number', 'plain', 'atomic', 'notifications of %'],
  /** The vCPU, plus one, that found all pgdirs in use and is to have the next; 0 for none. */
  hungryVcpu: [5, 'number', 'published', 'pgdirs', 'vCPU of % that waits for a pgdir'],
  /** How often a vCPU switched to a pgdir; counted for LRU alone. */
  uses: [6, 'count', 'plain', 'pgdirs', 'uses of pgdirs of %'],
  /** The pgdir that the clock's hand is at. */
  hand: [7, 'number', 'plain', 'pgdirs', 'hand of % that looks for a victim'],
  /** Nested paging: the top of the host's table; NO_FRAME for other guests. */
  nestedRoot: [8, 'pfn', 'plain', 'once', 'nested table of %'],
  /** How often a vCPU has started or interrupted another; counted when that is done. */
  wakeUps: [9, 'count', 'atomic', 'atomic', 'vCPUs of % that were woken'],
  lock: [14, 'lock', 'by hand', 'atomic', 'lock of %'],
  /** Set by the CPU that has made it `Dying`. */
  reasonLength: [15, 'number', 'atomic', 'once', 'length of the reason why % died'],
  reason: [16, 'words', 'by hand', 'once', 'reason why % died', REASON_WORDS],
} as const satisfies record.Fields;

export const LGUEST = FIELDS;
export const LGUEST_WORDS = record.wordsOf(FIELDS);

const [DEAD] = FIELDS.dead;
const [NOTIFICATIONS] = FIELDS.notifications;
const [HUNGRY] = FIELDS.hungryVcpu;
const [WAKE_UPS] = FIELDS.wakeUps;
const [REASON] = FIELDS.reason;

/** `lg->dead`, and the cause. */
export const Dead = {
  Alive: 0,
  /** The first killer is still writing the reason. */
  Dying: 1,
  Killed: 2,
  /** The guest asked for it by SHUTDOWN. */
  PoweredOff: 3,
} as const;

export type Dead = (typeof Dead)[keyof typeof Dead];

export interface LguestParts {
  readonly host: Host;
  readonly index: number;
  readonly at: Ptr;
  readonly form: PagingForm;
  readonly nx: boolean;
  readonly pfnLimit: number;
  readonly pgdirs: readonly Pgdir[];
  readonly map: LauncherMap;
  readonly counters: Counters;
  readonly defects: DefectSwitches;
  readonly steps: Steps;
  readonly discipline: DisciplineName;
  readonly virtualization: Virtualization;
  readonly pageTypes: Ptr;
  readonly policy: object;
}

export class Lguest extends record.recordOf(FIELDS) {
  declare readonly host: Host;
  declare readonly index: number;
  declare readonly form: PagingForm;
  declare readonly nx: boolean;
  /** In pages. */
  declare readonly pfnLimit: Gpfn;
  declare readonly pgdirs: readonly Pgdir[];
  declare readonly map: LauncherMap;
  /** This thread's CPU's counters for this guest. */
  declare readonly counters: Counters;
  /** Which defects of the code as written it has. */
  declare readonly defects: DefectSwitches;
  declare readonly discipline: DisciplineName;
  /** By those: how the paging code takes its steps. */
  declare readonly steps: Steps;
  /** Where the paging code does other than lguest's: see policyOf in its policies. */
  declare readonly policy: object;
  /** What it says, as switches: V8 compares names by a call (shared/discipline.ts). */
  declare readonly isAsWritten: boolean;
  declare readonly hasOneLock: boolean;
  declare readonly faultsTakeNoLock: boolean;
  /** Whether this thread has woken a vCPU since its CPU last began with hypercalls. */
  declare hasWoken: boolean;
  declare readonly virtualization: Virtualization;
  /** Direct paging: a word for each page (src/direct/types.ts). */
  declare readonly pageTypes: Ptr;
  declare readonly isShadow: boolean;
  declare readonly isDirect: boolean;
  declare readonly isNested: boolean;
  /** Held while pgdirs are given to top levels, and whatever else the discipline says. */
  declare readonly lock: Lock;
  /** See src/defects.ts, both. */
  declare readonly sharesSwitcher: boolean;
  declare readonly trustsStack: boolean;
  /** Filled in once by Host, which makes guest and vCPUs at the same time. */
  readonly cpus: LgCpu[] = [];

  constructor(parts: LguestParts) {
    super(parts.host.words, parts.at);
    this.host = parts.host;
    this.index = parts.index;
    this.form = parts.form;
    this.nx = parts.nx;
    this.pfnLimit = parts.pfnLimit as Gpfn;
    this.pgdirs = parts.pgdirs;
    this.map = parts.map;
    this.counters = parts.counters;
    this.defects = parts.defects;
    this.steps = parts.steps;
    this.discipline = parts.discipline;
    this.policy = parts.policy;
    this.isAsWritten = parts.discipline === 'as-written';
    this.hasOneLock = parts.discipline === 'guest-lock';
    this.faultsTakeNoLock = faultsTakeNoLock(parts.discipline, parts.defects);
    this.hasWoken = false;
    this.virtualization = parts.virtualization;
    this.pageTypes = parts.pageTypes;
    this.isShadow = parts.virtualization === 'shadow';
    this.isDirect = parts.virtualization === 'direct';
    this.isNested = parts.virtualization === 'nested';
    this.sharesSwitcher = sharesSwitcher(parts.defects);
    // Without a shadow there is nothing to map it in.
    this.trustsStack = trustsStack(parts.defects) || !this.isShadow;
    const { machine } = parts.host;
    this.lock = new Lock(
      this.words,
      this.field(FIELDS.lock[0]),
      () => machine.stop === Stop.Failed,
    );
  }

  countNotification(): void {
    this.words.addBlind(this.field(NOTIFICATIONS), 1);
  }
  countWakeUp(): void {
    this.hasWoken = true;
    this.words.addBlind(this.field(WAKE_UPS), 1);
  }
  countUse(): number {
    this.words.write(this.field(FIELDS.uses[0]), this.uses + 1);
    return this.uses;
  }

  /** Where hungryVcpu is, and what `dead` is read from. */
  get hungryWord(): Ptr {
    return this.field(HUNGRY);
  }
  get deadWord(): Ptr {
    return this.field(DEAD);
  }

  get dead(): Dead {
    return this.words.read(this.field(DEAD)) as Dead;
  }

  /** Why it died; '' while it lives. */
  get reason(): string {
    if (this.dead < Dead.Killed) return '';
    const length = this.reasonLength;
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) {
      bytes[i] = this.words.load(this.field(REASON + (i >>> 2))) >>> ((i & 3) * 8);
    }
    return new TextDecoder().decode(bytes);
  }

  /** The first reason is kept. Returns whether this was it. */
  die(how: typeof Dead.Killed | typeof Dead.PoweredOff, reason: string): boolean {
    const words = this.words;
    const at = this.field(DEAD);
    if (this.steps.mayDieTwice()) {
      if (words.load(at) !== Dead.Alive) return false;
    } else if (words.compareExchange(at, Dead.Alive, Dead.Dying) !== Dead.Alive) {
      return false;
    }
    const bytes = new TextEncoder().encode(reason).subarray(0, REASON_WORDS * 4);
    for (let i = 0; i < bytes.length; i++) {
      const word = this.field(REASON + (i >>> 2));
      words.store(word, words.load(word) | (bytes[i]! << ((i & 3) * 8)));
    }
    this.reasonLength = bytes.length;
    words.store(at, how);
    return true;
  }

  /** `*ptr` of a page table entry, whole. */
  entry(ptr: Ptr): Entry {
    return this.form.pae ? this.words.read64(ptr) : new EntryValue(this.words.read(ptr), 0);
  }

  /**
   * Which of the entries `from` … `to` − 1 of the table at `table` is the first present; or `to`.
   */
  nextPresent(table: Ptr, from: number, to: number): number {
    const { entryWords } = this.form;
    return from + this.words.scan(toPtr(table + from * entryWords), to - from, entryWords);
  }

  /** Places of the present entries `from` … `to` − 1 of the table at `table`, in order. */
  *presentEntries(table: Ptr, from: number, to: number): Generator<Ptr> {
    let i = this.nextPresent(table, from, to);
    for (; i < to; i = this.nextPresent(table, i + 1, to)) {
      yield toPtr(table + i * this.form.entryWords);
    }
  }

  /** `set_pte`, `set_pmd` and `set_pgd`: one store, whole. */
  setEntry(ptr: Ptr, entry: Entry): void {
    if (this.form.pae) this.setWide(ptr, entry);
    else this.words.write(ptr, entry.low);
  }

  private setWide(ptr: Ptr, entry: Entry): void {
    if (this.steps.storesHalves()) {
      this.words.write(toPtr(ptr + 1), entry.high);
      this.words.write(ptr, entry.low);
    } else {
      this.words.store64(ptr, entry);
    }
  }

  /** In one step with reading what was there (`xchg`). */
  exchangeEntry(ptr: Ptr, entry: Entry): Entry {
    if (this.form.pae) return this.words.exchange64(ptr, entry);
    return new EntryValue(this.words.exchange(ptr, entry.low), 0);
  }

  /** Only in place of `expected`, in one step (`cmpxchg`); says whether it was. */
  compareExchangeEntry(ptr: Ptr, expected: Entry, entry: Entry): boolean {
    if (this.form.pae) return this.words.compareExchange64(ptr, expected, entry);
    const old = expected.low >>> 0;
    return this.words.compareExchange(ptr, old, entry.low) === old;
  }
}

/**
 * `kill_guest`: record the first reason and return. Callers run on, and the guest
 * never enters again.
 */
export function killGuest(cpu: LgCpu, reason: string): void {
  cpu.lg.die(Dead.Killed, reason);
}
