/** The strategies by name. */

import { FewestSwitches } from './fewest-switches.ts';
import { Guided } from './guided.ts';
import { Pct } from './pct.ts';
import { Portfolio } from './portfolio.ts';
import { Pos } from './pos.ts';
import { RandomWalk } from './random-walk.ts';
import type { Strategy } from './strategy.ts';
import { Surw } from './surw.ts';
import { Sweep } from './sweep.ts';
import { WithEvents } from './with-events.ts';

/** Preemptions that `sweep` and `fewest` go up to. */
const BOUND = 2;

const withEvents = (make: () => Strategy) => (): Strategy => new WithEvents(make());

/** The members of a portfolio, taken one after the other. */
export const PORTFOLIO = [
  ...['sweep', 'pct-2', 'fewest', 'pct-3'],
  ...['surw', 'pct-5', 'pos', 'random'],
] as const;

const NAMED = {
  random: withEvents(() => new RandomWalk()),
  'pct-1': withEvents(() => new Pct(1)),
  'pct-2': withEvents(() => new Pct(2)),
  'pct-3': withEvents(() => new Pct(3)),
  'pct-4': withEvents(() => new Pct(4)),
  'pct-5': withEvents(() => new Pct(5)),
  pos: withEvents(() => new Pos()),
  surw: withEvents(() => new Surw()),
  guided: withEvents(() => new Guided()),
  sweep: () => new Sweep({ preemptions: BOUND, edges: true }),
  fewest: () => new FewestSwitches(BOUND),
  portfolio: (): Strategy => new Portfolio(PORTFOLIO.map((name) => NAMED[name]())),
};

export type StrategyName = keyof typeof NAMED;

export const STRATEGIES: Readonly<Record<string, () => Strategy>> = NAMED;

/** Strategies that enumerate schedules: they draw nothing, and cannot begin in the middle. */
export const LISTED_STRATEGIES: readonly string[] = PORTFOLIO.filter(
  (name) => STRATEGIES[name]!().isListed,
);

/** The members of a portfolio for worlds. */
const WORLD_PORTFOLIO = ['pct-2', 'fewest', 'pct-3', 'surw', 'pct-5', 'pos', 'random'] as const;

/** For worlds of the user's own, which have no acts of hardware and no operations to sweep. */
const NAMED_FOR_WORLDS = {
  random: () => new RandomWalk(),
  'pct-1': () => new Pct(1),
  'pct-2': () => new Pct(2),
  'pct-3': () => new Pct(3),
  'pct-5': () => new Pct(5),
  'pct-10': () => new Pct(10),
  pos: () => new Pos(),
  surw: () => new Surw(),
  guided: () => new Guided(),
  fewest: () => new FewestSwitches(BOUND),
  portfolio: (): Strategy => new Portfolio(WORLD_PORTFOLIO.map((name) => NAMED_FOR_WORLDS[name]())),
};

export type WorldStrategyName = keyof typeof NAMED_FOR_WORLDS;

export const WORLD_STRATEGIES: Readonly<Record<string, () => Strategy>> = NAMED_FOR_WORLDS;
