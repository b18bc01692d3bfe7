import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AddressFold } from '../../src/import/fold.ts';

const MIB = 1 << 20;

function fold(): AddressFold {
  return new AddressFold(() => new Error('full'));
}

/** Guest address of an original one. */
function at(f: AddressFold, address: number): number {
  const low = address >>> 0;
  const base = f.base(Math.floor(address / 2 ** 32), low);
  return (base | (low & (4 * MIB - 1))) >>> 0;
}

test('addresses below the kernel stay', () => {
  const f = fold();
  for (const address of [0x108000, 0x4000000, 0xbefff820, 0xbfffffff]) {
    expect(at(f, address)).toBe(address);
  }
  expect(f.folds()).toEqual([]);
});

test('a stack above the kernel moves below it in one piece, whichever end is used first', () => {
  for (const touches of [
    [0x1fff000390, 0x1ffefff820],
    [0x1ffefff820, 0x1fff000390],
  ]) {
    const f = fold();
    for (const address of touches) at(f, address);
    expect(at(f, 0x1fff000000) - at(f, 0x1ffeffffff)).toBe(1);
    expect(f.folds()).toEqual([{ from: '1ffec00000', to: at(f, 0x1ffec00000), length: 8 * MIB }]);
  }
});

test('a long range has one place', () => {
  const f = fold();
  const [range, ...others] = f.ranges(0x7f0000123000, 0x7f0004567000);
  expect(others).toEqual([]);
  expect(range!.end - range!.start).toBe(0x4444000);
  expect(range!.start % (4 * MIB)).toBe(0x123000);
});

test('a range over slots that were separated is split', () => {
  const f = fold();
  at(f, 0x7f0000000000);
  const apart = at(f, 0x7f0000800000);
  expect(f.ranges(0x7f00003ff000, 0x7f0000801000).length).toBeGreaterThan(1);
  expect(at(f, 0x7f0000800000)).toBe(apart);
});

test('nothing is folded into the slot of page 0, and a full guest is an error', () => {
  const f = fold();
  const used = new Set<number>();
  expect(() => {
    for (let i = 0; i < 1000; i++) used.add(at(f, 0x7f0000000000 + i * 12 * MIB));
  }).toThrow('full');
  expect(used.size).toBe(767);
  expect(Math.min(...used)).toBe(4 * MIB);
});

test('folding is one to one and keeps the offset in the slot', () => {
  const address = fc.oneof(
    fc.integer({ min: 0, max: 0xffffffff }),
    fc.integer({ min: 0, max: 0x7fffffffffff }),
    fc.integer({ min: 0x1ffe000000, max: 0x1fff800000 }),
  );
  fc.assert(
    fc.property(fc.array(address, { maxLength: 60 }), (addresses) => {
      const f = fold();
      const places = addresses.map((a) => at(f, a));
      const back = new Map<number, number>();
      for (const [i, original] of addresses.entries()) {
        expect(at(f, original)).toBe(places[i]);
        expect(places[i]).toBeLessThan(0xc0000000);
        expect(places[i]! % (4 * MIB)).toBe(original % (4 * MIB));
        expect(back.get(places[i]!) ?? original).toBe(original);
        back.set(places[i]!, original);
      }
    }),
  );
});
