/** The strategies by name. */

import type { Strategy } from '../strategy.ts';
import { FewestSwitches } from './fewest-switches.ts';
import { Pct } from './pct.ts';
import { Portfolio } from './portfolio.ts';
import { Pos } from './pos.ts';
import { RandomWalk } from './random-walk.ts';
import { Surw } from './surw.ts';

/** Preemptions that `fewest` goes up to. */
const BOUND = 2;

export const STRATEGIES: Readonly<Record<string, () => Strategy>> = {
  random: () => new RandomWalk(),
  'pct-1': () => new Pct(1),
  'pct-2': () => new Pct(2),
  'pct-3': () => new Pct(3),
  'pct-4': () => new Pct(4),
  'pct-5': () => new Pct(5),
  pos: () => new Pos(),
  surw: () => new Surw(),
  fewest: () => new FewestSwitches(BOUND),
  portfolio: () =>
    new Portfolio([
      new Pct(2),
      new FewestSwitches(BOUND),
      new Pct(3),
      new Surw(),
      new Pct(5),
      new Pos(),
      new RandomWalk(),
    ]),
};
