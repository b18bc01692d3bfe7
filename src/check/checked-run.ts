/** Running a machine, looking at what it left, taking it down, and looking again. */

import type { Dead } from '../../shared/lguest.ts';
import type { Machine, Run } from '../machine.ts';
import { digestMemory, type MemoryDigest } from './digest.ts';
import { checkIsolation } from './isolation.ts';
import { checkNothingLeft, checkReferences } from './references.ts';

export interface GuestEnd {
  readonly name: string;
  readonly dead: Dead;
  readonly reason: string;
  readonly memory: MemoryDigest;
}

export interface CheckedRun extends Run {
  readonly guests: readonly GuestEnd[];
  /** What the invariants find wrong at rest, and after all was freed. */
  readonly violations: readonly string[];
}

export async function runChecked(machine: Machine): Promise<CheckedRun> {
  const run = await machine.run();
  const { host, spec } = machine;
  const guests = host.guests.map((lg, i) => ({
    name: spec.guests[i]!.name,
    dead: lg.dead,
    reason: lg.reason,
    memory: digestMemory(host, lg),
  }));
  // After a crash, counts may rightly be in the middle of something.
  const crashed = run.ending.kind !== 'done' && run.ending.kind !== 'interrupted';
  if (crashed) return { ...run, guests, violations: [] };
  const violations = [...checkIsolation(host), ...checkReferences(host)];
  machine.free();
  violations.push(...checkNothingLeft(host));
  return { ...run, guests, violations };
}
