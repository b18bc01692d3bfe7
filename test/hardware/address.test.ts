import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  frameOf,
  frameStart,
  gpfnOf,
  hex,
  pageOffset,
  pageStart,
  toGpa,
  toGva,
  toPfn,
  wordInFrame,
} from '../../src/hardware/address.ts';

const address = fc.nat(0xffff_ffff);

test('an address is its page and its offset', () => {
  fc.assert(
    fc.property(address, (n) => {
      expect(gpfnOf(toGpa(n)) * 4096 + pageOffset(n)).toBe(n);
      expect(pageStart(toGva(n)) + pageOffset(n)).toBe(n);
    }),
  );
});

test('addresses wrap at 4 GiB, as on the processor', () => {
  expect([toGva(-1), toGva(2 ** 32 + 5), toGpa(-4096)]).toEqual([0xffff_ffff, 5, 0xffff_f000]);
});

test('a word of a frame lies in that frame', () => {
  fc.assert(
    fc.property(fc.nat(0xf_ffff), address, (frame, offset) => {
      const word = wordInFrame(toPfn(frame), offset);
      expect(frameOf(word)).toBe(frame);
      expect((word - frameStart(toPfn(frame))) * 4).toBe(pageOffset(offset) & ~3);
    }),
  );
});

test('hexadecimal is the kernel’s: no 0x before zero', () => {
  expect([0, 1, 0xffff_ffff].map(hex)).toEqual(['0', '0x1', '0xffffffff']);
});
