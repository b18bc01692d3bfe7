/**
 * Races over many runs of one litmus test in one setting: one for each pair of places in the
 * source and each kind of word.
 */

import type { Ptr } from '../../hardware/address.ts';
import type { Access } from '../engine/access.ts';
import type { Controller } from '../engine/controller.ts';
import { placeText, type Where, whereOf } from '../engine/source.ts';
import type { Result } from '../result.ts';
import type { Strategy } from '../strategies/strategy.ts';
import type { Subject } from '../subject.ts';
import { Detector, type RaceKind, type Sighting } from './detector.ts';
import { type Role, Roles, type Spot } from './roles.ts';

/** One side: its access, and the place in the source. */
export interface Side {
  readonly where: Where;
  readonly access: Access;
}

/** An occurrence of a race. */
export interface Example {
  readonly result: Result;
  /** The word, and the numbers of the steps, in the order of the race's sides. */
  readonly at: number;
  readonly steps: readonly [number, number];
}

export interface Race {
  /** A key that is the same in all runs. */
  readonly key: string;
  readonly kind: RaceKind;
  readonly role: Role;
  readonly sides: readonly [Side, Side];
  /** Runs in which it was seen, */
  readonly runs: number;
  /** and of them those in which its second side came first. */
  readonly turned: number;
  /** The first occurrence, in a run that ended well if there was one. */
  readonly example: Example;
}

interface Growing extends Race {
  runs: number;
  turned: number;
  example: Example;
}

/** Occurrences in a run, before its end is known. */
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
  readonly #sites: SourcePlaces;
  readonly #words = new Map<Where, Map<Access, Set<Ptr>>>();

  /** Before the subject has run. */
  constructor(subject: Subject) {
    this.#subject = subject;
    this.#sites = new SourcePlaces(subject.board.controller.tell);
    this.#roles = new Roles(subject.board.host, subject.litmus);
  }

  /** Run the subject once and keep the races of that run. */
  run(strategy: Strategy, seed: number): Result {
    return this.watch(strategy, seed).result;
  }

  /** The same; `seen`: each race that was seen, by its key, when it was first seen. */
  watch(strategy: Strategy, seed: number): { result: Result; seen: ReadonlyMap<string, Seen> } {
    const { board } = this.#subject;
    const seen = new Map<string, Seen>();
    const detector = new Detector<Where>(
      {
        cpus: board.host.cpus.length,
        entryWords: board.host.guests[0]!.form.entryWords,
        spot: (at) => this.#roles.spot(at),
        site: ({ kind, at }) => this.#place(kind, at),
      },
      (kind, spot, first, second) => {
        const one = sorted(kind, spot, first, second);
        if (!seen.has(one.key)) seen.set(one.key, one);
      },
    );
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = DEPTH;
    board.controller.watcher = (step) => detector.step(step);
    try {
      const result = this.#subject.run(strategy, seed);
      for (const one of seen.values()) this.#keep(one, result);
      return { result, seen };
    } finally {
      board.controller.watcher = undefined;
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  /** In an order that depends on their keys alone. */
  get races(): readonly Race[] {
    return [...this.#races].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, race]) => race);
  }

  #keep({ key, kind, spot, sightings, isTurned }: Seen, result: Result): void {
    const [a, b] = sightings;
    const example: Example = { result, at: spot.at, steps: [a.step, b.step] };
    const known = this.#races.get(key);
    if (known === undefined) {
      const sides = [sideOf(a), sideOf(b)] as const;
      const turned = isTurned ? 1 : 0;
      this.#races.set(key, { key, kind, role: spot.role, sides, runs: 1, turned, example });
      return;
    }
    known.runs++;
    if (isTurned) known.turned++;
    if (known.example.result.ending !== 'ok' && result.ending === 'ok') known.example = example;
  }

  /** The place of the access; the word is recorded. */
  #place(kind: Access, at: Ptr): Where {
    const where = this.#sites.here();
    const words = this.#words.get(where) ?? new Map<Access, Set<Ptr>>();
    this.#words.set(where, words);
    const ofKind = words.get(kind) ?? new Set();
    words.set(kind, ofKind.add(at));
    return where;
  }

  /**
   * Words that a side of the race has accessed in any run. Other schedules allocate frames in
   * another order, so the race may occur at other words.
   */
  wordsOf({ where, access }: Side): ReadonlySet<Ptr> {
    return this.#words.get(where)!.get(access)!;
  }
}

/**
 * Depth of the stack trace below the leaf: from an accessor up to the function that is reported.
 * Stack traces are the main cost here.
 */
const DEPTH = 14;

/** Places of accesses, one object for each. */
class SourcePlaces {
  readonly #above: Controller['tell'];
  readonly #byText = new Map<string, Where>();
  readonly #known = new Map<Where, Where>();

  /** `above`: the function that the leaf calls at each access; the place is below. */
  constructor(above: Controller['tell']) {
    this.#above = above;
  }

  /** Of the access that is being made. */
  here(): Where {
    const holder = { stack: '' };
    Error.captureStackTrace(holder, this.#above);
    const where = whereOf(holder.stack);
    const known = this.#known.get(where);
    if (known !== undefined) return known;
    const text = placeText(where);
    const one = this.#byText.get(text) ?? where;
    this.#byText.set(text, one);
    this.#known.set(where, one);
    return one;
  }
}

const sideOf = ({ site, access }: Sighting<Where>): Side => ({ where: site, access });

const sideKey = ({ site, access }: Sighting<Where>): string => {
  const { file, line } = site;
  return `${file}:${String(line).padStart(5, '0')} ${placeText(site)} ${access}`;
};

/** Which side is the first one does not depend on the run. */
function sorted(kind: RaceKind, spot: Spot, first: Sighting<Where>, second: Sighting<Where>): Seen {
  const [a, b] = [sideKey(first), sideKey(second)];
  // Equal sides: by CPU.
  const isTurned = a === b ? first.cpu > second.cpu : a > b;
  const sightings = isTurned ? ([second, first] as const) : ([first, second] as const);
  const key = [kind, spot.role, ...[a, b].toSorted()].join('\n');
  return { key, kind, spot, sightings, isTurned };
}
