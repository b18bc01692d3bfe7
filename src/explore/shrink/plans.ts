/** Plans made from other plans: with stretches left out, moved, or ending elsewhere. */

import type { Plan, Stretch } from '../strategies/lenient.ts';

/** Join neighbours of one CPU, and leave out stretches that are over before they begin. */
function joined(stretches: Plan): Plan {
  const plan: Stretch[] = [];
  const reached = new Map<number, number>();
  for (const stretch of stretches) {
    if (stretch.until <= (reached.get(stretch.who) ?? 0)) continue;
    reached.set(stretch.who, stretch.until);
    if (plan.at(-1)?.who === stretch.who) plan.pop();
    plan.push(stretch);
  }
  return plan;
}

export const without = (plan: Plan, from: number, count: number): Plan =>
  joined(plan.toSpliced(from, count));

/** Swap a stretch and the one after it. */
export const exchanged = (plan: Plan, at: number): Plan =>
  joined(plan.toSpliced(at, 2, plan[at + 1]!, plan[at]!));

/** A stretch that ends so many decisions later, or earlier. */
export function moved(plan: Plan, at: number, by: number): Plan {
  const { who, until } = plan[at]!;
  return joined(plan.with(at, { who, until: Math.max(0, until + by) }));
}

/** All stretches of a CPU, from one on, end so much earlier. */
export const earlier = (plan: Plan, who: number, from: number, by: number): Plan =>
  joined(
    plan.map((stretch, i) =>
      stretch.who === who && i >= from ? { who, until: Math.max(0, stretch.until - by) } : stretch,
    ),
  );
