/**
 * A machine that runs one program after the other without booting in between: only the columns of
 * its litmus test are replaced.
 */

import { guestLookUp } from '../../check/guest-tables.ts';
import { hasFlag } from '../litmus/entries.ts';
import { GuestTables } from '../litmus/guest.ts';
import { valueNow } from '../litmus/judge.ts';
import type { Litmus } from '../litmus/litmus.ts';
import type { Operation } from '../litmus/operations.ts';
import type { Result } from '../result.ts';
import type { Setting } from '../setting.ts';
import type { Strategy } from '../strategies/strategy.ts';
import { Sweep } from '../strategies/sweep.ts';
import { Subject } from '../subject.ts';
import { Exhaustive } from '../verify/exhaustive.ts';
import { unlessLeft } from '../verify/unit.ts';
import { PAGE_NUMBERS, templateOf, understood } from './guest.ts';
import { type Expected, entryValue, expect, type Sight } from './model.ts';
import type { Configuration, Program } from './programs.ts';

/** Of one program. */
export interface Tried {
  /** Or behaviours, if all of them are run. */
  readonly schedules: number;
  /** Runs that were cut off, since their rest was explored before. */
  readonly blocked: number;
  /** There are more behaviours than the bound. */
  readonly isUnfinished: boolean;
  readonly steps: number;
  /** The first that went wrong. */
  readonly failure: Result | undefined;
  /** The first that did not. */
  readonly passing: Result | undefined;
}

/** One preemption; all vCPUs have come in before, and not yet to their ends. */
const makeSweep = (): Sweep => new Sweep({ preemptions: 1, edges: false });

/** A machine, and the columns of its guest. */
class Bench {
  readonly litmus: Litmus;
  readonly subject: Subject;
  readonly tables: GuestTables;
  readonly #columns: { readonly ops: Operation[]; readonly texts: string[] }[];

  constructor(template: Litmus, setting: Setting) {
    this.#columns = template.vcpus.map(() => ({ ops: [], texts: [] }));
    const vcpus = template.vcpus.map((column, i) => ({ ...column, ...this.#columns[i]! }));
    this.litmus = { ...template, vcpus };
    this.subject = new Subject('', this.litmus, setting);
    this.tables = new GuestTables(this.litmus, this.subject.board.host.guests[0]!.form);
  }

  put(columns: Litmus['vcpus']): void {
    for (const [i, { texts, ops }] of columns.entries()) {
      this.#columns[i]!.texts.splice(0, Infinity, ...texts);
      this.#columns[i]!.ops.splice(0, Infinity, ...ops);
    }
  }
}

export class Trial {
  readonly configuration: Configuration;
  readonly setting: Setting;
  /** Behaviours of a program that are run at most. */
  readonly #most: number;
  /** By the test without its operations. */
  readonly #benches = new Map<Litmus, Bench>();
  #bench: Bench;

  constructor(configuration: Configuration, setting: Setting, most = Number.POSITIVE_INFINITY) {
    this.configuration = configuration;
    this.setting = setting;
    this.#most = most;
    this.#bench = this.#benchFor(
      templateOf(
        [...configuration].map(() => []),
        configuration,
        setting.paging,
      ),
    );
  }

  /** Its columns are those of the last program. */
  get subject(): Subject {
    return this.#bench.subject;
  }

  /** Load a program, and compute its allowed outcomes. */
  take(program: Program): Expected {
    const { configuration, setting } = this;
    const { vcpus } = understood(program, configuration, setting.paging);
    this.#bench = this.#benchFor(templateOf(program, configuration, setting.paging));
    this.#bench.put(vcpus);
    return expect(this.#bench.litmus, PAGE_NUMBERS);
  }

  #benchFor(template: Litmus): Bench {
    const bench = this.#benches.get(template) ?? new Bench(template, this.setting);
    this.#benches.set(template, bench);
    return bench;
  }

  /** Sweep a program, or run all of its behaviours, until a schedule fails. */
  try(program: Program): Tried {
    const expected = this.take(program);
    const results = this.setting.abridged ? this.#all(expected) : this.#swept(expected);
    let [schedules, blocked, steps] = [0, 0, 0];
    let isUnfinished = false;
    let [failure, passing]: (Result | undefined)[] = [];
    for (const result of results) {
      isUnfinished = schedules === this.#most;
      if (isUnfinished) break;
      if (result === undefined) {
        blocked++;
        continue;
      }
      schedules++;
      steps += result.run.steps;
      if (result.ending !== 'ok') failure = result;
      if (failure !== undefined) break;
      passing ??= result;
    }
    return { schedules, blocked, isUnfinished, steps, failure, passing };
  }

  *#swept(expected: Expected): Generator<Result, void, void> {
    const sweep = makeSweep();
    for (;;) {
      const result = this.run(sweep, expected);
      if (sweep.exhausted) return;
      yield result;
    }
  }

  /** Undefined for a run that is cut off. */
  *#all(expected: Expected): Generator<Result | undefined, void, void> {
    const search = new Exhaustive(this.subject.board);
    while (search.goOn()) yield unlessLeft(() => this.run(search, expected));
  }

  run(strategy: Strategy, expected: Expected): Result {
    const result = this.subject.run(strategy, 0);
    if (result.run.verdict !== 'ended' || this.#isExpected(expected)) return result;
    return { ...result, ...NO_ORDER };
  }

  #isExpected({ sights, outcomes }: Expected): boolean {
    const seen = sights.map((sight) => this.#seen(sight));
    return outcomes.some(
      ({ values, dirty }) =>
        values.every((value, i) => value === undefined || value === seen[i]!.value) &&
        dirty.every((i) => seen[i]!.isDirty),
    );
  }

  #seen(sight: Sight): { readonly value: number; readonly isDirty: boolean } {
    const lg = this.subject.board.host.guests[0]!;
    switch (sight.kind) {
      case 'register':
        return { value: valueNow(lg, sight), isDirty: false };
      case 'word':
        return { value: valueNow(lg, { ...sight, index: 0 }), isDirty: false };
      case 'entry': {
        const found = guestLookUp(lg, this.#bench.tables.top(sight.table), sight.va)?.entry;
        return {
          value: entryValue(found),
          isDirty: found !== undefined && hasFlag(found, 'dirty'),
        };
      }
    }
  }
}

/** As in the litmus file that is written. */
const NO_ORDER = {
  ending: 'violation',
  outcome: undefined,
  kind: 'outcome undeclared',
  message: 'undeclared: no outcome is declared for it',
} as const;
