/** Searches for a schedule in which a race does harm. */

import type { Result } from '../result.ts';
import { WithEvents } from '../strategies/with-events.ts';
import type { Subject } from '../subject.ts';
import { Directed } from './directed.ts';
import type { Race, RaceGatherer } from './gather.ts';
import { Target } from './target.ts';

/** The result of a directed search. */
export interface Hunt {
  readonly schedules: number;
  /** In how many the race occurred with its first side first, and with its second side first. */
  readonly orders: readonly [number, number];
  /** The schedule that went wrong; the last one. */
  readonly harm: Result | undefined;
}

/** Schedules directed at a race, one after the other. */
export class Hunter {
  readonly #gatherer: RaceGatherer;
  readonly #race: Race;
  readonly #strategy: WithEvents;
  readonly #orders: [number, number] = [0, 0];
  #schedules = 0;

  /** `gatherer`: the one that has seen the race, and counts further occurrences. */
  constructor(subject: Subject, gatherer: RaceGatherer, race: Race) {
    this.#gatherer = gatherer;
    this.#race = race;
    const [a, b] = race.sides;
    const target = new Target(
      [
        { access: a.access, words: gatherer.wordsOf(a) },
        { access: b.access, words: gatherer.wordsOf(b) },
      ],
      subject.board.host.guests[0]!.form.entryWords,
    );
    this.#strategy = new WithEvents(new Directed(target));
  }

  /** Run the next schedule; returns the result so far. */
  run(seed: number): Hunt {
    const { result, seen } = this.#gatherer.watch(this.#strategy, seed);
    this.#schedules++;
    const met = seen.get(this.#race.key);
    if (met !== undefined) this.#orders[met.isTurned ? 1 : 0]++;
    const [a, b] = this.#orders;
    const harm = result.ending === 'ok' ? undefined : result;
    return { schedules: this.#schedules, orders: [a, b], harm };
  }
}
