/** Recognizes pending accesses of a race, by word and kind. */

import { frameOf, type Ptr } from '../../hardware/address.ts';
import { Access } from '../engine/access.ts';

/** The kind of one side's access, and the words that it was seen at. */
export interface TargetSide {
  readonly access: Access;
  readonly words: ReadonlySet<Ptr>;
}

/** A pending access; 0 for none. */
export interface Pending {
  readonly kind: Access | 0;
  readonly at: Ptr;
}

export class Target {
  readonly #sides: readonly [TargetSide, TargetSide];
  /** For each side, the frames that it was seen in. */
  readonly #frames: readonly [ReadonlySet<number>, ReadonlySet<number>];
  readonly #entryWords: number;

  /** `entryWords`: words of an entry, which are one. */
  constructor(sides: readonly [TargetSide, TargetSide], entryWords: number) {
    this.#sides = sides;
    this.#frames = [framesOf(sides[0]), framesOf(sides[1])];
    this.#entryWords = entryWords;
  }

  /** Whether an access may be one side, of a word where the other was seen too. */
  isSide({ kind, at }: Pending): boolean {
    return this.#is(0, kind, at) || this.#is(1, kind, at);
  }

  /** Whether two accesses may be the two sides, of the same word. */
  isPair(a: Pending, b: Pending): boolean {
    const isBoth =
      (this.#is(0, a.kind, a.at) && this.#is(1, b.kind, b.at)) ||
      (this.#is(1, a.kind, a.at) && this.#is(0, b.kind, b.at));
    if (!isBoth) return false;
    if (isOfMany(a.kind) || isOfMany(b.kind)) return frameOf(a.at) === frameOf(b.at);
    return this.#entry(a.at) === this.#entry(b.at);
  }

  #is(side: 0 | 1, kind: Access | 0, at: Ptr): boolean {
    const [mine, other] = [this.#sides[side], this.#sides[1 - side]!];
    if (kind !== mine.access || !mine.words.has(at)) return false;
    if (isOfMany(kind) || isOfMany(other.access)) return this.#frames[1 - side]!.has(frameOf(at));
    const entry = this.#entry(at);
    for (let i = 0; i < this.#entryWords; i++) if (other.words.has((entry + i) as Ptr)) return true;
    return false;
  }

  #entry(at: Ptr): number {
    return at - (at % this.#entryWords);
  }
}

const framesOf = ({ words }: TargetSide): ReadonlySet<number> =>
  new Set(Array.from(words, (at) => frameOf(at)));

const isOfMany = (kind: Access | 0): boolean => kind === Access.Fill || kind === Access.Scan;
