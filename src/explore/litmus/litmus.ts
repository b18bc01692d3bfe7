/**
 * A litmus test: a tiny guest, a column of operations for each vCPU, and outcomes declared
 * beforehand.
 */

import type { DisciplineName } from '../../../shared/discipline.ts';
import type { DefectId } from '../../defects.ts';
import { PAGE_OFFSET } from '../../guest/kernel/layout.ts';
import { type Gva, hex, toGva } from '../../hardware/address.ts';
import type { Entry, PagingName } from '../../hardware/entry.ts';
import type { PagingPolicy } from '../../paging/policies/declared.ts';
import { parseYaml, type Validated } from '../../yaml/document.ts';
import { type Mistake, mistakesOf, type Path } from '../../yaml/mistakes.ts';
import { pagingPolicyOf } from '../../yaml/paging-policy.ts';
import { type Condition, readCondition } from './conditions.ts';
import { type LeftToGuest, readDuty } from './duty.ts';
import { readEntry } from './entries.ts';
import { type Operation, readOperation } from './operations.ts';
import { type Judgement, litmusJsonSchema, litmusSchema, type RawLitmus } from './schema.ts';
import { type Names, pageText, type Reader, readText, TextMistake } from './tokens.ts';

export interface Litmus {
  readonly name: string;
  readonly about: string;
  readonly defect?: DefectId | undefined;
  readonly paging: readonly PagingName[];
  readonly disciplines: readonly DisciplineName[];
  /** Host CPUs. */
  readonly cpus: number;
  readonly guest: {
    readonly pgdirs: number;
    readonly pages: number;
    /** By name, what each maps. */
    readonly tables: ReadonlyMap<string, ReadonlyMap<Gva, Entry>>;
    readonly launcher: ReadonlyMap<number, LauncherState>;
    readonly linear: boolean;
    readonly policy?: PagingPolicy;
  };
  readonly vcpus: readonly Column[];
  /** Invariants that are left to this guest. */
  readonly guestDuty: readonly LeftToGuest[];
  readonly outcomes: readonly Outcome[];
}

export type LauncherState = RawLitmus['guest']['launcher'][string];

export interface Column {
  readonly on: string;
  /** The host CPU that it starts on. */
  readonly cpu: number;
  /** Where its stack for traps begins. */
  readonly stack: Gva | undefined;
  /** Whether it runs from the beginning; else another vCPU starts it. */
  readonly started: boolean;
  readonly ops: readonly Operation[];
  /** As they were written. */
  readonly texts: readonly string[];
}

export interface Outcome {
  readonly when: Condition;
  readonly text: string;
  readonly is: Judgement;
  readonly because: string;
}

/** Pages below belong to the guest kernel: tables, stacks, and what it shares with the host. */
export const FIRST_USER_PAGE = 0x20;

/** `path` is where the text is from. */
export const parseLitmus = (text: string, path: string): Litmus =>
  parseYaml(text, path, 'a litmus test', validate);

function validate(value: unknown): Validated<Litmus> {
  const parsed = litmusSchema.safeParse(value);
  if (parsed.success) return understand(parsed.data);
  return { mistakes: mistakesOf(parsed.error.issues, value, litmusJsonSchema()) };
}

/** Parses a test's texts, and collects mistakes. */
interface Reading {
  readonly raw: RawLitmus;
  readonly hostCpus: number;
  /** Names of the tables. */
  readonly tables: readonly string[];
  wrong(path: Path, found: string, expected: string, atKey?: boolean): void;
  read<T>(path: Path, text: string, rule: (reader: Reader) => T): T | undefined;
}

/** The texts in it. */
function understand(raw: RawLitmus): Validated<Litmus> {
  const mistakes: Mistake[] = [];
  const { guest, name, about, defect, paging, disciplines } = raw;
  const hostCpus = raw.cpus ?? raw.vcpus.length;
  const tables = Object.keys(guest.tables);
  const { pages } = guest;
  const names: Names = { tables, vcpus: raw.vcpus.length, hostCpus, pages, paging };
  const reading: Reading = {
    raw,
    hostCpus,
    tables,
    wrong: (path, found, expected, atKey = false) =>
      mistakes.push({ path, atKey, text: `found ${found}, expected ${expected}` }),
    read: (path, text, rule) => {
      const result = readText(text, names, rule);
      if (!(result instanceof TextMistake)) return result;
      mistakes.push({ path, column: result.column, text: result.message });
      return undefined;
    },
  };
  const entries = entriesOf(reading);
  const launcher = launcherOf(reading);
  const vcpus = columnsOf(reading);
  const guestDuty = raw.guest_duty.flatMap(
    (text, i) => reading.read(['guest_duty', i], text, readDuty) ?? [],
  );
  const outcomes = raw.outcomes.flatMap(({ when: text, is, because }, i): Outcome[] => {
    const when = reading.read(['outcomes', i, 'when'], text, readCondition);
    return when === undefined ? [] : [{ when, text, is, because }];
  });
  const valid: Litmus = {
    name,
    about,
    defect,
    paging,
    disciplines,
    cpus: hostCpus,
    vcpus,
    guestDuty,
    outcomes,
    guest: {
      pgdirs: guest.pgdirs,
      pages: guest.pages,
      tables: entries,
      launcher,
      linear: guest.linear,
      ...(guest.paging_policy && { policy: pagingPolicyOf(guest.paging_policy) }),
    },
  };
  return { valid, mistakes };
}

