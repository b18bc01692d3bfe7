/**
 * Records in shared memory. Each is declared once, as a table with a row for each field: where it
 * is, what it holds, how it is accessed, its guard, and its name in words. From the table
 * come the accessors (`recordOf`) and the record's size (`wordsOf`), the names of words in stories
 * and their roles in races (src/explore/engine/record-words.ts), and what is checked under control
 * of each access (src/explore/engine/lockdep.ts).
 */

import type { Gpa, Gpfn, Gva, Pfn, Ptr } from '../src/hardware/address.ts';
import type { Words } from './words.ts';

/** What a field holds. It says the range, and how a story shows it. */
export interface Values {
  /** 0 … 2^32 − 1. */
  readonly number: number;
  /** Modulo 2^32. It goes up by `count`, and by nothing else. */
  readonly count: number;
  /** An index, or −1. */
  readonly index: number;
  /** A host CPU, or −1. */
  readonly hostCpu: number;
  /** 0 or 1. */
  readonly truth: boolean;
  /** 0 or 1, of what decides whether a vCPU runs; 2 while that is being decided. */
  readonly vcpu: boolean;
  readonly gpa: Gpa;
  readonly gva: Gva;
  readonly gpfn: Gpfn;
  readonly pfn: Pfn;
  readonly ptr: Ptr;
  /** More than a number: Lock, Section, mailbox, `Dead`, waiters, words in a row. */
  readonly lock: number;
  readonly section: number;
  readonly mail: number;
  readonly dead: number;
  readonly queue: number;
  readonly words: number;
}

export type FieldKind = keyof Values;

/**
 * How the derived accessor goes to memory:
 *
 *  own        peek and poke: no other CPU accesses it at the time
 *  plain      as the kernel's and the hardware's own loads and stores
 *  atomic     where the order of accesses matters
 *  published  stored like that, and loaded plainly
 *  by hand    none is derived
 */
export type FieldAccess = 'own' | 'plain' | 'atomic' | 'published' | 'by hand';

/**
 * What must hold where a field is changed and, unless it may be `seen`, where it is read:
 *
 *  once     nothing: it is set before other CPUs read it, and not changed after
 *  atomic   nothing: it changes by locked operations only
 *  owner    the vCPU runs on this host CPU, or is not started yet; the host CPU is this one
 *  handed   nothing that could be checked: queueing a vCPU hands it over exclusively
 *  pgdirs   lockPgdirs
 *  pgdir    lockPgdir, of this one
 *  either   one of the two
 *  lock     the lock of the record itself
 *
 * A value read without it is a hint: the reader checks it again under the lock, or by a
 * compare-and-exchange.
 */
export type FieldGuard =
  | ('once' | 'atomic' | 'owner' | 'handed' | 'pgdirs' | 'pgdir' | 'either' | 'lock')
  | ('owner, seen' | 'pgdirs, seen' | 'pgdir, seen' | 'either, seen' | 'lock, seen');

/** A row: `is` has % in place of the record's name; `words` if it is more than one. */
export type Field = readonly [
  at: number,
  kind: FieldKind,
  access: FieldAccess,
  guard: FieldGuard,
  is: string,
  words?: number,
];

export type Fields = Readonly<Record<string, Field>>;

/** Words of a line of the processor's caches: what different CPUs write lies on different ones. */
export const LINE_WORDS = 16;

/** Whole lines. Throws where two fields overlap. */
export function wordsOf(fields: Fields): number {
  let end = 0;
  for (const [name, [at, , , , , words = 1]] of Object.entries(fields)) {
    if (at < end) throw new Error(`${name} overlaps the field before it`);
    end = at + words;
  }
  return Math.ceil(end / LINE_WORDS) * LINE_WORDS;
}

/** The accessors of a table: counts are read. */
type Accessors<F extends Fields> = {
  readonly [K in keyof F as F[K][1] extends 'count' ? Derived<F, K> : never]: number;
} & {
  -readonly [K in keyof F as F[K][1] extends 'count' ? never : Derived<F, K>]: Values[F[K][1]];
};

type Derived<F extends Fields, K extends keyof F> = F[K][2] extends 'by hand' ? never : K;

/**
 * Fields are declared, here and in what hot code goes through: one that is defined first holds
 * undefined until the constructor sets it, and V8 knows nothing of what it holds from then on.
 */
export class SharedRecord {
  declare readonly words: Words;
  /** The words' own, for accessors. */
  declare readonly plain: Uint32Array;
  /** Where it begins. */
  declare readonly at: Ptr;

  constructor(words: Words, at: Ptr) {
    this.words = words;
    this.plain = words.plain;
    this.at = at;
  }

  /** Truncated to 32 bits, which spares V8 an overflow check. */
  protected field(offset: number): Ptr {
    return ((this.at + offset) | 0) as Ptr;
  }

