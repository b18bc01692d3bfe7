/** Telling the accesses of a race from others, by word and kind: before they are made, too. */

import { frameOf, type Ptr } from '../../../shared/address.ts';
import { Access } from '../access.ts';
import type { Race } from './gather.ts';

/** 0 or 1. */
export type SideIndex = 0 | 1;

export class Target {
  readonly sides: Race['sides'];
  readonly #words: ReadonlySet<number>;
  readonly #frames: ReadonlySet<number>;
  readonly #entryWords: number;

  /** `entryWords`: words of an entry, which are one. */
  constructor({ sides, words }: Pick<Race, 'sides' | 'words'>, entryWords: number) {
    this.sides = sides;
    this.#words = words;
    this.#frames = new Set(Array.from(words, (at) => frameOf(at as Ptr)));
    this.#entryWords = entryWords;
  }

  /** Whether an access may be one of side `side`. */
  isSide(side: SideIndex, kind: Access | 0, at: Ptr): boolean {
    return kind === this.sides[side].access && this.covers(kind, at);
  }

  /** Whether it is of a word of the race's. */
  covers(kind: Access, at: Ptr): boolean {
    if (isOfMany(kind)) return this.#frames.has(frameOf(at));
    return this.#words.has(at) || (this.#entryWords === 2 && this.#words.has(at - 1));
  }

  /** Whether two accesses of a word of the race's are of the same one. */
  meet(kindA: Access, a: Ptr, kindB: Access, b: Ptr): boolean {
    if (isOfMany(kindA) || isOfMany(kindB)) return frameOf(a) === frameOf(b);
    return a === b || (this.#entryWords === 2 && a >> 1 === b >> 1);
  }
}

const isOfMany = (kind: Access): boolean => kind === Access.Fill || kind === Access.Scan;
