/**
 * A guest that runs the trace of a real program and ends has made every access of it. The host CPUs
 * count the accesses made; the trace says how many there are.
 */

import { Counter } from '../../shared/counters.ts';
import type { Host } from '../../shared/host.ts';
import { Dead } from '../../shared/lguest.ts';
import { grouped } from '../numbers.ts';
import { type Violation, violation } from './violation.ts';

const OF_PROGRAMS = [Counter.Fetches, Counter.Loads, Counter.Stores, Counter.Modifies];

/** Accesses of `all` that a guest's programs have not made; 0 if their number is unknown. */
export function notReplayed(host: Host, guest: number, all: number | undefined): number {
  if (all === undefined) return 0;
  const made = host.cpus.flatMap((_, cpu) =>
    OF_PROGRAMS.map((counter) => host.counters(cpu, guest).get(counter)),
  );
  return all - made.reduce((a, b) => a + b, 0);
}

/**
 * `accesses`: of each guest's program. A guest that was killed or still runs may have some left.
 */
export function checkReplayed(host: Host, accesses: readonly (number | undefined)[]): Violation[] {
  return host.guests.flatMap(({ index, dead }) => {
    const left = notReplayed(host, index, accesses[index]);
    if (left === 0 || dead !== Dead.PoweredOff) return [];
    const title = 'accesses of its trace were not replayed';
    return violation(7, title, { guest: index }, 'none', grouped(left));
  });
}
