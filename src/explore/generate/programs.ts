/**
 * All programs of so many operations, each once: of programs that differ only in the order of vCPUs
 * and the names of tables one is taken. Left out are programs that name a table that no vCPU uses
 * or switches to, and those with an idempotent operation twice in a row. Illegal programs are left
 * out by legality.ts.
 */

import { renamed, START, TABLES, tableOf } from './alphabets.ts';

/** Columns of operations, one for each vCPU. */
export type Program = readonly (readonly string[])[];

/** The tables that the vCPUs begin on: `AB`. */
export type Configuration = string;

/** As `Program`, operations by their numbers in the alphabet. */
type Numbers = readonly (readonly number[])[];

/** Every vCPU has at least one operation. Lazily, and always in the same order. */
export function* programsOf(
  letters: readonly string[],
  configuration: Configuration,
  operations: number,
): Generator<Program, void, void> {
  const symmetries = symmetriesOf(letters, configuration);
  const relevance = new Relevance(letters, configuration);
  for (const lengths of splits(operations, configuration.length)) {
    for (const program of fill(lengths, letters.length)) {
      if (!relevance.of(program)) continue;
      if (symmetries.some((symmetry) => compare(symmetry(program), program) < 0)) continue;
      yield program.map((column) => column.map((letter) => letters[letter]!));
    }
  }
}

/** `n` as a sum of so many numbers from 1. */
function* splits(n: number, parts: number): Generator<readonly number[], void, void> {
  if (parts === 1) yield [n];
  if (parts === 1) return;
  for (let first = n - parts + 1; first > 0; first--) {
    for (const rest of splits(n - first, parts - 1)) yield [first, ...rest];
  }
}

/** Every choice of `letters` letters for columns of these lengths. The same arrays each time. */
function* fill(lengths: readonly number[], letters: number): Generator<Numbers, void, void> {
  const columns = lengths.map((length) => Array<number>(length).fill(0));
  const places = columns.flatMap((column) => column.map((_, i) => ({ column, i })));
  for (;;) {
    yield columns;
    let at = places.length - 1;
    for (; at >= 0; at--) {
      const { column, i } = places[at]!;
      column[i]!++;
      if (column[i]! < letters) break;
      column[i] = 0;
    }
    if (at < 0) return;
  }
}

function compare(one: Numbers, other: Numbers): number {
  for (const [c, column] of one.entries()) {
    const beside = other[c]!;
    if (column.length !== beside.length) return beside.length - column.length;
    for (const [i, letter] of column.entries()) {
      if (letter !== beside[i]) return letter - beside[i]!;
    }
  }
  return 0;
}

/** Where one vCPU starts another they are not symmetric. */
const ordersOf = (letters: readonly string[], vcpus: readonly string[]): number[][] => {
  const all = permutations([...vcpus.keys()]);
  return letters.includes(START) ? all.slice(0, 1) : all;
};

/** The symmetries of programs: orders of vCPUs and names of tables. */
function symmetriesOf(
  letters: readonly string[],
  configuration: Configuration,
): ((program: Numbers) => Numbers)[] {
  const numbers = new Map(letters.map((letter, i) => [letter, i]));
  const vcpus = [...configuration];
  return ordersOf(letters, vcpus).flatMap((from) =>
    permutations(TABLES).flatMap((names) => {
      const to = Object.fromEntries(TABLES.map((table, i) => [table, names[i]!]));
      if (vcpus.some((table, i) => to[vcpus[from[i]!]!] !== table)) return [];
      const letterFor = letters.map((letter) => numbers.get(renamed(letter, to))!);
      return [
        (program: Numbers): Numbers =>
          from.map((column) => program[column]!.map((letter) => letterFor[letter]!)),
      ];
    }),
  );
}

function permutations<T>(of: readonly T[]): T[][] {
  if (of.length === 0) return [[]];
  return of.flatMap((first, i) => permutations(of.toSpliced(i, 1)).map((rest) => [first, ...rest]));
}

/** Idempotent operations. */
const IDEMPOTENT = /^(set_|new_pgtable|flush_|discard|evict)/;

class Relevance {
  readonly #known: number;
  /** For each letter: the table that it names, and the one that it switches to, as bits. */
  readonly #about: readonly number[];
  readonly #goesTo: readonly number[];
  readonly #isIdempotent: readonly boolean[];
  readonly #evict: number;
  readonly #start: number;

  constructor(letters: readonly string[], configuration: Configuration) {
    const bit = (table: string | undefined): number =>
      table === undefined ? 0 : 1 << TABLES.indexOf(table as 'A');
    this.#known = [...configuration].reduce((known, table) => known | bit(table), 0);
    const given = (letter: string): string | undefined => /^discard page ([ABC])/.exec(letter)?.[1];
    this.#about = letters.map((letter) => bit(tableOf(letter) ?? given(letter)));
    this.#goesTo = letters.map((letter) =>
      letter.startsWith('new_pgtable') ? bit(tableOf(letter)) : 0,
    );
    this.#isIdempotent = letters.map((letter) => IDEMPOTENT.test(letter));
    this.#evict = letters.indexOf('evict');
    this.#start = letters.indexOf(START);
  }

  of(program: Numbers): boolean {
    let known = this.#known;
    let about = 0;
    for (const column of program) {
      // Evicting is useless first, when the TLB is empty, and last, when it is not used again.
      if (column[0] === this.#evict || column.at(-1) === this.#evict) return false;
      for (const [i, letter] of column.entries()) {
        known |= this.#goesTo[letter]!;
        about |= this.#about[letter]!;
        if (i > 0 && column[i - 1] === letter && this.#isIdempotent[letter]!) return false;
      }
    }
    return (about & ~known) === 0 && this.#startsOnce(program);
  }

  /** The second one, by the first, if the alphabet is about that. */
  #startsOnce(program: Numbers): boolean {
    if (this.#start < 0) return true;
    const starts = (column: readonly number[]): number =>
      column.filter((letter) => letter === this.#start).length;
    return program.every((column, vcpu) => starts(column) === (vcpu === 0 ? 1 : 0));
  }
}
