/** Strategies that keep other actors from making progress as far as they can. */

import {
  isRunnable,
  nthRunnable,
  type Situation,
  type Strategy,
} from '../../src/explore/strategies/strategy.ts';

const deciding = (next: (situation: Situation) => number): Strategy => ({
  begin: () => {},
  next,
  draw: () => 0,
});

const highest = (mask: number): number => 31 - Math.clz32(mask);

/** The next runnable actor after the one that took the last step. */
function inTurn(mask: number, { current, actors }: Situation): number {
  for (let i = 1; ; i++) {
    const actor = (current + i) % actors;
    if (isRunnable(mask, actor)) return actor;
  }
}

/** The same without one actor, as long as another is runnable. */
const without = (actor: number, choose: (mask: number, situation: Situation) => number): Strategy =>
  deciding((situation) => {
    const others = situation.runnable & ~(1 << actor);
    return others === 0 ? actor : choose(others, situation);
  });

const stays = (mask: number, { current }: Situation): number =>
  isRunnable(mask, current) ? current : nthRunnable(mask, 0);

/** Fresh strategies, which decide at each step and ignore `relaxes`. */
export const ADVERSARIES: Readonly<Record<string, Strategy>> = {
  'the current one stays': deciding((situation) => stays(situation.runnable, situation)),
  'the first of all': deciding(({ runnable }) => nthRunnable(runnable, 0)),
  'the last of all': deciding(({ runnable }) => highest(runnable)),
  'in turn': deciding((situation) => inTurn(situation.runnable, situation)),
  ...Object.fromEntries(
    [0, 1, 2, 3].flatMap((actor) => [
      [`all but ${actor}`, without(actor, stays)],
      [`in turn without ${actor}`, without(actor, inTurn)],
      [`the last without ${actor}`, without(actor, highest)],
    ]),
  ),
};
