/**
 * Safe points: where the main thread can stop all host CPUs of a running machine, inspect memory,
 * and resume them. A CPU stops at the top of its round, between two operations inside the guest
 * (its TLB is kept), or where it is idle: never with a lock, or in the middle of a change.
 *
 * One word, changed atomically, says whether the CPUs have to stop and how many have. A CPU that
 * stopped inside the guest resumes by itself when a CPU that still runs waits for it to leave:
 * else that one could not reach its own safe point. Once all have stopped, none resumes before
 * the main thread says so, or the machine stops.
 */

import type { Host } from '../../shared/host.ts';
import { type HostCpu, Mail } from '../../shared/host-cpu.ts';
import { Stop } from '../../shared/machine-record.ts';
import { type Ptr, toPtr } from '../hardware/address.ts';
import { nextTurn } from '../platform.ts';

/**
 * The state, first in the region: the flag that the CPUs have to stop, above the number that have.
 * Behind it, for each CPU, where it stopped.
 */
const WANTED = 0x8000_0000;

/** A stopped CPU and the main thread check this often, even if they are not woken. */
const PATIENCE_MS = 50;
const LOOK_MS = 1;

/** Where a host CPU stopped. */
export const Standing = {
  /** It has not: it runs. */
  No: 0,
  /** At the top of a round, with a running vCPU outside its guest. */
  Round: 1,
  Inside: 2,
  Idle: 3,
} as const;

export type Standing = (typeof Standing)[keyof typeof Standing];

const state = (host: Host): Ptr => host.layout.regions.safePoints.at;

const standingAt = (host: Host, cpu: number): Ptr => {
  const { at, stride } = host.layout.regions.safePoints;
  return toPtr(at + (1 + cpu) * stride);
};

export const standing = (host: Host, cpu: number): Standing =>
  host.words.load(standingAt(host, cpu)) as Standing;

/** For a host CPU outside the guest, its mailbox just cleared: stop if requested. */
export function safePoint(host: Host, cpu: HostCpu, where: Standing): void {
  if (host.words.load(state(host)) >= WANTED) stand(host, cpu, where);
}

/**
 * For a host CPU inside the guest whose mailbox is not empty: stop if requested. False: it has to
 * leave the guest.
 */
export function mayStayInside(host: Host, cpu: HostCpu): boolean {
  if (host.words.load(state(host)) >= WANTED) stand(host, cpu, Standing.Inside);
  host.words.and(cpu.mailbox, ~Mail.Pause);
  return host.words.load(cpu.mailbox) === 0 && host.machine.stop === Stop.Running;
}

function stand(host: Host, cpu: HostCpu, where: Standing): void {
  const { words, machine } = host;
  words.store(standingAt(host, cpu.index), where);
  words.add(state(host), 1);
  words.notify(state(host));
  for (;;) {
    const mail = words.load(cpu.mailbox);
    const wantedOut = where === Standing.Inside && (mail & ~Mail.Pause) !== 0;
    if (goesOn(host, wantedOut || machine.stop !== Stop.Running)) break;
    words.wait(cpu.mailbox, mail, PATIENCE_MS);
  }
  words.store(standingAt(host, cpu.index), Standing.No);
}

/** Leave the stop, if allowed; `early` while other CPUs have not stopped yet. */
function goesOn(host: Host, early: boolean): boolean {
  const { words, machine, cpus } = host;
  for (;;) {
    const value = words.load(state(host));
    const allStand = value % WANTED === cpus.length;
    const stopping = machine.stop !== Stop.Running;
    if (value >= WANTED && (!early || (allStand && !stopping))) return false;
    if (words.compareExchange(state(host), value, value - 1) === value) {
      words.notify(state(host));
      return true;
    }
  }
}

/**
 * For the main thread, while the machine runs: stop all host CPUs at safe points. True when all
 * have stopped; false if the machine stops instead, or the caller gives up: then none is paused.
 */
export async function pause(host: Host, givesUp = () => false): Promise<boolean> {
  const { words } = host;
  // Wait until all CPUs of the last pause have resumed, so that pauses do not overlap.
  if (!(await until(host, (value) => value === 0, givesUp))) return false;
  words.or(state(host), WANTED);
  wakeAll(host);
  const allStand = (value: number) => value % WANTED === host.cpus.length;
  if (await until(host, allStand, givesUp)) return true;
  resume(host);
  return false;
}

/** For the main thread: resume them. */
export function resume(host: Host): void {
  host.words.and(state(host), ~WANTED);
  wakeAll(host);
}

/** A change of the mailbox also wakes a CPU that is just falling asleep. */
function wakeAll(host: Host): void {
  for (const { mailbox } of host.cpus) {
    host.words.or(mailbox, Mail.Pause);
    host.words.notify(mailbox);
  }
}

/** Wait for the state without blocking the event loop; false: it will not come. */
async function until(
  host: Host,
  reached: (state: number) => boolean,
  givesUp: () => boolean,
): Promise<boolean> {
  const { words, machine } = host;
  for (;;) {
    if (machine.stop !== Stop.Running) return false;
    const value = words.load(state(host));
    if (reached(value)) return true;
    if (givesUp()) return false;
    words.wait(state(host), value, LOOK_MS);
    await nextTurn();
  }
}
