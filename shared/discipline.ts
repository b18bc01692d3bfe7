/**
 * How the vCPUs of a guest are synchronized.
 *
 * The shadow tables are changed atomically (exchange, compare-and-exchange), and what is removed
 * from them is freed only when no CPU can reach it any more: `quiesce`. Beyond that the
 * disciplines differ in one thing, the lock that a change and a fault take:
 *
 *  `as-written`  none at all, as lguest, which ran one vCPU
 *  `guest-lock`  one for each guest
 *  `pgdir-lock`  one for each pgdir
 *  `lock-free`   as pgdir-lock for changes; faults take none, and validate at their end
 *
 * Lock order: the guest's, one pgdir's, the frame pool's. No CPU waits for a lock inside a guest
 * or inside a lock-free fault, so these always end.
 *
 * See docs/decisions/disciplines.md.
 */

import type { DefectSwitches } from '../src/defects.ts';
import { GaveUp } from '../src/errors.ts';
import * as counted from './counters.ts';
import { EventKind } from './events.ts';
import type { Host } from './host.ts';
import { type HostCpu, Mail, Section } from './host-cpu.ts';
import type { LgCpu } from './lg-cpu.ts';
import type { Lguest } from './lguest.ts';
import type { Lock } from './lock.ts';
import { Stop } from './machine-record.ts';

const { Counter } = counted;

export const DISCIPLINES = ['as-written', 'guest-lock', 'pgdir-lock', 'lock-free'] as const;

export type DisciplineName = (typeof DISCIPLINES)[number];

/**
 * Whether faults take no lock. R1, R4: two concurrent faults. R3 keeps the lock, or it would
 * include R1.
 */
export const faultsTakeNoLock = (discipline: DisciplineName, on: DefectSwitches): boolean =>
  (discipline === 'lock-free' && !on.R3) || on.R1 || on.R4;

/** A CPU that does not leave its section is kicked again after this long. */
const PATIENCE_MS = 20;

/** What was taken at the beginning of an operation, to be released at its end. */
export type Taken = Lock | Section | undefined;

/**
 * Until `letGo`, only the caller removes or changes entries of this shadow. May be nested in an
 * operation that holds the same lock.
 */
export function lockPgdir(lg: Lguest, pgdir: number): Taken {
  return lg.isAsWritten ? undefined : takePgdir(lg, pgdir);
}

const takePgdir = (lg: Lguest, pgdir: number): Lock | undefined => take(lg, lockOf(lg, pgdir));

const lockOf = (lg: Lguest, pgdir: number): Lock =>
  lg.hasOneLock ? lg.lock : lg.pgdirs[pgdir]!.lock;

/** Assert lockPgdir, or a fault: see Words.mustHold. */
export function mustHoldPgdir(lg: Lguest, pgdir: number, where: string): void {
  if (!lg.isAsWritten) lg.words.mustHold(lockOf(lg, pgdir), where);
}

/** Until `letGo`, only the caller decides which shadow belongs to which top level. */
export function lockPgdirs(lg: Lguest): Taken {
  return lg.isAsWritten || !lg.steps.locksPgdirs() ? undefined : take(lg, lg.lock);
}

/** Assert lockPgdirs. */
export function mustHoldPgdirs(lg: Lguest, where: string): void {
  if (!lg.isAsWritten && lg.steps.locksPgdirs()) lg.words.mustHold(lg.lock, where);
}

/** Until `letGo`, one attempt to repair a page fault of `cpu`. */
export function beginFault(cpu: LgCpu): Taken {
  const { lg } = cpu;
  if (lg.isAsWritten) return undefined;
  if (!lg.faultsTakeNoLock) return lockPgdir(lg, cpu.cpuPgd);
  // The main thread is no CPU, and runs alone.
  const { inFault } = lg.host.cpus[lg.host.thisCpu] ?? {};
  if (inFault !== undefined) enter(lg, inFault, cpu.cpuPgd);
  return inFault;
}

/** Assert that a fault is under way: its lock is held, or its section not left. */
export function mustBeInFault(cpu: LgCpu, where: string): void {
  const { lg } = cpu;
  if (lg.isAsWritten) return;
  if (!lg.faultsTakeNoLock) return mustHoldPgdir(lg, cpu.cpuPgd, where);
  lg.words.mustBeInside(lg.host.cpus[lg.host.thisCpu]?.inFault, where);
}

/** Not called if the host dies before: CPUs that wait for the lock give up. */
export function letGo(lg: Lguest, taken: Taken): void {
  if (taken !== undefined) release(lg, taken);
}

function release({ host }: Lguest, taken: Lock | Section): void {
  if (taken instanceof Section) leave(host, host.cpus[host.thisCpu]!, taken);
  else taken.release(host.thisCpu);
}

/**
 * Wait until no CPU uses what was removed from a shadow before this call: no fault that began
 * earlier (it may put back what it had read), and no TLB.
 */
export function quiesce(lg: Lguest, pgdir: number): void {
  if (!lg.isAsWritten) awaitUsers(lg, pgdir);
}

