/** Which words several actors access, one of which changes them. */

import { assert } from '../../errors.ts';
import { NULL, type Ptr, toPtr } from '../../hardware/address.ts';
import { pageOf, type Recorder } from '../engine/recording-trace.ts';
import { PAGE_BITS } from '../engine/trace.ts';

/** Triples: a place (see pageOf), and bits of those that access it, and that change it. */
export type Accessed = readonly number[];

/** Bits of all actors. */
const ALL = -1;

/** Whether so many of them access it that their order may matter. */
const isShared = (accessed: number, changed: number): boolean =>
  changed !== 0 && (accessed & (accessed - 1)) !== 0;

/** Noted at each access. */
export class SharedWords implements Recorder {
  /** Whose accesses are told. */
  actor = 0;
  /** The word of its step. Whatever else belongs to the step makes this one shared, too. */
  step = NULL as Ptr;
  /** Whether there may be more of them than were given. */
  hasGrown = false;
  /** Where more is known than at first. */
  readonly #places = new Set<number>();
  /** Of each word, and of each page accessed as a whole: a bit for each actor that has. */
  readonly #accessed: Int32Array;
  readonly #changed: Int32Array;
  readonly #pagesAccessed: Int32Array;
  readonly #pagesChanged: Int32Array;

  /** Of a memory of so many words, in which that is known. */
  constructor(words: number, known: Accessed) {
    const pages = (words >>> PAGE_BITS) + 1;
    this.#accessed = new Int32Array(words);
    this.#changed = new Int32Array(words);
    this.#pagesAccessed = new Int32Array(pages);
    this.#pagesChanged = new Int32Array(pages);
    for (let i = 0; i < known.length; i += 3) {
      this.#note(known[i]!, known[i + 1]!, known[i + 2]!);
    }
    this.hasGrown = false;
    this.#places.clear();
  }

  has(at: Ptr): boolean {
    const page = at >>> PAGE_BITS;
    const accessed = this.#accessed[at]! | this.#pagesAccessed[page]!;
    return isShared(accessed, this.#changed[at]! | this.#pagesChanged[page]!);
  }

  buffer(): void {
    assert(false, 'stores are in memory at once');
  }

  read(place: number): void {
    this.#note(place, 1 << this.actor, 0);
    this.#noteStep(place);
  }

  change(place: number): void {
    const mine = 1 << this.actor;
    this.#note(place, mine, mine);
    this.#noteStep(place);
  }

  #noteStep(place: number): void {
    const isOther = place !== this.step && this.step !== NULL;
    if (isOther && place >= 0 && this.has(toPtr(place))) this.#note(this.step, ALL, ALL);
  }

  /** All that was not known at first. */
  get news(): Accessed {
    return [...this.#places].flatMap((place) =>
      place < 0
        ? [place, this.#pagesAccessed[~place]!, this.#pagesChanged[~place]!]
        : [place, this.#accessed[place]!, this.#changed[place]!],
    );
  }

  #note(place: number, accesses: number, changes: number): void {
    const isPage = place < 0;
    const at = isPage ? ~place : place;
    const accessed = isPage ? this.#pagesAccessed : this.#accessed;
    const changed = isPage ? this.#pagesChanged : this.#changed;
    const isKnown = (accessed[at]! & accesses) === accesses && (changed[at]! & changes) === changes;
    if (isKnown) return;
    this.#places.add(place);
    const was = isPage || this.has(toPtr(place));
    accessed[at]! |= accesses;
    changed[at]! |= changes;
    if (isPage || was !== this.has(toPtr(place))) this.hasGrown = true;
  }
}

/** The same, merged over several searches. */
export class AllShared {
  readonly #accessed = new Map<number, { accessed: number; changed: number }>();

  /** Whether there may be more of them now. */
  add(words: Accessed): boolean {
    let hasGrown = false;
    for (let i = 0; i < words.length; i += 3) {
      const place = words[i]!;
      const before = this.#of(place);
      const accessed = before.accessed | words[i + 1]!;
      const changed = before.changed | words[i + 2]!;
      if (accessed === before.accessed && changed === before.changed) continue;
      const was = place < 0 || this.#has(place);
      this.#accessed.set(place, { accessed, changed });
      if (place < 0 || was !== this.#has(place)) hasGrown = true;
    }
    return hasGrown;
  }

  get all(): Accessed {
    return [...this.#accessed].flatMap(([place, { accessed, changed }]) => [
      ...[place, accessed, changed],
    ]);
  }

  #has(word: number): boolean {
    const [own, page] = [this.#of(word), this.#of(pageOf(word))];
    return isShared(own.accessed | page.accessed, own.changed | page.changed);
  }

  #of(place: number): { readonly accessed: number; readonly changed: number } {
    return this.#accessed.get(place) ?? NEVER;
  }
}

const NEVER = { accessed: 0, changed: 0 };
