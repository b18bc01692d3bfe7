/**
 * The nearest passing schedule: the smallest change by which the run ends well.
 * Of two schedules the nearer one has fewer stretches that differ from the plan; then one whose
 * stretch ends elsewhere is nearer than one that lacks the stretch; then the fewer of its CPU's
 * decisions the end has moved. Later is tried before earlier.
 */

import { actorOf } from '../engine/actors.ts';
import type { Result } from '../result.ts';
import { STRATEGIES } from '../strategies/catalogue.ts';
import { Lenient, type Plan } from '../strategies/lenient.ts';
import type { Strategy } from '../strategies/strategy.ts';
import type { Subject } from '../subject.ts';
import { moved, without } from './plans.ts';
import { serialPlans } from './yardstick.ts';

/** Decisions by which the end of a stretch is moved at most. */
const FARTHEST = 100;

/** Schedules of the portfolio that are tried last. */
const SCHEDULES = 100;

export interface Passing {
  readonly result: Result;
  /** How its schedule differs from the plan, in words. */
  readonly difference: string;
}

/** `run` plays a plan. Undefined when nothing that was tried ends well. */
export async function nearestPassing(
  subject: Subject,
  { plan, drawn }: { readonly plan: Plan; readonly drawn: readonly number[] },
  run: (strategy: Strategy, seed: number) => Promise<Result>,
): Promise<Passing | undefined> {
  for (const { plan: candidate, difference } of candidates(subject, plan)) {
    const result = await run(new Lenient(candidate, drawn), 0);
    if (result.ending === 'ok') return { result, difference };
  }
  const portfolio = STRATEGIES.portfolio!();
  for (let seed = 1; seed <= SCHEDULES; seed++) {
    const result = await run(portfolio, seed);
    if (result.ending === 'ok') return { result, difference: 'by another schedule altogether' };
  }
  return undefined;
}

function* candidates(
  subject: Subject,
  plan: Plan,
): Generator<{ readonly plan: Plan; readonly difference: string }> {
  const { cpus } = subject.litmus;
  for (let by = 1; by <= FARTHEST; by++) {
    for (const [way, sign] of [
      ['later', 1],
      ['earlier', -1],
    ] as const) {
      for (const [at, { who }] of plan.entries()) {
        // What hardware does is one step: it moves with the stretch before it.
        if (who >= cpus) continue;
        const accesses = by === 1 ? 'one access' : `${by} accesses`;
        const difference = `when the switch from CPU ${who} comes ${accesses} ${way}`;
        yield { plan: moved(plan, at, sign * by), difference };
      }
    }
  }
  for (const [at, { who }] of plan.entries()) {
    yield { plan: without(plan, at, 1), difference: `without ${describeStretch(who, cpus)}` };
  }
  for (const serial of serialPlans(subject)) {
    yield { plan: serial, difference: `with no preemption, CPU ${serial[0]!.who} first` };
  }
}

function describeStretch(who: number, cpus: number): string {
  const actor = actorOf(who, cpus);
  switch (actor.kind) {
    case 'cpu':
      return `a stretch of CPU ${actor.cpu}`;
    case 'drain':
      return `a store that leaves the buffer of CPU ${actor.cpu}`;
    case 'eviction':
      return `an entry dropped from the TLB of CPU ${actor.cpu}`;
    case 'move':
      return `the move from CPU ${actor.cpu} to CPU ${actor.to}`;
  }
}
