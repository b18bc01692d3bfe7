import { setImmediate as nextTurnOfTheLoop } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { REGISTERS_WORDS } from '../../shared/host-cpu.ts';
import { makeMemory, Words } from '../../shared/words.ts';
import { toPtr } from '../../src/hardware/address.ts';
import { Entry } from '../../src/hardware/entry.ts';
import { startThread } from './machine.ts';

const WORDS = 8;
const SCRATCH = toPtr(32);

/** The same operations by JavaScript's own atomics. */
class Oracle {
  readonly i32 = new Int32Array(new SharedArrayBuffer(WORDS * 4));
  readonly i64 = new BigInt64Array(this.i32.buffer);

  entry(value: bigint): Entry {
    return new Entry(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
  }
  value({ low, high }: Entry): bigint {
    return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low >>> 0));
  }
}

interface Step {
  readonly name: string;
  readonly ours: (words: Words) => unknown;
  readonly oracle: (oracle: Oracle) => unknown;
}

/** Few values, so that a compare-and-exchange often finds the expected one. */
const word = fc.oneof(fc.constantFrom(0, 1, 0x8000_0000, 0xffff_ffff), fc.nat(0xffff_ffff));
const entry = fc.tuple(word, word).map(([low, high]) => new Entry(low, high));
const at32 = fc.nat(WORDS - 1);
const at64 = fc.nat(WORDS / 2 - 1);

const step: fc.Arbitrary<Step> = fc.oneof(
  at32.map((at) => ({
    name: 'load',
    ours: (w: Words) => w.load(toPtr(at)),
    oracle: (o: Oracle) => Atomics.load(o.i32, at) >>> 0,
  })),
  fc.tuple(at32, word).map(([at, value]) => ({
    name: 'store',
    ours: (w: Words) => w.store(toPtr(at), value),
    oracle: (o: Oracle) => void Atomics.store(o.i32, at, value),
  })),
  fc
    .tuple(at32, word, fc.constantFrom('exchange', 'add', 'and', 'or'))
    .map(([at, value, name]) => ({
      name,
      ours: (w: Words) => w[name as 'add'](toPtr(at), value),
      oracle: (o: Oracle) => Atomics[name as 'add'](o.i32, at, value) >>> 0,
    })),
  fc.tuple(at32, word, word).map(([at, expected, value]) => ({
    name: 'compareExchange',
    ours: (w: Words) => w.compareExchange(toPtr(at), expected, value),
    oracle: (o: Oracle) => Atomics.compareExchange(o.i32, at, expected | 0, value) >>> 0,
  })),
  at64.map((at) => ({
    name: 'load64',
    ours: (w: Words) => w.load64(toPtr(at * 2)),
    oracle: (o: Oracle) => o.entry(Atomics.load(o.i64, at)),
  })),
  at64.map((at) => ({
    name: 'read64',
    ours: (w: Words) => w.read64(toPtr(at * 2)),
    oracle: (o: Oracle) => o.entry(Atomics.load(o.i64, at)),
  })),
  fc.tuple(at64, entry).map(([at, value]) => ({
    name: 'store64',
    ours: (w: Words) => w.store64(toPtr(at * 2), value),
    oracle: (o: Oracle) => void Atomics.store(o.i64, at, o.value(value)),
  })),
  fc.tuple(at64, entry).map(([at, value]) => ({
    name: 'exchange64',
    ours: (w: Words) => w.exchange64(toPtr(at * 2), value),
    oracle: (o: Oracle) => o.entry(Atomics.exchange(o.i64, at, o.value(value))),
  })),
  fc.tuple(at64, entry, entry).map(([at, expected, value]) => ({
    name: 'compareExchange64',
    ours: (w: Words) => w.compareExchange64(toPtr(at * 2), expected, value),
    oracle: (o: Oracle) => {
      const [e, v] = [o.value(expected), o.value(value)];
      return Atomics.compareExchange(o.i64, at, e, v) === e;
    },
  })),
);

test('every atomic operation does what JavaScript’s own does', () => {
  const words = new Words(makeMemory(64), SCRATCH);
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
      const oracle = new Oracle();
      words.fill(toPtr(0), WORDS, 0);
      for (const { name, ours, oracle: theirs } of steps) {
        seen.add(name);
        expect(ours(words)).toEqual(theirs(oracle));
        expect([...words.plain.subarray(0, WORDS)]).toEqual([...new Uint32Array(oracle.i32)]);
      }
    }),
    { numRuns: 300 },
  );
  expect(seen.size).toBe(12);
});

