/**
 * `struct lg_cpu`: one vCPU. Its whole state is here, in its regs page and in guest
 * memory, so that it can continue on any host CPU after any operation.
 */

import type { Gpa, Gva, Pfn, Ptr } from './address.ts';
import * as address from './address.ts';
import type { Lguest } from './lguest.ts';
import { SharedRecord } from './shared-record.ts';

const { toGpa, toGva, toPfn } = address;

const CPU_PGD = 0;
const LINEAR_PAGES = 1;
const ESP1 = 2;
const SS1 = 3;
const REGS_PAGE = 4;
const LAST_PAGES = 5;
const CHANGED = 6;
const HYPERCALL = 7;
const NEXT_HCALL = 8;
const PENDING_NOTIFY = 9;
const HALTED = 10;
const IRQS_PENDING = 11;
const CLOCK_DEADLINE = 12;
const OPERATIONS = 13;
const LAST_HOST_CPU = 14;
const QUANTUM = 15;
const TS = 16;
const LGUEST_DATA = 17;
const STACK_PAGES = 18;
const CR3 = 19;
const RANDOM = 20;
const STARTED = 23;
const TLS = 24;
const GDT = 32;
const IDT = 96;

export const GDT_ENTRIES = 32;
export const IDT_ENTRIES = 256;
const ROOT = IDT + IDT_ENTRIES * 2;
const ROOT_PMD = ROOT + 1;
const SWITCHER_TABLE = ROOT + 2;
const SWITCHER_HOST_CPU = ROOT + 3;
const PARKED = ROOT + 4;
const ROOT_PGDIR = ROOT + 5;
const ROOT_VERSION = ROOT + 6;
const HOLDS_PGDIR = ROOT + 7;
const NEXT_HOST_CPU = ROOT + 8;
export const LG_CPU_WORDS = ROOT + 16;

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

export class LgCpu extends SharedRecord {
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

  /** Which of the guest's pgdirs it runs on; NO_PGDIR while all were in use by others. */
  get cpuPgd(): number {
    return this.get(CPU_PGD) | 0;
  }
  set cpuPgd(pgdir: number) {
    this.set(CPU_PGD, pgdir);
  }

  /** Whether it counts among its pgdir's users, so that this is not taken away. */
  get holdsPgdir(): boolean {
    return this.get(HOLDS_PGDIR) !== 0;
  }
  set holdsPgdir(holds: boolean) {
    this.set(HOLDS_PGDIR, holds ? 1 : 0);
  }

  /** Before the first NEW_PGTABLE, guest-virtual is guest-physical. */
  get linearPages(): boolean {
    return this.get(LINEAR_PAGES) !== 0;
  }
  set linearPages(linear: boolean) {
    this.set(LINEAR_PAGES, linear ? 1 : 0);
  }

  /** The guest's top-level table that it runs on; LINEAR, or as written 0, while it has none. */
  get cr3(): Gpa {
    return toGpa(this.get(CR3));
  }
  set cr3(gpa: Gpa) {
    this.set(CR3, gpa);
  }

  /**
   * Where the guest said its `struct lguest_data` is; 0 until LGUEST_INIT. As written
   * there is one for the whole guest (R15), which is the first vCPU's.
   */
  get lguestData(): Gpa {
    return toGpa(this.#shared.get(LGUEST_DATA));
  }
  set lguestData(gpa: Gpa) {
    this.#shared.set(LGUEST_DATA, gpa);
  }

  /** How many pages of kernel stack are to be pinned; R15 as above. */
  get stackPages(): number {
    return this.#shared.get(STACK_PAGES);
  }
  set stackPages(pages: number) {
    this.#shared.set(STACK_PAGES, pages);
  }

  /** Where it says whether it was started, 0 if not, and where its CR3 is. */
  get placeWords(): readonly [started: Ptr, cr3: Ptr] {
    return [this.field(STARTED), this.field(CR3)];
  }

  /** Whether it was ever started; the first one always is. Set when its record is filled in. */
  get started(): boolean {
    return this.load(STARTED) === Started.Yes;
  }
  set started(started: boolean) {
    this.store(STARTED, started ? Started.Yes : Started.No);
  }
  /** True for the one caller who is to fill in its record and start it. */
  claimStart(): boolean {
    return this.words.compareExchange(this.field(STARTED), Started.No, Started.Soon) === Started.No;
  }

  /** Its own top level, middle level (PAE) and Switcher table; 0 as written. */
  get root(): Pfn {
    return toPfn(this.get(ROOT));
  }
  set root(frame: Pfn) {
    this.set(ROOT, frame);
  }
  get rootPmd(): Pfn {
    return toPfn(this.get(ROOT_PMD));
  }
  set rootPmd(frame: Pfn) {
    this.set(ROOT_PMD, frame);
  }
  get switcherTable(): Pfn {
    return toPfn(this.get(SWITCHER_TABLE));
  }
  set switcherTable(frame: Pfn) {
    this.set(SWITCHER_TABLE, frame);
  }

  /** Which pgdir its root is a copy of, and of which version; NO_PGDIR at first. */
  get rootPgdir(): number {
    return this.get(ROOT_PGDIR) | 0;
  }
  get rootVersion(): number {
    return this.get(ROOT_VERSION);
  }
  setRootSource(pgdir: number, version: number): void {
    this.set(ROOT_PGDIR, pgdir);
    this.set(ROOT_VERSION, version);
  }

  /** Its own top level is copied anew before it enters the guest again. */
  forgetRoot(): void {
    this.setRootSource(NO_PGDIR, 0);
  }

  /** Whose pages its Switcher table shows, or NOWHERE. */
  get switcherHostCpu(): number {
    return this.get(SWITCHER_HOST_CPU) | 0;
  }
  set switcherHostCpu(hostCpu: number) {
    this.set(SWITCHER_HOST_CPU, hostCpu);
  }

  /** R15: the vCPU whose record holds what as written is the guest's. */
  get #shared(): LgCpu {
    return this.lg.defects.R15 ? this.lg.cpus[0]! : this;
  }

