/**
 * `struct lg_cpu`: one vCPU. Its whole state is here, in its regs page and in guest
 * memory, so that it can continue on any host CPU after any operation.
 */

import type { Gpa, Pfn, Ptr } from '../src/hardware/address.ts';
import type { Lguest } from './lguest.ts';
import * as record from './record.ts';

export const GDT_ENTRIES = 32;
export const IDT_ENTRIES = 256;

/** See shared/record.ts. */
const FIELDS = {
  /** Which of the guest's pgdirs it runs on; NO_PGDIR while all were in use by others. */
  cpuPgd: [0, 'index', 'own', 'owner', 'cpu_pgd of %'],
  /** Before the first NEW_PGTABLE, guest-virtual is guest-physical. */
  linearPages: [1, 'truth', 'own', 'owner', 'linear_pages of %'],
  /** Top of the guest kernel's stack, and its segment. */
  esp1: [2, 'gva', 'own', 'owner, seen', 'esp1 of %'],
  ss1: [3, 'number', 'own', 'owner', 'ss1 of %'],
  regsPage: [4, 'pfn', 'own', 'once', 'regs page of %'],
  /** The host CPU whose two pages it last entered through, or NOWHERE. */
  lastPages: [5, 'hostCpu', 'own', 'owner', 'last_pages of %'],
  /** What copy_in_guest_info has to copy to the CPU's state page. */
  changed: [6, 'number', 'own', 'owner', 'changed of %'],
  /** `cpu->hcall`: its registers hold a hypercall not yet done. */
  hypercallPending: [7, 'truth', 'own', 'owner', 'hypercall pending of %'],
  /** Its position in the asynchronous ring. */
  nextHcall: [8, 'number', 'own', 'owner', 'next_hcall of %'],
  /** The argument of a NOTIFY that is pending; 0 for none. */
  pendingNotify: [9, 'gpa', 'own', 'owner', 'pending_notify of %'],
  halted: [10, 'vcpu', 'atomic', 'owner, seen', 'halted of %'],
  /** A bit for each of 32 interrupts; set by any CPU. */
  irqsPending: [11, 'number', 'atomic', 'atomic', 'irqs_pending of %'],
  /** SET_CLOCKEVENT: at which count of operations the clock interrupts; 0 for never. */
  clockDeadline: [12, 'number', 'atomic', 'owner, seen', 'clock deadline of %'],
  /** Operations it has completed, modulo 2^32: the clock that its guest sees. */
  operations: [13, 'number', 'own', 'owner', 'operations of %'],
  /** Where it ran last, for counting migrations; NOWHERE at first. */
  lastHostCpu: [14, 'hostCpu', 'own', 'owner, seen', 'last host CPU of %'],
  /** Operations left of its time slice. */
  quantum: [15, 'number', 'own', 'handed', 'quantum of %'],
  /** CR0.TS as the guest last set it. */
  ts: [16, 'truth', 'own', 'owner', 'ts of %'],
  /** Where the guest said its `struct lguest_data` is; 0 until LGUEST_INIT. */
  ownLguestData: [17, 'gpa', 'own', 'owner', 'lguest_data of %'],
  /** How many pages of kernel stack are to be pinned. */
  ownStackPages: [18, 'number', 'own', 'owner, seen', 'stack_pages of %'],
  /** The guest's top-level table that it runs on; LINEAR, or as written 0, while it has none. */
  cr3: [19, 'gpa', 'own', 'owner', 'cr3 of %'],
  /** State of the vCPU's own random numbers. */
  random: [20, 'words', 'by hand', 'handed', 'random numbers of %', 3],
  /** Whether it was ever started; the first one always is. Set when its record is filled in. */
  started: [23, 'vcpu', 'by hand', 'atomic', 'started of %'],
  /** Of these three, entry `i` is words 2i and 2i + 1. */
  tls: [24, 'words', 'by hand', 'owner', 'TLS descriptors of %', 6],
  gdt: [32, 'words', 'by hand', 'owner', 'GDT of %', GDT_ENTRIES * 2],
  idt: [96, 'words', 'by hand', 'owner', 'IDT of %', IDT_ENTRIES * 2],
  /** Its own top level, middle level (PAE) and Switcher table; 0 as written. */
  root: [608, 'pfn', 'own', 'owner', 'root of %'],
  rootPmd: [609, 'pfn', 'own', 'owner', 'middle level of %'],
  switcherTable: [610, 'pfn', 'own', 'owner', 'Switcher table of %'],
  /** Whose pages its Switcher table shows, or NOWHERE. */
  switcherHostCpu: [611, 'hostCpu', 'own', 'owner', 'CPU in the Switcher table of %'],
  parked: [612, 'vcpu', 'by hand', 'atomic', 'parked of %'],
  /** The pgdir that its root is a copy of, and the version copied; NO_PGDIR at first. */
  rootPgdir: [613, 'index', 'own', 'owner', 'pgdir in the root of %'],
  rootVersion: [614, 'number', 'own', 'owner', 'version in the root of %'],
  /** Whether it is counted as a user of its pgdir, which is then not taken away. */
  holdsPgdir: [615, 'truth', 'own', 'owner', 'holds_pgdir of %'],
  /** The host CPU where it has to continue, regardless of the policy; else NOWHERE. */
  nextHostCpu: [616, 'hostCpu', 'own', 'handed', 'next host CPU of %'],
  /** Stretches of a placement that it has begun; one more when all are over. */
  stretches: [617, 'number', 'own', 'handed', 'stretches of %'],
} as const satisfies record.Fields;

