import { describe, expect, test } from 'vitest';
import {
  getUser,
  lgreadText,
  lgreadWord,
  lguestAddressOk,
  lgwriteWord,
  putUser,
} from '../../shared/guest-memory.ts';
import { Vma } from '../../shared/launcher-map.ts';
import { toGpa, toGpfn, wordInFrame } from '../../src/hardware/address.ts';
import { smallMachine } from './machine.ts';

const PAGES = 4;

function guest() {
  const { host } = smallMachine({ pages: PAGES });
  const lg = host.guests[0]!;
  return { host, lg, cpu: lg.cpus[0]! };
}

test('reads return written values', () => {
  const { cpu, lg } = guest();
  lgwriteWord(cpu, toGpa(0x1234), 0xdead_beef);
  expect(lgreadWord(cpu, toGpa(0x1234))).toBe(0xdead_beef);
  expect(getUser(lg, toGpa(0x1234))).toBe(0xdead_beef);
});

test('addresses are valid up to the last byte but one, and do not wrap around', () => {
  const { lg } = guest();
  const end = PAGES * 4096;
  for (const [gpa, bytes, ok] of [
    [0, 4, true],
    [end - 8, 4, true],
    [end - 4, 4, false],
    [end - 5, 4, true],
    [end, 4, false],
    [0xffff_fffc, 4, false],
    [0xffff_fffe, 8, false],
  ] as const) {
    expect([gpa, lguestAddressOk(lg, toGpa(gpa), bytes)]).toEqual([gpa, ok]);
  }
});

describe('an address outside the guest', () => {
  test('a read yields zero and kills', () => {
    const { cpu, lg } = guest();
    expect(lgreadWord(cpu, toGpa(0x4000))).toBe(0);
    expect(lg.reason).toBe('bad read address 0x4000 len 4');
  });

  test('a write changes nothing and kills', () => {
    const { cpu, lg } = guest();
    lgwriteWord(cpu, toGpa(0xffff_f000), 1);
    expect(lg.reason).toBe('bad write address 0xfffff000 len 4');
  });

  test('a page that the Launcher protects is readable and not writable', () => {
    const { cpu, lg } = guest();
    lg.map.set(toGpfn(1), Vma.ReadOnly);
    expect(lgreadWord(cpu, toGpa(0x1000))).toBe(0);
    expect(lg.reason).toBe('');
    expect(putUser(lg, toGpa(0x1000), 1)).toBe(false);
    expect(lg.reason).toBe('');
    lgwriteWord(cpu, toGpa(0x1000), 1);
    expect(lg.reason).toBe('bad write address 0x1000 len 4');
  });

  test('an unmapped page is neither', () => {
    const { cpu, lg } = guest();
    lg.map.set(toGpfn(1), Vma.None);
    expect([getUser(lg, toGpa(0x1000)), putUser(lg, toGpa(0x1000), 1)]).toEqual([undefined, false]);
    expect(lgreadWord(cpu, toGpa(0x1000))).toBe(0);
    expect(lg.reason).toBe('bad read address 0x1000 len 4');
  });
});

test('a write breaks copy-on-write', () => {
  const { host, cpu, lg } = guest();
  lg.map.set(toGpfn(1), Vma.CopyOnWrite);
  lgwriteWord(cpu, toGpa(0x1004), 5);
  expect(lg.map.frame(toGpfn(1))).not.toBe(host.zeroPage);
  expect(host.words.load(wordInFrame(host.zeroPage, 4))).toBe(0);
  expect(lgreadWord(cpu, toGpa(0x1004))).toBe(5);
});

test('a text ends at its zero byte, or at the limit', () => {
  const { cpu } = guest();
  for (const [i, byte] of Buffer.from('Power off\0and on').entries()) {
    const at = toGpa((0x1002 + i) & ~3);
    lgwriteWord(cpu, at, lgreadWord(cpu, at) | (byte << (((0x1002 + i) & 3) * 8)));
  }
  expect(lgreadText(cpu, toGpa(0x1002), 100)).toBe('Power off');
  expect(lgreadText(cpu, toGpa(0x1002), 5)).toBe('Power');
});
