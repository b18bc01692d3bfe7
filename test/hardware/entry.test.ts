import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toGva } from '../../src/hardware/address.ts';
import {
  Entry,
  flagsOf,
  isPresent,
  makeEntry,
  NONPAE,
  PAE,
  PAGE_TABLE,
  pgdIndex,
  pmdIndex,
  pteIndex,
  ptePfn,
  tablePfn,
  withFlags,
  withoutFlags,
} from '../../src/hardware/entry.ts';

const half = fc.nat(0xffff_ffff);
const value = ({ low, high }: Entry): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);

describe('an entry', () => {
  test('has its page number in bits 12 to 43, a table’s in all from 12 on', () => {
    fc.assert(
      fc.property(half, half, (low, high) => {
        const entry = new Entry(low, high);
        expect(BigInt(ptePfn(entry))).toBe((value(entry) >> 12n) & 0xffff_ffffn);
        expect(BigInt(tablePfn(entry))).toBe(value(entry) >> 12n);
        expect(flagsOf(entry)).toBe(Number(value(entry) & 0xfffn));
        expect(isPresent(entry)).toBe(low % 2 === 1);
      }),
    );
  });

  test('is made of a page number and flags', () => {
    fc.assert(
      fc.property(half, fc.nat(0xfff), (pfn, flags) => {
        const entry = makeEntry(pfn, flags);
        expect(value(entry)).toBe((BigInt(pfn) << 12n) | BigInt(flags));
        expect([ptePfn(entry), flagsOf(entry)]).toEqual([pfn, flags]);
      }),
    );
  });

  test('gains and loses flags and keeps all else, NX too', () => {
    fc.assert(
      fc.property(half, half, fc.nat(0xfff), (low, high, flags) => {
        const entry = new Entry(low, high);
        expect(value(withFlags(entry, flags))).toBe(value(entry) | BigInt(flags));
        expect(value(withoutFlags(entry, flags))).toBe(value(entry) & ~BigInt(flags));
      }),
    );
  });

  test('that leads to a table carries the kernel’s _PAGE_TABLE', () => {
    expect(PAGE_TABLE).toBe(0x67);
    expect([NONPAE.checkGpgdMask, PAE.checkGpgdMask]).toEqual([0x67, 1]);
  });
});

test.each([
  { form: NONPAE, widths: [10, 0, 10] },
  { form: PAE, widths: [2, 9, 9] },
])('an address is an index at each level and an offset, $form.name', ({ form, widths }) => {
  expect([form.ptrsPerPgd, form.ptrsPerPmd, form.ptrsPerPte]).toEqual(widths.map((w) => 2 ** w));
  fc.assert(
    fc.property(half, (n) => {
      const va = toGva(n);
      const indices = [pgdIndex(form, va), pmdIndex(form, va), pteIndex(form, va), va & 0xfff];
      const whole = [...widths, 12].reduce((sum, w, i) => sum * 2 ** w + indices[i]!, 0);
      expect(whole).toBe(n);
    }),
  );
});
