/**
 * Safe points: where the main thread can stop all host CPUs of a running machine, look at
 * memory, and let them go on. A CPU stops at the top of its round, between two operations
 * inside the guest (its TLB stays as it is), or where it has nothing to do: nowhere does it
 * hold a lock or leave a change half made.
 *
 * One word says both whether the CPUs are to stop and how many have, and it changes in one
 * step. A CPU that stopped inside the guest goes on by itself when another, which still
 * runs, wants it out: that one could not come to its own safe point otherwise. Once all
 * stand, none goes on before the main thread says so, or the machine stops.
 */

import type { Host } from '../../shared/host.ts';
import { type HostCpu, Mail } from '../../shared/host-cpu.ts';
import { Stop } from '../../shared/machine-record.ts';
import { type Ptr, toPtr } from '../hardware/address.ts';
import { nextTurn } from '../platform.ts';

/**
 * The state, first in the region: the CPUs are to stop; the number that have is in the bits below. Behind it,
 * for each CPU, where it stands.
 */
const WANTED = 0x8000_0000;

/** A CPU that stands looks this often, even if nobody woke it; the main thread likewise. */
const PATIENCE_MS = 50;
const LOOK_MS = 1;

/** Where a host CPU stands. */
export const Standing = {
  /** It does not: it runs. */
  No: 0,
  /** At the top of a round, with a vCPU in hand that is not inside its guest. */
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

/** For a host CPU, outside the guest and with its mailbox just emptied: stop if it is wanted. */
export function safePoint(host: Host, cpu: HostCpu, where: Standing): void {
  if (host.words.load(state(host)) >= WANTED) stand(host, cpu, where);
}

/**
 * For a host CPU inside the guest that finds its mailbox not empty: stop if it is wanted.
 * False: it is to leave the guest.
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

/** One fewer stands, if that may be; `early` while the others are still to stop. */
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
 * For the main thread, while the machine runs: stop all host CPUs at safe points. True when
 * all stand; false when the machine stops instead, or the caller gives up waiting, and then
 * nothing is paused.
 */
export async function pause(host: Host, givesUp = () => false): Promise<boolean> {
  const { words } = host;
  // Those that were let go have gone on, so that each pause is a later one.
  if (!(await until(host, (value) => value === 0, givesUp))) return false;
  words.or(state(host), WANTED);
  wakeAll(host);
  const allStand = (value: number) => value % WANTED === host.cpus.length;
  if (await until(host, allStand, givesUp)) return true;
  resume(host);
  return false;
}

/** For the main thread: let them go on. */
export function resume(host: Host): void {
  host.words.and(state(host), ~WANTED);
  wakeAll(host);
}

/** A change of the mailbox ends the sleep of a CPU that is about to fall asleep, too. */
function wakeAll(host: Host): void {
  for (const { mailbox } of host.cpus) {
    host.words.or(mailbox, Mail.Pause);
    host.words.notify(mailbox);
  }
}

/** Wait for the state, letting the main thread's other business go on; false: it will not come. */
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
