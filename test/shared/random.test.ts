import fc from 'fast-check';
import { expect, test } from 'vitest';
import { prandomU32, seedRandom } from '../../shared/random.ts';
import { makeMemory, Words } from '../../shared/words.ts';
import { toPtr } from '../../src/hardware/address.ts';

const STATE = toPtr(64);

function stream(seed: number, number: number, length = 50): number[] {
  const words = new Words(makeMemory(128), toPtr(2));
  seedRandom(words, STATE, seed, number);
  return Array.from({ length }, () => prandomU32(words, STATE));
}

/** `prandom_u32_state` of the kernel, in arithmetic that cannot overflow. */
function tausworthe(state: bigint[]): bigint {
  const step = (s: bigint, a: bigint, b: bigint, c: bigint, d: bigint): bigint =>
    BigInt.asUintN(32, (s & c) << d) ^ (BigInt.asUintN(32, (s << a) ^ s) >> b);
  state[0] = step(state[0]!, 13n, 19n, 4294967294n, 12n);
  state[1] = step(state[1]!, 2n, 25n, 4294967288n, 4n);
  state[2] = step(state[2]!, 3n, 11n, 4294967280n, 17n);
  return state[0]! ^ state[1]! ^ state[2]!;
}

test('numbers are those of the kernel’s generator', () => {
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), (seed) => {
      const words = new Words(makeMemory(128), toPtr(2));
      seedRandom(words, STATE, seed, 0);
      const state = [0, 1, 2].map((i) => BigInt(words.load(toPtr(STATE + i))));
      for (let i = 0; i < 20; i++) {
        expect(prandomU32(words, STATE)).toBe(Number(tausworthe(state)));
      }
    }),
  );
});

test('the same seed and stream give the same numbers', () => {
  expect(stream(7, 3)).toEqual(stream(7, 3));
});

test('other seeds and other streams give others', () => {
  const first = new Set<number>();
  for (let seed = 0; seed < 20; seed++) {
    for (let number = 0; number < 20; number++) first.add(stream(seed, number, 1)[0]!);
  }
  expect(first.size).toBe(400);
});

test('numbers choose among four evenly', () => {
  const counts = [0, 0, 0, 0];
  for (const n of stream(1, 0, 40_000)) counts[n % 4]!++;
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
});
