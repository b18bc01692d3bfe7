/** Steps that access one word of a world. */

import type { Access } from '../engine/access.ts';
import type { Word } from './shared.ts';
import type { Memory, Place, Step } from './step.ts';

export type Change = (found: number) => number;

/** A condition that throws lets the step be taken, which fails by it. */
export const orThrows =
  (holds: (...found: number[]) => boolean) =>
  (found: readonly number[]): boolean => {
    try {
      return holds(...found);
    } catch {
      return true;
    }
  };

/** An access of one word: its new value. The result is the old value. */
export class WordStep implements Step {
  readonly kind: Access;
  readonly place: Place;
  readonly isSync: boolean;
  readonly #name: string;
  readonly #does: string;
  readonly #change: Change | undefined;
  readonly #holds: ((found: number) => boolean) | undefined;
  declare readonly guard: Step['guard'];

  constructor(
    kind: Access,
    word: Word,
    does: string,
    change?: Change,
    holds?: (found: number) => boolean,
  ) {
    this.kind = kind;
    this.place = word.place;
    this.isSync = word.isSync;
    this.#name = word.name;
    this.#does = does;
    this.#change = change;
    this.#holds = holds;
    if (holds !== undefined) this.guard = { words: [word.place], holds: orThrows(holds) };
  }

  get text(): string {
    return `${this.#name}.${this.#does}`;
  }

  perform(memory: Memory): number {
    const found = memory.read(this.place);
    this.#holds?.(found);
    if (this.#change !== undefined) memory.write(this.place, this.#change(found));
    return found;
  }
}
