/** A tokenizer for the short texts of litmus files; mistakes name the column. */

import { type Gva, hex, toGva } from '../../hardware/address.ts';
import type { PagingName } from '../../hardware/entry.ts';
import { didYouMean } from '../../yaml/closest.ts';

/** A mistake in a text, and its position, from 0. */
export class TextMistake extends Error {
  readonly column: number;

  constructor(column: number, found: string, expected: string) {
    super(`found ${found}, expected ${expected}`);
    this.column = column;
  }
}

export interface Token {
  readonly text: string;
  readonly column: number;
}

/** The names that a litmus test declares. */
export interface Names {
  readonly tables: readonly string[];
  readonly vcpus: number;
  readonly hostCpus: number;
  /** Of guest memory. */
  readonly pages: number;
  /** The forms of page tables that the test is for. */
  readonly paging: readonly PagingName[];
}

const TOKEN = /->|[=!]=|"[^"]*"?|[A-Za-z0-9_]+|\S/g;

const NUMBER = /^(0x[0-9a-f]+|[0-9]+)$/i;

const MOST_U32 = 0xffff_ffff;

/** The value of a register whose operation faulted. No other may be written so in a test. */
export const FAULT = 0xf0f0_fa17;

/** Pages as they are written. */
export const pageText = (page: number): string => `0x${page.toString(16)}`;

export class Reader {
  readonly names: Names;
  readonly #tokens: readonly Token[];
  readonly #end: number;
  #next = 0;

  constructor(text: string, names: Names) {
    this.names = names;
    this.#tokens = Array.from(text.matchAll(TOKEN), (match) => ({
      text: match[0],
      column: match.index,
    }));
    this.#end = text.trimEnd().length;
  }

  /** Peek at the next word; '' at the end. */
  get peek(): string {
    return this.#tokens[this.#next]?.text ?? '';
  }

  /** Throw: the next word is not what was expected. */
  fail(expected: string, known: readonly string[] = []): never {
    const token = this.#tokens[this.#next];
    if (token === undefined) throw new TextMistake(this.#end, 'the end', expected);
    const suggested = didYouMean(token.text, known);
    throw new TextMistake(token.column, JSON.stringify(token.text), expected + suggested);
  }

  take(): Token {
    const token = this.#tokens[this.#next] ?? this.fail('more');
    this.#next++;
    return token;
  }

  /** Consume this word, if it is the next. */
  accept(text: string): boolean {
    if (this.peek !== text) return false;
    this.#next++;
    return true;
  }

  expect(text: string): void {
    if (!this.accept(text)) this.fail(text);
  }

  /** One of these words. */
  word<T extends string>(known: readonly T[]): T {
    if (!known.includes(this.peek as T)) this.fail(known.join(', '), known);
    return this.take().text as T;
  }

  /** The next word is of three-level page tables alone. */
  ofThreeLevels(): void {
    if (this.names.paging.includes('nonpae')) this.fail('it with paging: [pae] only');
  }

  isNumber(): boolean {
    return NUMBER.test(this.peek);
  }

  table(): string {
    const { tables } = this.names;
    if (!tables.includes(this.peek)) this.fail(`one of the tables ${tables.join(', ')}`, tables);
    return this.take().text;
  }

  /** `end`: the upper limit, for the program's addresses. */
  address(end = MOST_U32 + 1): Gva {
    return toGva(this.number('an address', end - 1));
  }

  /** Of a word: memory is accessed by whole words. */
  wordAddress(): Gva {
    if (this.isNumber() && Number(this.peek) % 4 !== 0) {
      this.fail('an address that is a multiple of 4');
    }
    return this.address();
  }

  vcpu(): number {
    return this.number('a vCPU', this.names.vcpus - 1);
  }

  hostCpu(): number {
    return this.number('a host CPU', this.names.hostCpus - 1);
  }

  /** A page of the guest's memory. */
  page(): number {
    const most = this.names.pages - 1;
    return this.number('a page', most, pageText);
  }

  /** A number from 0 to `most`; `what` names it in a mistake, with the text for `most`. */
  number(what: string, most = MOST_U32, told: (n: number) => string = String): number {
    const value = this.isNumber() ? Number(this.peek) : Number.NaN;
    if (!(value <= most)) {
      const range = most < MOST_U32 ? ` from 0 to ${told(most)}` : '';
      this.fail(value > most && range === '' ? `${what} of at most ${hex(most)}` : what + range);
    }
    if (value === FAULT) this.fail(`${what} other than ${hex(FAULT)}, which stands for fault`);
    this.#next++;
    return value;
  }

  end(): void {
    if (this.peek !== '') this.fail('nothing more');
  }
}

/** Parse a whole text by `rule`; or its mistake. */
export function readText<T>(
  text: string,
  names: Names,
  rule: (reader: Reader) => T,
): T | TextMistake {
  const reader = new Reader(text, names);
  try {
    const result = rule(reader);
    reader.end();
    return result;
  } catch (error) {
    if (error instanceof TextMistake) return error;
    throw error;
  }
}