  /** Top of the guest kernel's stack, and its segment. */
  get esp1(): Gva {
    return toGva(this.get(ESP1));
  }
  set esp1(esp: Gva) {
    this.set(ESP1, esp);
  }
  get ss1(): number {
    return this.get(SS1);
  }
  set ss1(segment: number) {
    this.set(SS1, segment);
  }

  get regsPage(): Pfn {
    return toPfn(this.get(REGS_PAGE));
  }
  set regsPage(frame: Pfn) {
    this.set(REGS_PAGE, frame);
  }

  /** The host CPU whose two pages it last entered through, or NOWHERE. */
  get lastPages(): number {
    return this.get(LAST_PAGES) | 0;
  }
  set lastPages(hostCpu: number) {
    this.set(LAST_PAGES, hostCpu);
  }

  get changed(): number {
    return this.get(CHANGED);
  }
  set changed(what: number) {
    this.set(CHANGED, what);
  }

  /** `cpu->hcall`: its registers hold a hypercall not yet done. */
  get hypercallPending(): boolean {
    return this.get(HYPERCALL) !== 0;
  }
  set hypercallPending(pending: boolean) {
    this.set(HYPERCALL, pending ? 1 : 0);
  }

  /** Where it is in the asynchronous ring. */
  get nextHcall(): number {
    return this.get(NEXT_HCALL);
  }
  set nextHcall(slot: number) {
    this.set(NEXT_HCALL, slot);
  }

  /** What NOTIFY named; 0 when nothing waits. */
  get pendingNotify(): Gpa {
    return toGpa(this.get(PENDING_NOTIFY));
  }
  set pendingNotify(what: Gpa) {
    this.set(PENDING_NOTIFY, what);
  }

  get halted(): boolean {
    return this.load(HALTED) !== 0;
  }
  set halted(halted: boolean) {
    this.store(HALTED, halted ? 1 : 0);
  }

  /** A bit for each of 32 interrupts; set by any CPU. */
  get irqsPending(): number {
    return this.load(IRQS_PENDING);
  }
  /** `set_interrupt` without the kick. */
  raiseIrq(irq: number): void {
    this.words.or(this.field(IRQS_PENDING), 1 << irq);
  }
  clearIrq(irq: number): void {
    this.words.and(this.field(IRQS_PENDING), ~(1 << irq));
  }

  /** Whether it could go on: started, and not waiting for an interrupt. */
  get mayRun(): boolean {
    return this.started && (!this.halted || this.irqsPending !== 0);
  }

  /** Take it out of the scheduler's hands until somebody unparks it. */
  park(): void {
    this.store(PARKED, 1);
  }
  /** True for the one caller who is to queue it again. */
  unpark(): boolean {
    return this.words.compareExchange(this.field(PARKED), 1, 0) === 1;
  }

  /** SET_CLOCKEVENT: at which count of operations the clock interrupts; 0 for never. */
  get clockDeadline(): number {
    return this.load(CLOCK_DEADLINE);
  }
  set clockDeadline(operations: number) {
    this.store(CLOCK_DEADLINE, operations);
  }

  /** Operations it has completed, modulo 2^32: the clock that its guest sees. */
  get operations(): number {
    return this.get(OPERATIONS);
  }
  set operations(count: number) {
    this.set(OPERATIONS, count);
  }

  /** Where it ran last, for counting migrations; NOWHERE at first. */
  get lastHostCpu(): number {
    return this.get(LAST_HOST_CPU) | 0;
  }
  set lastHostCpu(hostCpu: number) {
    this.set(LAST_HOST_CPU, hostCpu);
  }

  /** Where it is to go on when it is put down, whatever the policy says; else NOWHERE. */
  get nextHostCpu(): number {
    return this.get(NEXT_HOST_CPU) | 0;
  }
  set nextHostCpu(hostCpu: number) {
    this.set(NEXT_HOST_CPU, hostCpu);
  }

  /** Operations left until the scheduler takes it off its CPU. */
  get quantum(): number {
    return this.get(QUANTUM);
  }
  set quantum(operations: number) {
    this.set(QUANTUM, operations);
  }

  /** CR0.TS as the guest last set it. */
  get ts(): boolean {
    return this.get(TS) !== 0;
  }
  set ts(set: boolean) {
    this.set(TS, set ? 1 : 0);
  }

  /** Words of the tables: entry `i` is words 2i and 2i + 1. */
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

  /** State of the vCPU's own random numbers: three words. */
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
