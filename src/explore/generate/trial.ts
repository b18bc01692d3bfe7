/**
 * A machine on which one program after the other is tried, without a boot in between: the columns
 * of its litmus test are exchanged.
 */

import type { PagingName } from '../../../shared/entry.ts';
import { guestLookUp } from '../../check/guest-tables.ts';
import { hasFlag } from '../litmus/entries.ts';
import { GuestTables } from '../litmus/guest.ts';
import { valueNow } from '../litmus/judge.ts';
import type { Litmus } from '../litmus/litmus.ts';
import { type Operation, readOperation } from '../litmus/operations.ts';
import { readText, TextMistake } from '../litmus/tokens.ts';
import type { Strategy } from '../strategies/strategy.ts';
import { Sweep } from '../strategies/sweep.ts';
import { type Result, type Setting, Subject } from '../subject.ts';
import { litmusOf, PAGE_NUMBERS, textsOf } from './guest.ts';
import { type Expected, entryValue, expect, type Sight, twoChangeOneEntry } from './model.ts';
import type { Configuration, Program } from './programs.ts';

/** Of one program. */
export interface Tried {
  readonly schedules: number;
  readonly steps: number;
  /** The first that went wrong. */
  readonly failure: Result | undefined;
  /** The first that did not. */
  readonly passing: Result | undefined;
}

/** One preemption; all vCPUs have come in before, and not yet to their ends. */
const makeSweep = (): Sweep => new Sweep({ preemptions: 1, edges: false });

export class Trial {
  readonly configuration: Configuration;
  readonly setting: Setting;
  /** Its columns are those of the program that was given last. */
  readonly subject: Subject;
  readonly #litmus: Litmus;
  readonly #columns: { readonly ops: Operation[]; readonly texts: string[] }[];
  readonly #tables: GuestTables;

  constructor(configuration: Configuration, setting: Setting) {
    this.configuration = configuration;
    this.setting = setting;
    this.#columns = [...configuration].map(() => ({ ops: [], texts: [] }));
    const template = templateOf(configuration, setting.paging);
    const vcpus = template.vcpus.map((column, i) => ({ ...column, ...this.#columns[i]! }));
    this.#litmus = { ...template, vcpus };
    this.subject = new Subject('', this.#litmus, setting);
    this.#tables = new GuestTables(this.#litmus, this.subject.board.host.guests[0]!.form);
  }

  /** What the program may come to; its columns are the board's from now on. */
  take(program: Program): Expected {
    for (const [i, column] of program.entries()) {
      const texts = textsOf(column, i, program.length);
      const ops = texts.map((text) => operationOf(text, this.#litmus));
      this.#columns[i]!.texts.splice(0, Infinity, ...texts);
      this.#columns[i]!.ops.splice(0, Infinity, ...ops);
    }
    return expect(this.#litmus, PAGE_NUMBERS);
  }

  /** Sweep a program, until a schedule goes wrong. */
  try(program: Program): Tried {
    const expected = this.take(program);
    const sweep = makeSweep();
    let [schedules, steps] = [0, 0];
    let passing: Result | undefined;
    for (;;) {
      const result = this.run(sweep, expected);
      if (sweep.exhausted) return { schedules, steps, failure: undefined, passing };
      schedules++;
      steps += result.run.steps;
      if (result.ending !== 'ok') return { schedules, steps, failure: result, passing };
      passing ??= result;
    }
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
        const found = guestLookUp(lg, this.#tables.top(sight.table), sight.va)?.entry;
        return {
          value: entryValue(found),
          isDirty: found !== undefined && hasFlag(found, 'dirty'),
        };
      }
    }
  }
}

/** As the litmus file says of it that is written. */
const NO_ORDER = {
  ending: 'violation',
  outcome: undefined,
  kind: 'outcome undeclared',
  message: 'undeclared: no outcome is declared for it',
} as const;

const known = new Map<string, Operation>();

function operationOf(text: string, { guest, vcpus, cpus }: Litmus): Operation {
  const key = `${cpus} ${text}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const names = {
    ...{ tables: [...guest.tables.keys()], vcpus: vcpus.length, hostCpus: cpus },
    pages: guest.pages,
  };
  const operation = readText(text, names, readOperation);
  if (operation instanceof TextMistake) throw operation;
  known.set(key, operation);
  return operation;
}

/** Whether a guest may do this: docs/litmus.md has the rules. */
export function isLegal(
  program: Program,
  configuration: Configuration,
  paging: PagingName,
): boolean {
  const litmus = understood(program, configuration, paging);
  const columns = litmus.vcpus.map(({ ops }) => ops);
  if (twoChangeOneEntry(columns)) return false;
  const givesBack = columns.some((ops) => ops.some(({ kind }) => kind === 'discard'));
  return !givesBack || expect(litmus, PAGE_NUMBERS).mistake === undefined;
}

/** The litmus test that it is; as outcome only that the guest lives. */
export function understood(
  program: Program,
  configuration: Configuration,
  paging: PagingName,
): Litmus {
  const template = templateOf(configuration, paging);
  const vcpus = template.vcpus.map((column, i) => {
    const texts = textsOf(program[i]!, i, program.length);
    return { ...column, texts, ops: texts.map((text) => operationOf(text, template)) };
  });
  return { ...template, vcpus };
}

const templates = new Map<string, Litmus>();

/** The test without operations. */
function templateOf(configuration: Configuration, paging: PagingName): Litmus {
  const key = `${configuration} ${paging}`;
  const program = [...configuration].map(() => []);
  const template = templates.get(key) ?? litmusOf(program, configuration, paging);
  templates.set(key, template);
  return template;
}

/** Programs of a space that a guest may run, in their order. */
export function* legalPrograms(
  programs: Iterable<Program>,
  configuration: Configuration,
  paging: PagingName,
): Generator<Program, void, void> {
  for (const program of programs) if (isLegal(program, configuration, paging)) yield program;
}
