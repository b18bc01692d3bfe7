/**
 * How several vCPUs of a guest are kept from harming one another.
 *
 * `as-written`: not at all, as lguest, which ran one. `guest-lock`: one lock for each
 * guest is held while the host changes its shadow tables and while a vCPU is made ready
 * to enter; before a translation goes away, every CPU that is inside the guest is got
 * out, and it cannot come back in before the lock is free.
 */

import { Counter } from './counters.ts';
import { assert } from './errors.ts';
import { EventKind } from './events.ts';
import type { LgCpu } from './lg-cpu.ts';
import type { Lguest } from './lguest.ts';
import { Stop } from './machine-record.ts';

export const DISCIPLINES = ['as-written', 'guest-lock', 'pgdir-lock', 'lock-free'] as const;

export type DisciplineName = (typeof DISCIPLINES)[number];

/** A kicked CPU that does not come out is asked again after this long. */
const PATIENCE_MS = 20;

/** Run `body` as the only one who changes this guest's shadow. */
export function withGuest<T>({ lg }: LgCpu, body: () => T): T {
  if (lg.discipline === 'as-written') return body();
  const me = lg.host.thisCpu;
  lg.lock.acquire(me);
  try {
    return body();
  } finally {
    lg.lock.release(me);
  }
}

/**
 * Get every other CPU out of the guest, so that no TLB holds a translation of its any
 * more. The guest's lock is held, which keeps them out. The store of a request before
 * the look at in_guest, and the other way round on the other side, are Dekker's: one of
 * the two sees the other.
 */
export function shootDown(lg: Lguest): void {
  if (lg.discipline === 'as-written') return;
  const { host } = lg;
  assert(lg.lock.holding(host.thisCpu), 'a shootdown is made under the guest lock');
  for (const cpu of host.cpus) {
    if (cpu.index === host.thisCpu) continue;
    if (host.words.load(cpu.inGuest) !== lg.index + 1) continue;
    lg.counters.count(Counter.Shootdowns);
    host.events.record(EventKind.ShootdownSent, cpu.index);
    while (host.words.load(cpu.inGuest) === lg.index + 1) {
      host.words.store(cpu.mailbox, 1);
      host.words.notify(cpu.mailbox);
      host.words.wait(cpu.inGuest, lg.index + 1, PATIENCE_MS);
      assert(host.machine.stop !== Stop.Failed, 'the CPU inside the guest is alive');
    }
    host.events.record(EventKind.ShootdownDone, cpu.index);
  }
}
