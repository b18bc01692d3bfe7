/** The strategies by name. */

import type { Strategy } from '../strategy.ts';
import { FewestSwitches } from './fewest-switches.ts';
import { Pct } from './pct.ts';
import { Portfolio } from './portfolio.ts';
import { Pos } from './pos.ts';
import { RandomWalk } from './random-walk.ts';
import { Surw } from './surw.ts';
import { WithEvents } from './with-events.ts';

/** Preemptions that `fewest` goes up to. */
const BOUND = 2;

const RANDOM = {
  random: () => new RandomWalk(),
  'pct-1': () => new Pct(1),
  'pct-2': () => new Pct(2),
  'pct-3': () => new Pct(3),
  'pct-4': () => new Pct(4),
  'pct-5': () => new Pct(5),
  pos: () => new Pos(),
  surw: () => new Surw(),
} as const satisfies Record<string, () => Strategy>;

const withEvents = (name: keyof typeof RANDOM): Strategy => new WithEvents(RANDOM[name]());

export const STRATEGIES: Readonly<Record<string, () => Strategy>> = {
  ...Object.fromEntries(
    (Object.keys(RANDOM) as (keyof typeof RANDOM)[]).map((name) => [name, () => withEvents(name)]),
  ),
  fewest: () => new FewestSwitches(BOUND),
  portfolio: () =>
    new Portfolio([
      withEvents('pct-2'),
      new FewestSwitches(BOUND),
      ...(['pct-3', 'surw', 'pct-5', 'pos', 'random'] as const).map(withEvents),
    ]),
};
