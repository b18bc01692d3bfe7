/**
 * The allowed outcomes of a guest's program: those of all sequential orders of its operations.
 * `set_pte` is two of them: the kernel stores into its table, and tells the host. In between an
 * access may still use the old entry, and one that walks the table finds the new one.
 *
 * Also, what is illegal, since it is the guest's own mistake (docs/litmus.md, "What a guest may
 * do").
 */

import { KERNEL_PAGE } from '../../guest/kernel/kernel-mapping.ts';
import { PAGE_OFFSET } from '../../guest/kernel/layout.ts';
import type { Gva } from '../../hardware/address.ts';
import { type Entry, isPresent, makeEntry, ptePfn } from '../../hardware/entry.ts';
import { hasFlag } from '../litmus/entries.ts';
import type { Litmus } from '../litmus/litmus.ts';
import type { Operation } from '../litmus/operations.ts';
import { FAULT } from '../litmus/tokens.ts';

/** A value that is observed at the end. */
export type Sight =
  | {
      readonly kind: 'register';
      readonly vcpu: number;
      readonly name: 'r0' | 'r1' | 'r2' | 'r3' | 'cr2';
    }
  | { readonly kind: 'word'; readonly page: number }
  | { readonly kind: 'entry'; readonly table: string; readonly va: Gva };

/** One outcome: a value for each observation. */
export interface Outcome {
  /** Undefined where any value is allowed; for entries see `entryValue`. */
  readonly values: readonly (number | undefined)[];
  /** Entries, by their place among the observations, that must have DIRTY. */
  readonly dirty: readonly number[];
}

export interface Expected {
  readonly sights: readonly Sight[];
  readonly outcomes: readonly Outcome[];
  /** The guest's mistake in one of the orders. */
  readonly mistake: string | undefined;
}

/** A mapping without ACCESSED and DIRTY as one number: −1 for none. */
export const entryValue = (entry: Entry | undefined): number =>
  entry === undefined || !isPresent(entry)
    ? -1
    : ptePfn(entry) * 2 + (hasFlag(entry, 'rw') ? 1 : 0);

/** For a test of accesses, changes of tables and hypercalls; `pages` are observed. */
export function expect(litmus: Litmus, pages: readonly number[]): Expected {
  const model = new Model(litmus, pages);
  return { sights: model.sights, outcomes: model.outcomes(), mistake: model.mistake };
}

/** One step of the model. */
type Step = (state: State) => readonly State[];

interface State {
  /** How many steps each vCPU has done. */
  readonly done: readonly number[];
  /** The table that each is on. */
  readonly on: readonly string[];
  /** First words of pages; undefined once a page was discarded. */
  readonly memory: ReadonlyMap<number, number | undefined>;
  /** Entries by table and address; those of the kernel's addresses are everybody's. */
  readonly entries: ReadonlyMap<string, Modelled>;
  /** Results by vCPU and name. */
  readonly registers: ReadonlyMap<string, number | undefined>;
  /** vCPUs that run, and have a stack of their own for traps. */
  readonly started: readonly boolean[];
  readonly stacked: readonly boolean[];
  /** Entries that map a discarded page, which the host must still be told of. */
  readonly owed: ReadonlySet<string>;
}

interface Modelled {
  readonly entry: Entry;
  readonly dirty: boolean;
  /** The entry before, until the host is told of this one. */
  readonly before: Entry | undefined;
}

export const keyOf = (table: string, va: Gva): string => `${va >= PAGE_OFFSET ? '' : table} ${va}`;

class Model {
  readonly sights: readonly Sight[];
  mistake: string | undefined;
  readonly #steps: readonly (readonly Step[])[];
  readonly #first: State;

