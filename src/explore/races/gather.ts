/**
 * Races over many runs of one litmus test in one setting: one for each pair of places in the
 * source and each kind of word.
 */

import type { Access } from '../access.ts';
import type { Result, Subject } from '../search.ts';
import { STACK_DEPTH, type Where, whereOf } from '../source.ts';
import type { Strategy } from '../strategy.ts';
import { Detector, type RaceKind, type Sighting } from './detector.ts';
import { type Role, Roles, type Spot } from './roles.ts';

/** What one side does, and where in the source. */
export interface Side {
  readonly where: Where;
  readonly access: Access;
}

/** One time that a race was seen. */
export interface Example {
  readonly result: Result;
  /** The word, and the numbers of the steps, in the order of the race's sides. */
  readonly at: number;
  readonly steps: readonly [number, number];
}

export interface Race {
  readonly kind: RaceKind;
  readonly role: Role;
  readonly sides: readonly [Side, Side];
  /** Runs in which it was seen, */
  readonly runs: number;
  /** and of them those in which its second side came first. */
  readonly turned: number;
  /** Words that it was about in any run. */
  readonly words: ReadonlySet<number>;
  /** The first time, in a run that ended well if there was one. */
  readonly example: Example;
}

interface Growing extends Race {
  runs: number;
  turned: number;
  words: Set<number>;
  example: Example;
  /** The last run in which it was seen. */
  lastRun: number;
}

/** What was seen in a run, before the run's end is known. */
interface Seen {
  readonly key: string;
  readonly kind: RaceKind;
  readonly spot: Spot;
  readonly sightings: readonly [Sighting<Where>, Sighting<Where>];
  readonly isTurned: boolean;
}

export class RaceGatherer {
  readonly #subject: Subject;
  readonly #roles: Roles;
  readonly #races = new Map<string, Growing>();
  readonly #sites = new SourcePlaces();
  #runs = 0;

  /** Before the subject has run. */
  constructor(subject: Subject) {
    this.#subject = subject;
    this.#roles = new Roles(subject.board.host, subject.litmus);
  }

  /** Run the subject once and keep the races of that run. */
  run(strategy: Strategy, seed: number): Result {
    const { board } = this.#subject;
    const seen: Seen[] = [];
    const detector = new Detector<Where>(
      {
        cpus: board.host.cpus.length,
        entryWords: board.host.guests[0]!.form.entryWords,
        spot: (at) => this.#roles.spot(at),
        site: () => this.#sites.here(),
      },
      (kind, spot, first, second) => seen.push(sorted(kind, spot, first, second)),
    );
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = STACK_DEPTH;
    board.turn.watcher = (step) => detector.step(step);
    try {
      const result = this.#subject.run(strategy, seed);
      this.#runs++;
      for (const one of seen) this.#keep(one, result);
      return result;
    } finally {
      board.turn.watcher = undefined;
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  /** In an order that depends on nothing but what they are. */
  get races(): readonly Race[] {
    return [...this.#races].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, race]) => race);
  }

  #keep({ key, kind, spot, sightings, isTurned }: Seen, result: Result): void {
    const [a, b] = sightings;
    const example: Example = { result, at: spot.at, steps: [a.step, b.step] };
    const known = this.#races.get(key);
    if (known === undefined) {
      const sides = [sideOf(a), sideOf(b)] as const;
      const words = new Set<number>([spot.at]);
      const turned = isTurned ? 1 : 0;
      this.#races.set(key, {
        ...{ kind, role: spot.role, sides, runs: 1, turned, words, example, lastRun: this.#runs },
      });
      return;
    }
    known.words.add(spot.at);
    if (known.lastRun === this.#runs) return;
    known.lastRun = this.#runs;
    known.runs++;
    if (isTurned) known.turned++;
    if (known.example.result.ending !== 'ok' && result.ending === 'ok') known.example = example;
  }
}

/** Places of accesses, each one object however they are come to. */
class SourcePlaces {
  readonly #byText = new Map<string, Where>();
  readonly #known = new Map<Where, Where>();

  /** Of the access that is being made. */
  here(): Where {
    const where = whereOf(new Error().stack!);
    const known = this.#known.get(where);
    if (known !== undefined) return known;
    const text = placeText(where);
    const one = this.#byText.get(text) ?? where;
    this.#byText.set(text, one);
    this.#known.set(where, one);
    return one;
  }
}

/** `src/paging/fault.ts:121 tryDemandPage`, and what of shared/ it calls. */
export const placeText = ({ file, line, name, through }: Where): string =>
  `${file}:${line} ${name}${through === '' || through === name ? '' : ` (${through})`}`;

const sideOf = ({ site, access }: Sighting<Where>): Side => ({ where: site, access });

const sideKey = ({ site, access }: Sighting<Where>): string => {
  const { file, line } = site;
  return `${file}:${String(line).padStart(5, '0')} ${placeText(site)} ${access}`;
};

/** Which side is the first one does not depend on the run. */
function sorted(kind: RaceKind, spot: Spot, first: Sighting<Where>, second: Sighting<Where>): Seen {
  const [a, b] = [sideKey(first), sideKey(second)];
  // The same on both: by their CPUs.
  const isTurned = a === b ? first.cpu > second.cpu : a > b;
  const sightings = isTurned ? ([second, first] as const) : ([first, second] as const);
  const key = [kind, spot.role, ...[a, b].toSorted()].join('\n');
  return { key, kind, spot, sightings, isTurned };
}
