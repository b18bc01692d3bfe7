/** A guest on host CPUs that go in lockstep, run to its end: how long it took, and who waited for what. */

import { toPtr } from '../../../shared/address.ts';
import { ALL_DEFECTS } from '../../../shared/defects.ts';
import type { DisciplineName } from '../../../shared/discipline.ts';
import type { PagingName } from '../../../shared/entry.ts';
import { assert } from '../../../shared/errors.ts';
import { EventKind } from '../../../shared/events.ts';
import type { Host } from '../../../shared/host.ts';
import { Hypercall } from '../../../shared/hypercall.ts';
import { checkAll } from '../../check/invariants.ts';
import { Board } from '../../explore/engine/board.ts';
import { bootLitmus } from '../../explore/litmus/boot.ts';
import type { Litmus } from '../../explore/litmus/litmus.ts';
import { LITMUS_SCHEDULING } from '../../explore/litmus/scheduling.ts';
import { litmusSoftware } from '../../explore/litmus/software.ts';
import { IN_VAIN, Lockstep } from './lockstep.ts';

/** What is waited for. */
export const WAITED_FOR = ['guest lock', 'pgdir lock', 'pool lock', 'another CPU'] as const;

export type WaitedFor = (typeof WAITED_FOR)[number];

export interface LockstepRun {
  readonly host: Host;
  /** Of each CPU, until it had nothing to do any more. */
  readonly busyTicks: readonly number[];
  /** All CPUs together. */
  readonly waits: Readonly<Record<WaitedFor, number>>;
  /** Of each page fault that demand_page repaired: from the trap until it was. In ticks. */
  readonly faultTicks: readonly number[];
  /** Of each hypercall that changed something of page tables: until the guest went on. */
  readonly changeTicks: readonly number[];
}

export interface LockstepSetting {
  readonly discipline: DisciplineName;
  readonly paging?: PagingName;
  readonly seed: number;
}

/** More than any run of a study takes. */
const MOST_STEPS = 1_000_000;

export function runInLockstep(litmus: Litmus, setting: LockstepSetting): LockstepRun {
  const { discipline, paging = 'nonpae', seed } = setting;
  const defects = discipline === 'as-written' ? ALL_DEFECTS : [];
  const { shared, host } = bootLitmus(litmus, { discipline, paging, defects });
  const board = new Board(shared, host, litmusSoftware(litmus), LITMUS_SCHEDULING, {
    mostSteps: MOST_STEPS,
  });
  const lockstep = new Lockstep(board.turn.tasks);
  const times = clocked(board, lockstep);
  const { verdict, message } = board.run(lockstep, seed);
  assert(verdict === 'ended', `a guest of a study came to this: ${verdict} ${message}`);
  const [broken] = checkAll(host);
  assert(broken === undefined, `a study's machine is not sound: ${broken?.text}`);
  return { host, waits: waitsOf(host, lockstep), ...times };
}

const CHANGES: readonly number[] = [Hypercall.SetPte, Hypercall.FlushTlb];

/** Filled in while it runs. */
function clocked({ turn, host }: Board, lockstep: Lockstep) {
  const [faultTicks, changeTicks]: [number[], number[]] = [[], []];
  // Who waits for work is woken when all is over: its last event is its end.
  const busyTicks = host.cpus.map(() => 0);
  for (const [cpu, { events }] of turn.players.entries()) {
    let seen = 0;
    let trapped = 0;
    let changes: number | undefined;
    events.tap = (kind, _vcpu, a) => {
      // A piece that is done again records the same once more.
      const { sequence } = host.events.last(cpu, 1)[0]!;
      if (sequence <= seen) return;
      seen = sequence;
      const now = lockstep.ticksOf(cpu, turn.step);
      busyTicks[cpu] = now;
      if (kind === EventKind.Exit) trapped = now;
      if (kind === EventKind.FaultFixed) faultTicks.push(now - trapped);
      if (kind === EventKind.Hypercall && CHANGES.includes(a)) changes = trapped;
      if (kind !== EventKind.Entry || changes === undefined) return;
      changeTicks.push(now - changes);
      changes = undefined;
    };
  }
  return { faultTicks, changeTicks, busyTicks };
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
