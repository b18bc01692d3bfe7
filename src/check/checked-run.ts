/** Runs a machine, and checks it during the run, at rest, and after it is freed. */

import type { HostEvent } from '../../shared/events.ts';
import type { Dead } from '../../shared/lguest.ts';
import type { Machine, Run } from '../machine.ts';
import { digestMemory, type MemoryDigest } from './digest.ts';
import { checkAll } from './invariants.ts';
import { checkNothingLeft } from './references.ts';
import { checkReplayed, notReplayed } from './replayed.ts';
import { watchRun } from './sampling.ts';
import type { Violation } from './violation.ts';

export interface GuestEnd {
  readonly name: string;
  readonly dead: Dead;
  readonly reason: string;
  readonly memory: MemoryDigest;
  /** Accesses of the trace that it ran; 0 for any other program. */
  readonly notReplayed: number;
}

export interface CheckedRun extends Run {
  readonly guests: readonly GuestEnd[];
  /** Violations during the run, at rest, and after all was freed; in words. */
  readonly violations: readonly string[];
  /** The same with its parts. */
  readonly broken: readonly Violation[];
  /** Each host CPU's last events, when the first violation was found or at the end. */
  readonly events: readonly HostEvent[];
  /** How often all the checks passed while it ran. */
  readonly samples: number;
}

export interface Checking {
  /** Look at the running machine this often; by default not before it is at rest. */
  readonly sampleEveryMs?: number;
  /** A machine in which no operation completes for so long is given up; by default 20 s. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 20_000;

export async function runChecked(machine: Machine, checking: Checking = {}): Promise<CheckedRun> {
  const { host, spec, programs } = machine;
  const accesses = programs.map((program) => program.accesses);
  const running = machine.run();
  const { sampleEveryMs, patienceMs = PATIENCE_MS } = checking;
  const watching = watchRun(machine, running, checkAll, { sampleEveryMs, patienceMs });
  const [run, sampling] = await Promise.all([running, watching]);
  const guests = host.guests.map((lg, i) => ({
    name: spec.guests[i]!.name,
    dead: lg.dead,
    reason: lg.reason,
    memory: digestMemory(host, lg),
    notReplayed: notReplayed(host, i, accesses[i]),
  }));
  const events =
    sampling.events.length > 0
      ? sampling.events
      : host.cpus.flatMap(({ index }) => host.events.last(index));
  const ended = (broken: readonly Violation[]): CheckedRun => ({
    ...run,
    guests,
    broken,
    events,
    samples: sampling.passed,
    violations: broken.map(({ text }) => text),
  });
  // Violations during the run explain more than later ones.
  if (sampling.violations.length > 0) return ended(sampling.violations);
  // After a crash, counts may rightly be in the middle of something.
  const crashed = run.ending.kind !== 'done' && run.ending.kind !== 'interrupted';
  if (crashed) return ended([]);
  const broken = [...checkAll(host), ...checkReplayed(host, accesses)];
  machine.free();
  return ended([...broken, ...checkNothingLeft(host)]);
}
