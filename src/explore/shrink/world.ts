/**
 * A minimal schedule of a world: switches are left out until the run
 * ends otherwise without any of those that are left. The same end is the same kind, and the same
 * message but for its numbers.
 */

import { Lenient, Noted, type Plan } from '../strategies/lenient.ts';
import { Recorded } from '../strategies/recorded.ts';
import { WorldBoard, type WorldResult } from '../worlds/board.ts';
import type { World } from '../worlds/world.ts';
import { without } from './plans.ts';

export interface ShrunkWorld {
  readonly result: WorldResult;
  /** Switches away from a thread that could have gone on. */
  readonly preemptions: number;
  /** Leaving out any one switch that is left makes the failure go away. */
  readonly proven: boolean;
}

interface Played {
  readonly result: WorldResult;
  readonly plan: Plan;
  readonly preemptions: number;
}

/** `goOn`: called before each run; false ends it with the smallest so far. */
export async function shrinkWorld(
  world: World,
  failing: WorldResult,
  goOn: () => boolean | Promise<boolean>,
): Promise<ShrunkWorld> {
  const isEndless = failing.ending === 'livelock';
  const board = new WorldBoard(world, { mostSteps: failing.steps * (isEndless ? 1 : 2) });
  const kind = kindOf(failing);
  let best = playedBy(board, new Noted(new Recorded(failing.decisions)));
  for (let at = 0; at < best.plan.length; ) {
    if (!(await goOn())) return { ...best, proven: false };
    const played = playedBy(board, new Noted(new Lenient(without(best.plan, at, 1))));
    if (kindOf(played.result) !== kind || !isSmaller(played, best)) at++;
    else {
      best = played;
      at = 0;
    }
  }
  return { ...best, proven: true };
}

function playedBy(board: WorldBoard, noted: Noted): Played {
  const result = board.run(noted, 0);
  return { result, plan: noted.plan, preemptions: noted.preemptions };
}

const kindOf = ({ ending, message }: WorldResult): string =>
  `${ending} ${message.replace(/0x[0-9a-f]+|\d+/gi, 'N')}`;

function isSmaller(one: Played, than: Played): boolean {
  if (one.preemptions !== than.preemptions) return one.preemptions < than.preemptions;
  if (one.plan.length !== than.plan.length) return one.plan.length < than.plan.length;
  return one.result.steps < than.result.steps;
}
