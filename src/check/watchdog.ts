/** Watching that guests get on: a machine in which nobody does is given up. */

import { Counter } from '../../shared/counters.ts';
import type { Machine } from '../machine.ts';

/** How often it looks, as a part of its patience. */
const LOOKS = 8;

/** Operations of all guests so far. */
export function operationsOf({ host }: Machine): number {
  let operations = 0;
  for (const cpu of host.cpus) {
    for (const guest of host.guests.keys()) {
      operations += host.counters(cpu.index, guest).get(Counter.Operations);
    }
  }
  return operations;
}

/**
 * Give a machine up once no guest operation has completed for `patienceMs`: run() then
 * returns with the ending `no progress`. Returns how to stop watching.
 */
export function watch(machine: Machine, patienceMs: number): () => void {
  let seen = operationsOf(machine);
  let since = performance.now();
  const timer = setInterval(() => {
    const now = operationsOf(machine);
    if (now !== seen) {
      seen = now;
      since = performance.now();
    } else if (performance.now() - since >= patienceMs) {
      clearInterval(timer);
      machine.giveUp(`no guest operation completed for ${patienceMs / 1000} s`);
    }
  }, patienceMs / LOOKS);
  return () => clearInterval(timer);
}