/** Of each of the guest's tables, by its name. */
function entriesOf({ raw, tables, wrong, read }: Reading): Map<string, Map<Gva, Entry>> {
  if (tables.length === 0) wrong(['guest', 'tables'], 'an empty map', 'a table');
  for (const name of tables) {
    if (!/^[A-Z]\w*$/.test(name)) {
      wrong(['guest', 'tables', name], name, 'a name with a capital letter', true);
    }
  }
  const entriesIn = (name: string): Map<Gva, Entry> => {
    const table = new Map<Gva, Entry>();
    for (const [address, text] of Object.entries(raw.guest.tables[name]!)) {
      const path = ['guest', 'tables', name, address];
      const va = Number(address);
      const shown = Number.isNaN(va) ? address : hex(va);
      if (!isUserPage(va)) wrong(path, shown, 'the address of a page below 0xc0000000', true);
      const entry = read(path, text, readEntry);
      if (entry !== undefined) table.set(toGva(va), entry);
    }
    return table;
  };
  return new Map(tables.map((name) => [name, entriesIn(name)]));
}

function launcherOf({ raw: { guest }, wrong }: Reading): Litmus['guest']['launcher'] {
  const range = `a page from ${pageText(FIRST_USER_PAGE)} to ${pageText(guest.pages - 1)}`;
  return new Map(
    Object.entries(guest.launcher).map(([text, state]) => {
      const page = Number(text);
      const fits = page >= FIRST_USER_PAGE && page < guest.pages;
      const shown = Number.isNaN(page) ? text : pageText(page);
      if (!fits) wrong(['guest', 'launcher', text], shown, range, true);
      return [page, state];
    }),
  );
}

/** The vCPUs, with what each does. */
function columnsOf({ raw, hostCpus, tables, wrong, read }: Reading): Column[] {
  const ops = raw.vcpus.map((column, i) =>
    column.ops.flatMap((text, j) => read(['vcpus', i, 'ops', j], text, readOperation) ?? []),
  );
  const startedBy = new Set(ops.flat().flatMap((op) => (op.kind === 'start' ? [op.target] : [])));
  const columns = raw.vcpus.map(({ on, cpu, stack, ops: texts }, i): Column => {
    if (!tables.includes(on)) {
      wrong(['vcpus', i, 'on'], on, `one of the tables ${tables.join(', ')}`);
    }
    if (cpu !== undefined && cpu >= hostCpus) {
      wrong(['vcpus', i, 'cpu'], `${cpu}`, `a host CPU from 0 to ${hostCpus - 1}`);
    }
    const started = !startedBy.has(i);
    if (stack !== undefined && raw.guest.linear) {
      const found = 'a stack of a guest without page tables';
      wrong(['vcpus', i, 'stack'], found, 'set_stack when it has some');
    } else if (stack !== undefined && !started) {
      wrong(['vcpus', i, 'stack'], 'a stack of a vCPU that is started', 'set_stack once it is');
    }
    if (raw.guest.linear && started && i > 0) {
      wrong(
        ['vcpus', i],
        'a vCPU that is never started',
        'one that is started (start N), as at boot',
      );
    }
    return {
      on,
      cpu: cpu ?? i % hostCpus,
      stack: stack === undefined ? undefined : toGva(stack),
      started,
      ops: ops[i]!,
      texts,
    };
  });
  if (startedBy.has(0)) {
    wrong(['vcpus', 0], 'a first vCPU that is started', 'one that starts others');
  }
  return columns;
}

const isUserPage = (va: number): boolean => va % 4096 === 0 && va >= 0 && va < PAGE_OFFSET;
