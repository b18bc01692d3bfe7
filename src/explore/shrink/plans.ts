/** Plans made from other plans: with turns left out, moved, or ending elsewhere. */

import type { Plan, PlannedTurn } from '../strategies/lenient.ts';

/** The same with neighbours of one CPU joined, and turns left out that are over before they begin. */
function joined(turns: Plan): Plan {
  const plan: PlannedTurn[] = [];
  const reached = new Map<number, number>();
  for (const turn of turns) {
    if (turn.until <= (reached.get(turn.who) ?? 0)) continue;
    reached.set(turn.who, turn.until);
    if (plan.at(-1)?.who === turn.who) plan.pop();
    plan.push(turn);
  }
  return plan;
}

export const without = (plan: Plan, from: number, count: number): Plan =>
  joined(plan.toSpliced(from, count));

/** A turn and the one after it, the other way round. */
export const exchanged = (plan: Plan, at: number): Plan =>
  joined(plan.toSpliced(at, 2, plan[at + 1]!, plan[at]!));

/** A turn that ends so many decisions later, or earlier. */
export function moved(plan: Plan, at: number, by: number): Plan {
  const { who, until } = plan[at]!;
  return joined(plan.with(at, { who, until: Math.max(0, until + by) }));
}

/** All turns of a CPU, from one on, end so much earlier. */
export const earlier = (plan: Plan, who: number, from: number, by: number): Plan =>
  joined(
    plan.map((turn, i) =>
      turn.who === who && i >= from ? { who, until: Math.max(0, turn.until - by) } : turn,
    ),
  );
