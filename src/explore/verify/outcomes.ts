/** The outcomes of behaviours, each once. */

import type { Decisions } from '../engine/controller.ts';
import type { Ending, Result } from '../result.ts';

/** An outcome, and a run that has it. */
export interface Met {
  readonly ending: Ending;
  /** The declared outcome, by its number in the file; null when none holds, or it was cut short. */
  readonly outcome: number | null;
  readonly message: string;
  readonly classes: number;
  /** A run that has it, with few switches. */
  readonly decisions: Decisions;
  /** The fewest that it takes, if they were counted. */
  readonly preemptions?: number | undefined;
}

export class Outcomes {
  readonly #met = new Map<string, Met>();

  add(result: Result, preemptions?: number): Met {
    const { ending, outcome, message, run } = result;
    const what = { ending, outcome: outcome ?? null, message, preemptions };
    const met = { ...what, classes: 1, decisions: run.decisions };
    this.#merge(met);
    return met;
  }

  addAll(others: readonly Met[]): void {
    for (const met of others) this.#merge(met);
  }

  /** In the order of the file, failures last. */
  get all(): readonly Met[] {
    return [...this.#met.values()].toSorted(
      (a, b) => rank(a) - rank(b) || byText(keyOf(a), keyOf(b)),
    );
  }

  #merge(met: Met): void {
    const key = keyOf(met);
    const before = this.#met.get(key);
    if (before === undefined) return void this.#met.set(key, met);
    const classes = before.classes + met.classes;
    this.#met.set(key, { ...(isSimpler(met, before) ? met : before), classes });
  }
}

/** Messages that differ in numbers alone are of one kind. */
export const keyOf = ({ ending, outcome, message }: Met): string =>
  `${ending} ${outcome} ${message.replace(/0x[0-9a-f]+|\d+/gi, 'N')}`;

const rank = ({ ending, outcome }: Met): number => (ending === 'ok' ? (outcome ?? 0) : 1000);

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Independent of the order of runs. */
function isSimpler(a: Met, b: Met): boolean {
  if (a.preemptions !== b.preemptions) return a.preemptions! < b.preemptions!;
  const [left, right] = [a.decisions.turns, b.decisions.turns];
  if (left.length !== right.length) return left.length < right.length;
  const i = left.findIndex((value, at) => value !== right[at]);
  return i >= 0 && left[i]! < right[i]!;
}
