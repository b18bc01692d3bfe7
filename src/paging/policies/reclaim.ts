/**
 * Reclaim when the host is short of frames (M:008). In lguest, mapped pages and the shadow's own
 * tables are held until the guest does something that throws them away; its author wished for
 * callbacks by which the host could ask.
 *
 * Here, when the host is short of frames, shadows that no vCPU uses are emptied: their tables are
 * freed, with the references to pages. LIMIT: the host cannot swap, so pages with content stay;
 * what the Launcher discards is freed at once.
 */

import * as counted from '../../../shared/counters.ts';
import { letGo, lockPgdirs } from '../../../shared/discipline.ts';
import type { LgCpu } from '../../../shared/lg-cpu.ts';
import { NOBODYS } from '../../../shared/pgdir.ts';
import { NULL } from '../../hardware/address.ts';
import { flushAllMappings } from '../flush.ts';
import { dropWhatChanged } from './compare.ts';
import { policyOf } from './declared.ts';

const { Reclaimed } = counted.Counter;

/** The shrinker. Called before each round of a vCPU, without locks. */
export function shrinkIfShort(cpu: LgCpu): void {
  const { lg } = cpu;
  if (!policyOf(lg).reclaim['when-short'] || !lg.host.frames.isShort()) return;
  const taken = lockPgdirs(lg);
  for (const [i, pgdir] of lg.pgdirs.entries()) {
    if (pgdir.pgdir === NULL || pgdir.gpgdir === NOBODYS || lg.steps.isInUse(lg, i)) continue;
    // First: changes of its top level must not be put into it from now on.
    pgdir.gpgdir = NOBODYS;
    flushAllMappings(lg, i);
    lg.counters.count(Reclaimed);
  }
  letGo(lg, taken);
}

/** The notifier: the Launcher has unmapped a frame; remove it from all shadows. */
export function notifyDiscard(cpu: LgCpu): void {
  if (policyOf(cpu.lg).reclaim['when-short'] && !cpu.linearPages) dropWhatChanged(cpu);
}
