/**
 * Which of a guest's pgdirs is evicted for another top level. lguest takes a random one, which its
 * author called easy; he supposed that LRU would be better. Here are the other policies, and what
 * they record at each switch.
 */

import { mustHoldPgdirs } from '../../../shared/discipline.ts';
import type { LgCpu } from '../../../shared/lg-cpu.ts';
import type { Lguest } from '../../../shared/lguest.ts';
import { policyOf } from './declared.ts';

/** A pgdir that may be taken, or their number where there is none. */
export function victim(cpu: LgCpu): number {
  const { lg } = cpu;
  mustHoldPgdirs(lg, 'new_pgdir');
  const { eviction } = policyOf(lg);
  if (eviction.lru) return leastRecentlyUsed(lg);
  if (eviction.clock) return underTheHand(lg);
  return firstFree(lg, lg.host.prandomU32(cpu) % lg.pgdirs.length);
}

/** A vCPU switches to pgdir `index`. */
export function noteUse(lg: Lguest, index: number): void {
  const { eviction } = policyOf(lg);
  if (eviction.lru) lg.pgdirs[index]!.lastUse = lg.countUse();
  else if (eviction.clock) lg.pgdirs[index]!.lastUse = USED;
}

/** The clock keeps one bit: used. */
const USED = 1;

/** The first from `start` on, in a circle. */
function firstFree(lg: Lguest, start: number): number {
  const { length } = lg.pgdirs;
  for (let i = 0; i < length; i++) {
    const index = (start + i) % length;
    if (lg.steps.mayBeTaken(lg.pgdirs[index]!)) return index;
  }
  return length;
}

function leastRecentlyUsed(lg: Lguest): number {
  let [found, oldest] = [lg.pgdirs.length, -1];
  for (const [i, pgdir] of lg.pgdirs.entries()) {
    const age = (lg.uses - pgdir.lastUse) >>> 0;
    if (age > oldest && lg.steps.mayBeTaken(pgdir)) [found, oldest] = [i, age];
  }
  return found;
}

/** The first that was not used since the hand last passed; two rounds find it. */
function underTheHand(lg: Lguest): number {
  const { length } = lg.pgdirs;
  for (let i = 0; i < 2 * length; i++) {
    const index = lg.hand % length;
    const pgdir = lg.pgdirs[index]!;
    lg.hand = index + 1;
    if (!lg.steps.mayBeTaken(pgdir)) continue;
    if (pgdir.lastUse !== USED) return index;
    pgdir.lastUse = 0;
  }
  return length;
}
