/**
 * Invariant 7: every fault ends, and no CPU waits for ever. Checked from the main thread, which may
 * read the clock; the checks only read.
 */

import { Counter } from '../../shared/counters.ts';
import { EventKind, type HostEvent } from '../../shared/events.ts';
import type { Host } from '../../shared/host.ts';
import { Dead, type Lguest } from '../../shared/lguest.ts';
import { hex } from '../hardware/address.ts';
import { type Violation, violation } from './violation.ts';

/** Faults in a row at one address, each fixed, without an operation between them. */
const LIVELOCK_FAULTS = 8;

export interface Patience {
  /** Without any operation for so long, the machine stands still. */
  readonly stallMs?: number;
  /** Milliseconds; for tests. */
  readonly now?: () => number;
}

/** Keeps the values of its last check. */
export class ProgressWatcher {
  readonly #host: Host;
  readonly #stallMs: number;
  readonly #now: () => number;
  #done = -1;
  #since = 0;

  constructor(host: Host, { stallMs = 10_000, now = () => performance.now() }: Patience = {}) {
    this.#host = host;
    this.#stallMs = stallMs;
    this.#now = now;
  }

  /** Time that the machine stood by request does not count. */
  excuse(): void {
    this.#since = this.#now();
  }

  /** To be called again and again while the machine runs. */
  look(): Violation[] {
    return [...this.#stalled(), ...checkLivelock(this.#host)];
  }

  #stalled(): Violation[] {
    const host = this.#host;
    const now = this.#now();
    const done = operations(host);
    const alive = host.guests.filter((lg) => lg.dead === Dead.Alive);
    if (done !== this.#done || alive.length === 0) {
      this.#done = done;
      this.#since = now;
      return [];
    }
    if (now - this.#since < this.#stallMs) return [];
    const seconds = ((now - this.#since) / 1000).toFixed(1);
    const found = `none for ${seconds} s, after ${done}; ${where(host)}`;
    return [violation(7, 'no progress', {}, 'operations of the guests that live', found)];
  }
}

/** U7: the same fault is repaired again and again, and the access does not get through. */
export function checkLivelock(host: Host): Violation[] {
  return host.cpus.flatMap(({ index }) => {
    const faults = host.events
      .last(index)
      .filter(({ kind }) => kind === EventKind.FaultFixed || kind === EventKind.FaultPassedOn);
    const last = faults.at(-1);
    if (last === undefined || faults.length < LIVELOCK_FAULTS) return [];
    const same = (event: HostEvent): boolean =>
      event.kind === EventKind.FaultFixed &&
      (['vcpu', 'a', 'b', 'c'] as const).every((key) => event[key] === last[key]);
    if (!faults.slice(-LIVELOCK_FAULTS).every(same)) return [];
    const vcpu = host.vcpus[last.vcpu];
    const place = { ...(vcpu && { guest: vcpu.lg.index, vcpu: vcpu.id }), hostCpu: index };
    const found = `${LIVELOCK_FAULTS} fixed faults in a row, error code ${last.b}`;
    const expected = 'the access to get through';
    return [violation(7, 'a fault never ends', { ...place, vaddr: last.a }, expected, found)];
  });
}

function operations(host: Host): number {
  const of = (lg: Lguest, cpu: number): number =>
    host.counters(cpu, lg.index).get(Counter.Operations);
  return host.guests.reduce((n, lg) => host.cpus.reduce((m, cpu) => m + of(lg, cpu.index), n), 0);
}

/** The last events of each CPU. */
function where(host: Host): string {
  return host.cpus
    .map(({ index }) => {
      const [event] = host.events.last(index, 1);
      if (event === undefined) return `host CPU ${index} did nothing`;
      const name = Object.entries(EventKind).find(([, kind]) => kind === event.kind)?.[0];
      return `host CPU ${index}: ${name} ${hex(event.a)} of vCPU ${event.vcpu}`;
    })
    .join('; ');
}