test('a 64-bit compare-and-exchange needs both halves to agree', () => {
  const words = new Words(makeMemory(64), SCRATCH);
  const [was, next] = [new Entry(1, 2), new Entry(3, 4)];
  words.store64(toPtr(0), was);
  expect(words.compareExchange64(toPtr(0), new Entry(1, 0), next)).toBe(false);
  expect(words.compareExchange64(toPtr(0), new Entry(0, 2), next)).toBe(false);
  expect(words.load64(toPtr(0))).toEqual(was);
  expect(words.compareExchange64(toPtr(0), was, next)).toBe(true);
  expect(words.load64(toPtr(0))).toEqual(next);
});

describe('plain access', () => {
  test('reads all 64 bits, also of signalling NaNs', () => {
    const words = new Words(makeMemory(64), SCRATCH);
    const highs = [0x7ff0_0000, 0x7ff0_0001, 0x7ff7_ffff, 0x7ff8_0000, 0x7fff_ffff];
    const all = highs.flatMap((high) => [high, high | 0x8000_0000]);
    const wrong: [Entry, Entry][] = [];
    // Often enough to be compiled, which may differ from the interpreter.
    for (let i = 0; i < 20_000; i++) {
      const value = new Entry(i & 1 ? i : 0, all[i % all.length]!);
      words.store64(toPtr(2), value);
      const read = words.read64(toPtr(2));
      if (read.low !== value.low || read.high !== value.high) wrong.push([read, value]);
    }
    expect(wrong).toEqual([]);
  });

  test('moves words one by one', () => {
    const words = new Words(makeMemory(64), SCRATCH);
    words.fill(toPtr(4), 3, 7);
    words.move(toPtr(9), toPtr(5), 3);
    expect([...words.plain.subarray(8, 13)]).toEqual([0, 7, 7, 0, 0]);
  });

  test('is unsigned, as atomic access is', () => {
    const words = new Words(makeMemory(64), SCRATCH);
    words.poke(toPtr(3), -1);
    expect([words.peek(toPtr(3)), words.load(toPtr(3))]).toEqual([0xffff_ffff, 0xffff_ffff]);
  });

  test('copies and fills whole stretches', () => {
    const words = new Words(makeMemory(64), SCRATCH);
    words.fill(toPtr(4), 3, 7);
    words.copy(toPtr(8), toPtr(5), 4);
    expect([...words.plain.subarray(3, 13)]).toEqual([0, 7, 7, 7, 0, 7, 7, 0, 0, 0]);
  });

  test.each([
    [40, 11],
    [11, 40],
  ])('copies as many words as there are registers, from %i to %i', (from, to) => {
    const words = new Words(makeMemory(64), SCRATCH);
    for (let i = 0; i < REGISTERS_WORDS + 2; i++) words.poke(toPtr(from - 1 + i), i + 1);
    words.copyRegisters(toPtr(to), toPtr(from));
    const copied = Array.from({ length: REGISTERS_WORDS }, (_, i) => i + 2);
    expect([...words.plain.subarray(to - 1, to + REGISTERS_WORDS + 1)]).toEqual([0, ...copied, 0]);
  });
});

test.each(['load64', 'read64'] as const)(
  '%s: a value stored by another thread is never seen half',
  async (load) => {
    const memory = makeMemory(256);
    const [target, stop] = [toPtr(64), toPtr(128)];
    const words = new Words(memory, SCRATCH);
    const data = { memory, target, stop, scratch: 96 };
    const { result } = await startThread<number>('store64-worker.ts', data);
    let changes = 0;
    let last = 0;
    for (let loads = 0; loads < 2_000_000 || changes < 100; loads++) {
      const { low, high } = words[load](target);
      if (low !== high) throw new Error(`torn: ${low} ${high}`);
      if (low !== last) changes++;
      last = low;
    }
    words.store(stop, 1);
    expect(await result).toBeGreaterThanOrEqual(last);
  },
);

test('a sleeper is woken though the word has not changed', async () => {
  const memory = makeMemory(256);
  const words = new Words(memory, SCRATCH);
  const { result } = await startThread<number>('sleeper-worker.ts', { memory, at: 0, scratch: 96 });
  let awake = false;
  void result.then(() => {
    awake = true;
  });
  // It may not sleep yet.
  while (!awake) {
    words.notify(toPtr(0));
    await nextTurnOfTheLoop();
  }
  expect(await result).toBe(0);
});

test('a wait ends at once if the word differs, or at its timeout', () => {
  const words = new Words(makeMemory(64), SCRATCH);
  using wait = vi.spyOn(Atomics, 'wait');
  words.wait(toPtr(0), 1, 60_000);
  words.wait(toPtr(0), 0, 1);
  expect(wait.mock.results.map(({ value }) => value)).toEqual(['not-equal', 'timed-out']);
});
