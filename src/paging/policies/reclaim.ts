/**
 * Giving pages back when the host is short of them (M:008). As lguest has it, pages that a
 * shadow maps and the shadow's own tables are held until the guest asks for something that throws
 * them away; its author wished for callbacks by which the host could ask.
 *
 * Here, when the host is short of frames, shadows that no vCPU runs on are emptied: their
 * tables go, and the references to pages with them. LIMIT: the host has nowhere to swap to,
 * so no page goes that the guest has content in; what the Launcher discards goes at once.
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

/** The shrinker. Before a vCPU goes round, when nothing is locked. */
export function shrinkIfShort(cpu: LgCpu): void {
  const { lg } = cpu;
  if (!policyOf(lg).reclaim['when-short'] || !lg.host.frames.isShort()) return;
  const taken = lockPgdirs(lg);
  for (const [i, pgdir] of lg.pgdirs.entries()) {
    if (pgdir.pgdir === NULL || pgdir.gpgdir === NOBODYS || lg.steps.isInUse(lg, i)) continue;
    // First: what is told of its top level meanwhile is not to be put into it any more.
    pgdir.gpgdir = NOBODYS;
    flushAllMappings(lg, i);
    lg.counters.count(Reclaimed);
  }
  letGo(lg, taken);
}

/** The notifier: the Launcher has taken a frame out of its map; no shadow is to hold it. */
export function notifyDiscard(cpu: LgCpu): void {
  if (policyOf(cpu.lg).reclaim['when-short'] && !cpu.linearPages) dropWhatChanged(cpu);
}
