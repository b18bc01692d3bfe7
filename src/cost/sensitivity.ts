/**
 * Which conclusions depend on a single cost. Runs are compared by their cycles, two at a
 * time; a conclusion is that one takes fewer than the other. Each cost in turn is taken
 * for `factor` times too high and too low, the others staying as they are, and the
 * conclusion turns if the other run is then the one with fewer.
 *
 * Cycles are linear in each cost, so there is at most one factor at which two runs draw:
 * it says how far off the cost may be, whether or not `factor` reaches it.
 */

import { type CostTable, cyclesOf, type Occurrences } from './model.ts';
import { EVENT_IDS, type EventId } from './table.ts';

export interface Subject {
  readonly name: string;
  /** Of the whole run. */
  readonly occurrences: Occurrences;
}

export interface Turn {
  readonly event: EventId;
  /** The factor on the cost. */
  readonly factor: number;
}

export interface Conclusion {
  /** The run with fewer cycles; of two alike, the one that was named first. */
  readonly less: string;
  readonly more: string;
  /** Cycles of `more` for one of `less`; at least 1, Infinity when `less` has none. */
  readonly ratio: number;
  /** The factors that turn it. */
  readonly turns: readonly Turn[];
  /** At what factor of a cost the two draw, nearest to 1 first; costs with no such factor lack. */
  readonly draws: readonly Turn[];
}

export interface Sensitivity {
  readonly factor: number;
  readonly totals: readonly { readonly name: string; readonly cycles: number }[];
  /** Of every two runs. */
  readonly conclusions: readonly Conclusion[];
}

/** `factor`: by how much a cost may be off, above 1. */
export function sensitivity(
  subjects: readonly Subject[],
  { cycles }: Pick<CostTable, 'cycles'>,
  factor = 2,
): Sensitivity {
  const runs = subjects.map(({ name, occurrences }) => ({
    name,
    occurrences,
    cycles: cyclesOf(occurrences, cycles),
  }));
  const pairs = runs.flatMap((a, i) => runs.slice(i + 1).map((b) => [a, b] as const));
  return {
    factor,
    totals: runs.map(({ name, cycles }) => ({ name, cycles })),
    conclusions: pairs.map(([a, b]) => {
      const [less, more] = a.cycles <= b.cycles ? [a, b] : [b, a];
      const lead = more.cycles - less.cycles;
      // A factor f on this cost adds (f − 1) times its part of the lead.
      const partOf = (id: EventId): number =>
        (more.occurrences[id] - less.occurrences[id]) * cycles[id];
      const scaled = [1 / factor, factor].flatMap((f) =>
        EVENT_IDS.map((event) => ({ event, factor: f })),
      );
      return {
        less: less.name,
        more: more.name,
        ratio: lead === 0 ? 1 : more.cycles / less.cycles,
        turns: scaled.filter((turn) => lead + (turn.factor - 1) * partOf(turn.event) < 0),
        draws: EVENT_IDS.filter((id) => partOf(id) !== 0)
          .map((event) => ({ event, factor: 1 - lead / partOf(event) }))
          .filter((draw) => draw.factor > 0)
          .toSorted((x, y) => farness(x) - farness(y)),
      };
    }),
  };
}

/** How far a factor is from 1: 2 and 1/2 are as far. */
const farness = ({ factor }: Turn): number => Math.abs(Math.log(factor));
