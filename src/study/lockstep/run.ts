/** Runs a guest on host CPUs in lockstep to its end: its time, and what each CPU waited for. */

import type { DisciplineName } from '../../../shared/discipline.ts';
import { EventKind } from '../../../shared/events.ts';
import type { Host } from '../../../shared/host.ts';
import { assemble, defectsOf } from '../../assembly.ts';
import { checkAll } from '../../check/invariants.ts';
import { assert } from '../../errors.ts';
import { Board } from '../../explore/engine/board.ts';
import { bootLitmus } from '../../explore/litmus/boot.ts';
import type { Litmus } from '../../explore/litmus/litmus.ts';
import { LITMUS_SCHEDULING } from '../../explore/litmus/scheduling.ts';
import { litmusSoftware } from '../../explore/litmus/software.ts';
import { loadProgram } from '../../guest/load.ts';
import { Vector } from '../../guest/processor.ts';
import { softwareOf } from '../../guest/software.ts';
import { toPtr } from '../../hardware/address.ts';
import type { PagingName } from '../../hardware/entry.ts';
import { launch } from '../../host/launcher.ts';
import { type MachineSpec, schedulingOf } from '../../machine.ts';
import { IN_VAIN, Lockstep } from './lockstep.ts';

/** Causes of waiting. */
export const WAITED_FOR = ['guest lock', 'pgdir lock', 'pool lock', 'another CPU'] as const;

export type WaitedFor = (typeof WAITED_FOR)[number];

export interface LockstepRun {
  readonly host: Host;
  /** Until the last CPU had nothing to do any more. */
  readonly ticks: number;
  /** All CPUs together. */
  readonly waits: Readonly<Record<WaitedFor, number>>;
  /** Of each page fault that demand_page repaired: from the trap until it was. In ticks. */
  readonly faultTicks: readonly number[];
  /** Of each hypercall: from the trap until its CPU was in the guest again. In ticks, by CPU. */
  readonly hypercallTicks: readonly (readonly number[])[];
}

export interface LockstepSetting {
  readonly discipline: DisciplineName;
  readonly paging?: PagingName;
  readonly seed: number;
}

/** A tiny guest, whose columns are operations. */
export function runInLockstep(litmus: Litmus, setting: LockstepSetting): LockstepRun {
  const { discipline, paging = 'nonpae', seed } = setting;
  const { shared, host } = bootLitmus(litmus, {
    discipline,
    paging,
    defects: defectsOf({ discipline }),
  });
  return play(
    new Board(shared, host, litmusSoftware(litmus), LITMUS_SCHEDULING, { mostSteps: 200_000 }),
    seed,
  );
}

/** Guests with a kernel and programs, on up to four host CPUs, each as long as it likes. */
export function runGuestsInLockstep(spec: MachineSpec): LockstepRun {
  const { shared, host } = assemble(spec);
  for (const lg of host.guests) launch(lg);
  const programs = spec.guests.map(({ program }) => loadProgram(program));
  return play(
    new Board(shared, host, softwareOf(programs), schedulingOf(spec), { mostSteps: 4_000_000 }),
    spec.seed ?? 0,
  );
}

function play(board: Board, seed: number): LockstepRun {
  const { host } = board;
  const lockstep = new Lockstep(board.controller.tasks);
  const times = timeTraps(board, lockstep);
  const { verdict, message } = board.run(lockstep, seed);
  assert(verdict === 'ended', `a guest of a study came to this: ${verdict} ${message}`);
  const [broken] = checkAll(host);
  assert(broken === undefined, `a study's machine is not sound: ${broken?.text}`);
  return { host, ticks: lockstep.length, waits: waitsOf(host, lockstep), ...times };
}

/** Ticks of faults and hypercalls, filled in as they are done. */
function timeTraps({ controller, host }: Board, lockstep: Lockstep) {
  const faultTicks: number[] = [];
  const hypercallTicks: number[][] = host.cpus.map(() => []);
  for (const [cpu, { events }] of controller.players.entries()) {
    let seen = 0;
    let trap = 0;
    let trapped = 0;
    events.tap = (kind, _vcpu, a) => {
      // A replayed piece records the same events again; events for traces only are not recorded.
      const sequence = host.events.last(cpu, 1)[0]?.sequence ?? 0;
      if (sequence <= seen) return;
      seen = sequence;
      const now = lockstep.ticksOf(cpu, controller.step, controller.current);
      if (kind === EventKind.Exit) [trap, trapped] = [a, now];
      if (kind === EventKind.FaultFixed) faultTicks.push(now - trapped);
      if (kind !== EventKind.Entry) return;
      if (trap === Vector.Hypercall) hypercallTicks[cpu]!.push(now - trapped);
      trap = 0;
    };
  }
  return { faultTicks, hypercallTicks };
}

/** Idle CPUs wait for their mailboxes, and that is no waiting. */
function waitsOf(host: Host, { waits }: Lockstep): Record<WaitedFor, number> {
  const named = new Map<number, WaitedFor>([[IN_VAIN, 'another CPU']]);
  named.set(host.frames.lock.at, 'pool lock');
  for (const lg of host.guests) {
    named.set(lg.lock.at, 'guest lock');
    for (const { lock } of lg.pgdirs) named.set(lock.at, 'pgdir lock');
  }
  for (const { inGuest, inFault, inHost } of host.cpus) {
    for (const { count } of [inGuest, inFault, inHost]) named.set(toPtr(count), 'another CPU');
  }
  const total = Object.fromEntries(WAITED_FOR.map((name) => [name, 0])) as Record<
    WaitedFor,
    number
  >;
  for (const { word, ticks } of waits) {
    const name = named.get(word);
    if (name !== undefined) total[name] += ticks;
  }
  return total;
}