  constructor(litmus: Litmus, pages: readonly number[]) {
    const { guest, vcpus } = litmus;
    const entries = new Map<string, Modelled>();
    const add = (table: string, va: Gva, entry: Entry): void =>
      void entries.set(keyOf(table, va), { entry, dirty: false, before: undefined });
    for (const [name, mapped] of guest.tables) {
      for (const [va, entry] of mapped) add(name, va, entry);
    }
    const kernel = new Set<Gva>();
    for (const op of vcpus.flatMap(({ ops }) => ops)) {
      if (('to' in op || 'entry' in op) && op.va >= PAGE_OFFSET) {
        add('', op.va, makeEntry((op.va - PAGE_OFFSET) >>> 12, KERNEL_PAGE));
        kernel.add(op.va);
      }
    }
    this.#steps = vcpus.map(({ ops }, vcpu) => ops.flatMap((op) => this.#stepsOf(op, vcpu)));
    this.#first = {
      done: vcpus.map(() => 0),
      on: vcpus.map(({ on }) => on),
      memory: new Map(pages.map((page) => [page, page])),
      entries,
      registers: new Map(),
      started: vcpus.map(({ started }) => started),
      stacked: vcpus.map(({ started }) => started),
      owed: new Set(),
    };
    this.sights = [
      ...vcpus.flatMap(({ ops }, vcpu) => registersOf(ops, vcpu)),
      ...pages.map((page): Sight => ({ kind: 'word', page })),
      ...[...guest.tables].flatMap(([table, mapped]) =>
        [...mapped.keys()].map((va): Sight => ({ kind: 'entry', table, va })),
      ),
      ...[...kernel].map(
        (va): Sight => ({ kind: 'entry', table: [...guest.tables.keys()][0]!, va }),
      ),
    ];
  }

  outcomes(): Outcome[] {
    const found = new Map<string, Outcome>();
    const tried = new Set<string>();
    const goOn = (state: State): void => {
      const key = textOf(state);
      if (tried.has(key)) return;
      tried.add(key);
      let isOver = true;
      for (const [vcpu, steps] of this.#steps.entries()) {
        const step = steps[state.done[vcpu]!];
        if (step === undefined || !state.started[vcpu]!) continue;
        isOver = false;
        for (const after of step(state)) {
          goOn({ ...after, done: state.done.with(vcpu, state.done[vcpu]! + 1) });
        }
      }
      if (!isOver) return;
      if (state.owed.size > 0) {
        this.mistake ??= 'a page is given back, and the host not told of an entry that maps it';
      }
      const outcome = this.#outcomeOf(state);
      found.set(JSON.stringify(outcome), outcome);
    };
    goOn(this.#first);
    return [...found.values()];
  }

  #stepsOf(op: Operation, vcpu: number): Step[] {
    switch (op.kind) {
      case 'load':
      case 'store':
      case 'locked':
        return [
          (state) => access(state, op, vcpu).map((after) => this.#trapped(state, after, vcpu)),
        ];
      case 'set_pte':
        return [(state) => stored(state, op), (state) => told(state, op)];
      case 'pte':
        return [(state) => stored(state, op)];
      case 'tell_pte':
        return [(state) => told(state, op)];
      case 'new_pgtable':
        return [(state) => [{ ...state, on: state.on.with(vcpu, op.table) }]];
      case 'discard':
        return [(state) => givenBack(state, op.page)];
      case 'set_stack':
        return [(state) => [{ ...state, stacked: state.stacked.with(vcpu, true) }]];
      case 'start':
        return [(state) => started(state, vcpu, op.target)];
      case 'syscall':
        return [(state) => [this.#onStack(state, vcpu)]];
      default:
        return [(state) => [state]];
    }
  }

  #trapped(before: State, after: State, vcpu: number): State {
    const key = `${vcpu} cr2`;
    return before.registers.get(key) === after.registers.get(key)
      ? after
      : this.#onStack(after, vcpu);
  }

  /** A push onto the stack. */
  #onStack(state: State, vcpu: number): State {
    if (!state.stacked[vcpu]!) {
      this.mistake ??= 'a vCPU that was started traps on the stack of who started it';
    }
    return state;
  }

  #outcomeOf({ memory, entries, registers }: State): Outcome {
    const dirty: number[] = [];
    const values = this.sights.map((sight, i): number | undefined => {
      if (sight.kind === 'word') return memory.get(sight.page);
      if (sight.kind === 'register') {
        const key = `${sight.vcpu} ${sight.name}`;
        return registers.has(key) ? registers.get(key) : 0;
      }
      const { entry, dirty: isDirty } = entries.get(keyOf(sight.table, sight.va))!;
      if (isDirty) dirty.push(i);
      return entryValue(entry);
    });
    return { values, dirty };
  }
}