  protected get(offset: number): number {
    return this.words.peek(this.field(offset));
  }
  protected set(offset: number, value: number): void {
    this.words.poke(this.field(offset), value);
  }
}

/** A class with an accessor for each field, without any state of its own. */
export function recordOf<const F extends Fields>(
  fields: F,
): abstract new (
  words: Words,
  at: Ptr,
) => SharedRecord & Accessors<F> {
  abstract class Derived extends SharedRecord {
    constructor(words: Words, at: Ptr) {
      super(words, at);
      if (!words.isLeaf) Object.setPrototypeOf(this, throughWords(new.target.prototype, fields));
    }
  }
  Object.defineProperties(Derived.prototype, accessorsOf(fields, DIRECT));
  return Derived as never;
}

const derived = new WeakMap<object, object>();

/** The same for records whose accesses `words` intercepts, as under control. */
function throughWords(prototype: object, fields: Fields): object {
  const made =
    derived.get(prototype) ?? Object.create(prototype, accessorsOf(fields, THROUGH_WORDS));
  derived.set(prototype, made);
  return made;
}

function accessorsOf(fields: Fields, ways: Ways): PropertyDescriptorMap {
  const accessors: PropertyDescriptorMap = {};
  for (const [name, [at, kind, access]] of Object.entries(fields)) {
    if (access === 'by hand') continue;
    const [loads, stores] = ways[access];
    const shape = SHAPES[kind] ?? 'number';
    const get = loads[shape](at);
    // As stacks, and so stories, call it.
    Object.defineProperty(get, 'name', { value: `get ${name}` });
    accessors[name] = kind === 'count' ? { get } : { get, set: stores(at) };
  }
  return accessors;
}

type Getter = (this: SharedRecord) => number | boolean;
type Setter = (this: SharedRecord, value: number | boolean) => void;

/** How a getter shows what it loads. */
type Loads = Readonly<Record<'number' | 'signed' | 'truth', (offset: number) => Getter>>;

/** By offset. A truth is stored as 0 or 1. */
type Stores = (offset: number) => Setter;

type Ways = Readonly<Record<Exclude<FieldAccess, 'by hand'>, readonly [Loads, Stores]>>;

/*
 * Each is a function over nothing but its offset, which is a constant to V8 where it puts the
 * accessor into its caller: always, if it has at most 27 bytes of bytecode and calls nothing.
 */

const LOADED_DIRECTLY: Loads = {
  number: (offset) =>
    function get() {
      return this.plain[this.at + offset]!;
    },
  signed: (offset) =>
    function get() {
      return this.plain[this.at + offset]! | 0;
    },
  truth: (offset) =>
    function get() {
      return !!this.plain[this.at + offset]!;
    },
};

const storedDirectly: Stores = (offset) =>
  function set(value) {
    this.plain[this.at + offset] = +value;
  };

const peek = (offset: number) =>
  function get(this: SharedRecord) {
    return this.words.peek((this.at + offset) as Ptr);
  };
const read = (offset: number) =>
  function get(this: SharedRecord) {
    return this.words.read((this.at + offset) as Ptr);
  };
const load = (offset: number) =>
  function get(this: SharedRecord) {
    return this.words.load((this.at + offset) as Ptr);
  };

/** By a call, where something intercepts the words: there V8 has more to do than that. */
const shownFrom = (number: (offset: number) => (this: SharedRecord) => number): Loads => ({
  number,
  signed: (offset) => {
    const get = number(offset);
    return function getSigned() {
      return get.call(this) | 0;
    };
  },
  truth: (offset) => {
    const get = number(offset);
    return function getTruth() {
      return get.call(this) !== 0;
    };
  },
});

const poke: Stores = (offset) =>
  function set(value) {
    this.words.poke((this.at + offset) as Ptr, +value);
  };
const write: Stores = (offset) =>
  function set(value) {
    this.words.write((this.at + offset) as Ptr, +value);
  };
const store: Stores = (offset) =>
  function set(value) {
    this.words.store((this.at + offset) as Ptr, +value);
  };

const THROUGH_WORDS: Ways = {
  own: [shownFrom(peek), poke],
  plain: [shownFrom(read), write],
  atomic: [shownFrom(load), store],
  published: [shownFrom(read), store],
};

const DIRECT: Ways = {
  ...THROUGH_WORDS,
  own: [LOADED_DIRECTLY, storedDirectly],
  plain: [LOADED_DIRECTLY, storedDirectly],
  published: [LOADED_DIRECTLY, store],
};

const SHAPES: Readonly<Partial<Record<FieldKind, keyof Loads>>> = {
  index: 'signed',
  hostCpu: 'signed',
  truth: 'truth',
  vcpu: 'truth',
};