export const LG_CPU = FIELDS;
export const LG_CPU_WORDS = record.wordsOf(FIELDS);

const [IRQS_PENDING] = FIELDS.irqsPending;
const [CR3] = FIELDS.cr3;
const [RANDOM] = FIELDS.random;
const [STARTED] = FIELDS.started;
const [TLS] = FIELDS.tls;
const [GDT] = FIELDS.gdt;
const [IDT] = FIELDS.idt;
const [PARKED] = FIELDS.parked;

/** `cpu->changed`: what copy_in_guest_info has to copy to the CPU's state page. */
export const CHANGED_IDT = 1;
export const CHANGED_GDT = 2;
export const CHANGED_GDT_TLS = 4;
export const CHANGED_ALL = 3;

/** Whether a vCPU runs: `Soon` while the one that starts it fills in its record. */
const Started = { No: 0, Yes: 1, Soon: 2 } as const;

/** No host CPU. */
export const NOWHERE = -1;
/** No pgdir. */
export const NO_PGDIR = -1;

export class LgCpu extends record.recordOf(FIELDS) {
  declare readonly lg: Lguest;
  /** Number within the guest. */
  declare readonly id: number;
  /** Number within the machine. */
  declare readonly number: number;

  constructor(lg: Lguest, id: number, number: number, at: Ptr) {
    super(lg.host.words, at);
    this.lg = lg;
    this.id = id;
    this.number = number;
  }

  /** The vCPU whose record holds what, as written, is the guest's. */
  get #shared(): LgCpu {
    return this.lg.steps.keeperOf(this);
  }
  get lguestData(): Gpa {
    return this.#shared.ownLguestData;
  }
  set lguestData(gpa: Gpa) {
    this.#shared.ownLguestData = gpa;
  }
  get stackPages(): number {
    return this.#shared.ownStackPages;
  }
  set stackPages(pages: number) {
    this.#shared.ownStackPages = pages;
  }

  /** Where it says whether it was started, 0 if not, and where its CR3 is. */
  get placeWords(): readonly [started: Ptr, cr3: Ptr] {
    return [this.field(STARTED), this.field(CR3)];
  }

  get started(): boolean {
    return this.words.load(this.field(STARTED)) === Started.Yes;
  }
  set started(started: boolean) {
    this.words.store(this.field(STARTED), started ? Started.Yes : Started.No);
  }
  /** True for exactly one caller, which fills in its record and starts it. */
  claimStart(): boolean {
    return this.words.compareExchange(this.field(STARTED), Started.No, Started.Soon) === Started.No;
  }

  /** Its own top level is copied anew before it enters the guest again. */
  forgetRoot(): void {
    this.setRootSource(NO_PGDIR, 0);
  }
  setRootSource(pgdir: number, version: number): void {
    this.rootPgdir = pgdir;
    this.rootVersion = version;
  }

  /** `set_interrupt` without the kick. */
  raiseIrq(irq: number): void {
    this.words.or(this.field(IRQS_PENDING), 1 << irq);
  }
  clearIrq(irq: number): void {
    this.words.and(this.field(IRQS_PENDING), ~(1 << irq));
  }

  /** Whether it is runnable: started, and not waiting for an interrupt. */
  get mayRun(): boolean {
    return this.started && (!this.halted || this.irqsPending !== 0);
  }

  /** Take it out of the scheduler until it is unparked. */
  park(): void {
    this.words.store(this.field(PARKED), 1);
  }
  /** True for exactly one caller, which queues it again. */
  unpark(): boolean {
    return this.words.compareExchange(this.field(PARKED), 1, 0) === 1;
  }

  tls(word: number): number {
    return this.get(TLS + word);
  }
  setTls(word: number, value: number): void {
    this.set(TLS + word, value);
  }
  get tlsWords(): Ptr {
    return this.field(TLS);
  }
  get gdtWords(): Ptr {
    return this.field(GDT);
  }
  setGdt(word: number, value: number): void {
    this.set(GDT + word, value);
  }
  get idtWords(): Ptr {
    return this.field(IDT);
  }
  idt(word: number): number {
    return this.get(IDT + word);
  }
  setIdt(word: number, value: number): void {
    this.set(IDT + word, value);
  }

  get random(): Ptr {
    return this.field(RANDOM);
  }

  /** Once, at boot. */
  initialise(regsPage: Pfn): void {
    this.regsPage = regsPage;
    this.lastPages = NOWHERE;
    this.lastHostCpu = NOWHERE;
    this.nextHostCpu = NOWHERE;
    this.changed = CHANGED_ALL;
  }
}
