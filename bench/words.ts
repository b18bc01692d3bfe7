/**
 * Shared words: what the leaf costs against plain access to the same memory. Each side
 * is a loop of its own, so that the compiler sees one operation in it.
 */

import { makeMemory, Words } from '../shared/words.ts';
import { type Ptr, toPtr } from '../src/hardware/address.ts';
import { Entry, NO_ENTRY } from '../src/hardware/entry.ts';
import { nativeSide } from './native/yardstick.ts';
import { keep, type Line, repeated, type Side } from './pair.ts';

/** Words that are swept: 16 KiB, which stay in the first cache. */
const WORDS = 4096;
const FIRST = 64;
const END = FIRST + WORDS;

const ENTRY = new Entry(0x1234_5067, 5);

/** One sweep over all the words; the sum keeps the results in use. */
type Sweep = (words: Words) => number;

interface Operation {
  readonly name: string;
  /** Words from one to the next. */
  readonly stride: 1 | 2;
  readonly leaf: Sweep;
  readonly plain: Sweep;
  readonly plainName: string;
}

const next = (at: Ptr, words: number): Ptr => toPtr(at + words);
const first = toPtr(FIRST);

const OPERATIONS: readonly Operation[] = [
  {
    name: 'load',
    stride: 1,
    leaf: (words) => {
      let sum = 0;
      for (let at = first; at < END; at = next(at, 1)) sum = (sum + words.load(at)) | 0;
      return sum;
    },
    plain: (words) => {
      let sum = 0;
      for (let at = first; at < END; at = next(at, 1)) sum = (sum + words.peek(at)) | 0;
      return sum;
    },
    plainName: 'plain load',
  },
  {
    name: 'store',
    stride: 1,
    leaf: (words) => {
      for (let at = first; at < END; at = next(at, 1)) words.store(at, at);
      return 0;
    },
    plain: (words) => {
      for (let at = first; at < END; at = next(at, 1)) words.poke(at, at);
      return 0;
    },
    plainName: 'plain store',
  },
  {
    name: 'compare-and-exchange',
    stride: 1,
    leaf: (words) => {
      let sum = 0;
      for (let at = first; at < END; at = next(at, 1)) sum += words.compareExchange(at, 0, 0);
      return sum | 0;
    },
    plain: (words) => {
      let sum = 0;
      for (let at = first; at < END; at = next(at, 1)) {
        const value = words.peek(at);
        if (value === 0) words.poke(at, 0);
        sum = (sum + value) | 0;
      }
      return sum;
    },
    plainName: 'plain load, compare, store',
  },
  {
    name: 'load, 64 bits',
    stride: 2,
    leaf: (words) => {
      let sum = 0;
      for (let at = first; at < END; at = next(at, 2)) {
        const entry = words.load64(at);
        sum ^= entry.low ^ entry.high;
      }
      return sum;
    },
    plain: (words) => {
      let sum = 0;
      for (let at = first; at < END; at = next(at, 2)) {
        const entry = new Entry(words.peek(at), words.peek(next(at, 1)));
        sum ^= entry.low ^ entry.high;
      }
      return sum;
    },
    plainName: 'two plain loads',
  },
  {
    name: 'store, 64 bits',
    stride: 2,
    leaf: (words) => {
      for (let at = first; at < END; at = next(at, 2)) words.store64(at, ENTRY);
      return 0;
    },
    plain: (words) => {
      for (let at = first; at < END; at = next(at, 2)) {
        words.poke(at, ENTRY.low);
        words.poke(next(at, 1), ENTRY.high);
      }
      return 0;
    },
    plainName: 'two plain stores',
  },
  {
    name: 'compare-and-exchange, 64 bits',
    stride: 2,
    leaf: (words) => {
      let done = 0;
      for (let at = first; at < END; at = next(at, 2)) {
        if (words.compareExchange64(at, NO_ENTRY, NO_ENTRY)) done++;
      }
      return done;
    },
    plain: (words) => {
      let done = 0;
      for (let at = first; at < END; at = next(at, 2)) {
        if (words.peek(at) !== 0 || words.peek(next(at, 1)) !== 0) continue;
        words.poke(at, 0);
        words.poke(next(at, 1), 0);
        done++;
      }
      return done;
    },
    plainName: 'two plain loads, compare, two stores',
  },
];

function swept(name: string, sweep: Sweep, words: number): Side {
  const leaf = new Words(makeMemory(END), toPtr(16));
  return repeated(name, () => {
    keep(sweep(leaf));
    return words;
  });
}

export const wordLines: readonly Line[] = OPERATIONS.map(
  ({ name, stride, leaf, plain, plainName }) => ({
    name: `shared word, ${name}`,
    unit: 'ns',
    measured: () => swept('the leaf', leaf, WORDS / stride),
    baseline: () => swept(plainName, plain, WORDS / stride),
    native: () => nativeSide(name, {}),
  }),
);