/** The register that an operation writes. */
function registersOf(ops: readonly Operation[], vcpu: number): Sight[] {
  const used = ops.flatMap((op) => ('to' in op && op.to !== undefined ? [op.to] : []));
  const names = [...new Set(used)].toSorted().map((n) => `r${n}` as 'r0');
  const mayFault = ops.some((op) => 'to' in op);
  return [...names, ...(mayFault ? (['cr2'] as const) : [])].map((name) => ({
    kind: 'register',
    vcpu,
    name,
  }));
}

const textOf = ({ done, on, started, stacked, memory, entries, registers, owed }: State): string =>
  JSON.stringify(
    [done, on, started, stacked, [...memory], [...entries], [...registers], [...owed]],
    (_, value) => (value === undefined ? 'any' : value),
  );

type Access = Extract<Operation, { readonly to: number | undefined }>;

/** By the entry in the table, and by the one before it while the host is not told. */
function access(state: State, op: Access, vcpu: number): State[] {
  const key = keyOf(state.on[vcpu]!, op.va);
  const found = state.entries.get(key);
  const states: State[] = [];
  if (found?.before !== undefined && allows(found.before, op)) {
    states.push(accessed(state, op, vcpu, found.before));
  }
  if (found === undefined || !allows(found.entry, op)) {
    const faulted = withResult(state, op, vcpu, FAULT);
    const registers = new Map(faulted.registers).set(`${vcpu} cr2`, op.va);
    return [...states, { ...faulted, registers }];
  }
  const isDirty = found.dirty || op.kind !== 'load';
  const entries = new Map(state.entries).set(key, { ...found, dirty: isDirty });
  return [...states, accessed({ ...state, entries }, op, vcpu, found.entry)];
}

const allows = (entry: Entry, { kind, kernel }: Access): boolean =>
  isPresent(entry) &&
  (kernel || hasFlag(entry, 'user')) &&
  (kind === 'load' || hasFlag(entry, 'rw'));

function accessed(state: State, op: Access, vcpu: number, entry: Entry): State {
  const page = ptePfn(entry);
  const word = state.memory.get(page);
  if (op.kind === 'load') return withResult(state, op, vcpu, word);
  // A discarded page may be another frame at each access.
  const isGone = state.memory.has(page) && word === undefined;
  const after = op.kind === 'store' ? op.value : word === undefined ? undefined : word + 1;
  const memory = isGone ? state.memory : new Map(state.memory).set(page, after);
  return withResult({ ...state, memory }, op, vcpu, op.kind === 'store' ? 1 : word);
}

function withResult(state: State, { to }: Access, vcpu: number, value: number | undefined): State {
  if (to === undefined) return state;
  return { ...state, registers: new Map(state.registers).set(`${vcpu} r${to}`, value) };
}

type Change = Extract<Operation, { readonly entry: Entry }>;

function stored(state: State, { table, va, entry }: Change): State[] {
  const key = keyOf(table, va);
  const before = state.entries.get(key)?.entry;
  const now = { entry, dirty: false, before };
  return [{ ...state, entries: new Map(state.entries).set(key, now) }];
}

function told(state: State, { table, va }: Change): State[] {
  const key = keyOf(table, va);
  const found = state.entries.get(key);
  const owed = new Set(state.owed);
  owed.delete(key);
  if (found === undefined) return [{ ...state, owed }];
  const entries = new Map(state.entries).set(key, { ...found, before: undefined });
  return [{ ...state, entries, owed }];
}

/** It begins on the page table of its starter. */
function started(state: State, vcpu: number, target: number): State[] {
  return [
    {
      ...state,
      on: state.on.with(target, state.on[vcpu]!),
      started: state.started.with(target, true),
    },
  ];
}

/** From then on its content is undefined, and no entry may map it. */
function givenBack(state: State, page: number): State[] {
  const owed = new Set(state.owed);
  const maps = (entry: Entry | undefined): boolean =>
    entry !== undefined && isPresent(entry) && ptePfn(entry) === page;
  for (const [key, { entry, before }] of state.entries) {
    if (maps(entry) || maps(before)) owed.add(key);
  }
  return [{ ...state, memory: new Map(state.memory).set(page, undefined), owed }];
}