function awaitUsers(lg: Lguest, pgdir: number): void {
  lg.steps.awaitFaults(lg, pgdir);
  lg.steps.shootDown(lg, pgdir);
}

/**
 * Before tables are removed from a shadow, once the change is counted: wait for faults that may
 * have read the guest's old upper entries. Such a fault removes its own last-level entry again,
 * but would leave behind a table that it linked in with the old flags.
 */
export function quiesceFaults(lg: Lguest, pgdir: number): void {
  if (lg.faultsTakeNoLock && !lg.isAsWritten) lg.steps.awaitLinkers(lg, pgdir);
}

/**
 * Wait until every CPU that changes entries of this guest, or repairs faults, sees what was written
 * before this call. Where faults take a lock, pinning a page waits for them by the lock.
 */
export function quiesceAll(lg: Lguest): void {
  if (!lg.faultsTakeNoLock || lg.isAsWritten || lg.cpus.length === 1) return;
  for (const i of lg.pgdirs.keys()) {
    letGo(lg, lockPgdir(lg, i));
    waitForFaults(lg, i);
  }
}

export function waitForFaults(lg: Lguest, pgdir: number): void {
  for (const cpu of lg.host.otherCpus) waitUntilOut(lg, cpu, cpu.inFault, pgdir);
}

/** Get every other CPU out of the guest that runs on a shadow, so that its TLB is empty. */
export function shootDown(lg: Lguest, pgdir: number): void {
  if (!lg.isAsWritten) lg.steps.shootDown(lg, pgdir);
}

export function shootDownOthers(lg: Lguest, pgdir: number): void {
  for (const cpu of lg.host.otherCpus) {
    if (countInside(lg, cpu.inGuest, pgdir) === OUTSIDE) continue;
    lg.counters.count(Counter.Shootdowns);
    lg.host.events.record(EventKind.ShootdownSent, cpu.index);
    waitUntilOut(lg, cpu, cpu.inGuest, pgdir);
    lg.host.events.record(EventKind.ShootdownDone, cpu.index);
  }
}

/**
 * Wait until no other CPU in the host's code accesses a guest's memory by an older state of the
 * Launcher's map. The caller leaves its own section meanwhile, since others may wait for it too.
 */
export function quiesceHost(lg: Lguest): void {
  const cpu = lg.host.cpus[lg.host.thisCpu]!;
  leave(lg.host, cpu, cpu.inHost);
  for (const other of lg.host.otherCpus) waitUntilOut(lg, other, other.inHost, 0);
  enter(lg, cpu.inHost, 0);
}

/** From now on other CPUs wait for this one before they reuse what they removed from the shadow. */
export function enter(lg: Lguest, { count, place }: Section, pgdir: number): void {
  const { words } = lg.host;
  words.write(place, placeOf(lg.index, pgdir));
  // Locked: the place is visible before the count, and no later access of this CPU is.
  words.add(count, 1);
}

export function leave({ words }: Host, cpu: HostCpu, { count }: Section): void {
  words.add(count, 1);
  // A waiter has set its bit in the mailbox before it slept.
  words.notifyIfAsked(count, cpu.mailbox);
}

/** Whether CPU `i` is inside the guest on a shadow. */
export const isInside = (lg: Lguest, i: number, pgdir: number): boolean =>
  countInside(lg, lg.host.cpus[i]!.inGuest, pgdir) !== OUTSIDE;

const OUTSIDE = 0;

/** A section's count, if the CPU is inside it on this shadow. */
function countInside({ host, index }: Lguest, { count, place }: Section, pgdir: number): number {
  const inside = host.words.load(count);
  const here = host.words.load(place) === placeOf(index, pgdir);
  return (inside & 1) === 1 && here ? inside : OUTSIDE;
}

const placeOf = (guest: number, pgdir: number): number => guest * 0x10000 + pgdir;

/**
 * Wait until a CPU has left its section on a shadow, if it is in one. The caller changes the shadow
 * and then reads the count; the other side changes the count and then reads the shadow (Dekker):
 * one of the two sees the other.
 */
function waitUntilOut(lg: Lguest, cpu: HostCpu, section: Section, pgdir: number): void {
  const { words, machine } = lg.host;
  const inside = countInside(lg, section, pgdir);
  if (inside === OUTSIDE) return;
  const ask = (): void => {
    words.or(cpu.mailbox, Mail.Leave);
    words.notify(cpu.mailbox);
  };
  words.waitForChange(section.count, inside, PATIENCE_MS, ask, () => {
    if (machine.stop === Stop.Failed) throw new GaveUp('who is waited for');
  });
}

/** Undefined if an enclosing operation holds it. */
function take({ host: { thisCpu }, counters }: Lguest, lock: Lock): Lock | undefined {
  if (lock.holding(thisCpu)) return undefined;
  if (lock.acquire(thisCpu)) counters.count(Counter.LockWaits);
  counters.count(Counter.LockTakes);
  return lock;
}
