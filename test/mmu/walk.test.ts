import { describe, expect, test } from 'vitest';
import { errorCodeOf, isFault, Right } from '../../src/hardware/access.ts';
import { toGva, wordInFrame } from '../../src/hardware/address.ts';
import { entryOf, type Mode, Tables } from './tables.ts';

/** The rules of the manual, written independently of the code. */
interface Bits {
  readonly present: boolean;
  readonly writable: boolean;
  readonly user: boolean;
  readonly accessed: boolean;
  readonly dirty: boolean;
  readonly nx: boolean;
}

type Access = 'read' | 'write' | 'fetch';
type Ring = 'supervisor' | 'user';

interface Expected {
  readonly fault?: number;
  readonly pteDirty: boolean;
  readonly pteAccessed: boolean;
}

function manual(pde: Bits, pte: Bits, access: Access, ring: Ring, { pae, nxe }: Mode): Expected {
  const unchanged = { pteAccessed: pte.accessed, pteDirty: pte.dirty };
  const pageFault = (because: number): Expected => {
    const wasWrite = access === 'write' ? 2 : 0;
    const wasUser = ring === 'user' ? 4 : 0;
    const wasFetch = access === 'fetch' && pae && nxe ? 16 : 0;
    return { fault: because + wasWrite + wasUser + wasFetch, ...unchanged };
  };
  for (const entry of [pde, pte]) {
    if (!entry.present) return pageFault(0);
    if (entry.nx && !nxe) return pageFault(1 + 8);
  }
  if (ring === 'user' && !(pde.user && pte.user)) return pageFault(1);
  if (access === 'write' && !(pde.writable && pte.writable)) return pageFault(1);
  if (access === 'fetch' && (pde.nx || pte.nx)) return pageFault(1);
  return { pteAccessed: true, pteDirty: pte.dirty || access === 'write' };
}

const RIGHTS: Record<`${Ring} ${Access}`, Right> = {
  'supervisor read': Right.SupervisorRead,
  'supervisor write': Right.SupervisorWrite,
  'supervisor fetch': Right.SupervisorFetch,
  'user read': Right.UserRead,
  'user write': Right.UserWrite,
  'user fetch': Right.UserFetch,
};

const bitsOf = (n: number): Bits => ({
  present: (n & 1) !== 0,
  writable: (n & 2) !== 0,
  user: (n & 4) !== 0,
  accessed: (n & 8) !== 0,
  dirty: (n & 16) !== 0,
  nx: (n & 32) !== 0,
});

const flagsOf = (bits: Bits) => ({
  low:
    (bits.present ? 0x01 : 0) |
    (bits.writable ? 0x02 : 0) |
    (bits.user ? 0x04 : 0) |
    (bits.accessed ? 0x20 : 0) |
    (bits.dirty ? 0x40 : 0),
  high: bits.nx ? 0x8000_0000 | 0 : 0,
});

/** With `withNx`, every combination of six bits; else of the first five. */
const allBits = (withNx: boolean): Bits[] =>
  Array.from({ length: withNx ? 64 : 32 }, (_, n) => bitsOf(n));

describe.each([
  { name: 'without PAE', mode: { pae: false, nxe: false }, cases: 32 * 32 * 6 },
  { name: 'with PAE and NX', mode: { pae: true, nxe: true }, cases: 64 * 64 * 6 },
  { name: 'with PAE and NX reserved', mode: { pae: true, nxe: false }, cases: 64 * 64 * 6 },
])('$name', ({ mode, cases }) => {
  test('translation, fault code, ACCESSED and DIRTY are the manual’s, for all flags', () => {
    const t = new Tables(mode);
    const va = toGva(0x4040_3abc);
    const frame = t.newFrame();
    const wrong: string[] = [];
    let looked = 0;
    for (const pde of allBits(mode.pae)) {
      for (const pte of allBits(mode.pae)) {
        for (const [what, right] of Object.entries(RIGHTS)) {
          const [ring, access] = what.split(' ') as [Ring, Access];
          t.map(va, frame, flagsOf(pde), flagsOf(pte));
          t.loadCr3();
          const found = t.mmu.translate(va, right);
          const expected = manual(pde, pte, access, ring, mode);
          const after = t.get(t.pteAt(va)).low;
          const agree =
            (isFault(found)
              ? errorCodeOf(found) === expected.fault
              : expected.fault === undefined && found === wordInFrame(frame, 0xabc)) &&
            ((after & 0x20) !== 0) === expected.pteAccessed &&
            ((after & 0x40) !== 0) === expected.pteDirty &&
            (after & ~0x60) === ((frame << 12) | (flagsOf(pte).low & ~0x60)) &&
            pdeIsRight(t.get(t.pdeAt(va)).low, t.table, pde, expected);
          if (!agree) wrong.push(JSON.stringify({ what, pde, pte, found, expected, after }));
          looked++;
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(looked).toBe(cases);
  });
});

/**
 * ACCESSED is set by a walk that succeeds, and may be by one that faults. DIRTY is ignored here.
 */
function pdeIsRight(after: number, table: number, before: Bits, expected: Expected): boolean {
  const was = (table << 12) | flagsOf(before).low;
  return after === (was | 0x20) || (expected.fault !== undefined && after === was);
}

describe('reserved bits with PAE', () => {
  const va = toGva(0x8060_5000);
  const bits = Array.from({ length: 27 }, (_, i) => 36 + i);

  test.each(bits)('bit %i in a directory or table entry is a fault with code 9', (bit) => {
    for (const where of ['pde', 'pte'] as const) {
      const t = new Tables({ pae: true, nxe: true });
      const bad = { low: 0x67, high: 1 << (bit - 32) };
      const good = { low: 0x67 };
      t.map(va, t.newFrame(), where === 'pde' ? bad : good, where === 'pte' ? bad : good);
      t.loadCr3();
      expect(errorCodeOf(t.mmu.translate(va, Right.UserRead))).toBe(1 | 4 | 8);
      expect(errorCodeOf(t.mmu.translate(va, Right.SupervisorWrite))).toBe(1 | 2 | 8);
    }
  });

  test.each([1, 2, 5, 6, 7, 8, ...bits, 63])(
    'bit %i in a present PDPTE makes loading CR3 a general-protection fault',
    (bit) => {
      const t = new Tables({ pae: true, nxe: true });
      const reserved = bit < 32 ? { low: 1 | (1 << bit) } : { low: 1, high: (1 << (bit - 32)) | 0 };
      t.set(wordInFrame(t.top, 2 * 8), entryOf(t.directory, reserved));
      expect(t.loadCr3()).toBe(false);
    },
  );

  test('a PDPTE that is not present has no reserved bits', () => {
    const t = new Tables({ pae: true, nxe: true });
    t.set(wordInFrame(t.top, 8), entryOf(t.directory, { low: 0x1e6, high: -1 }));
    expect(t.loadCr3()).toBe(true);
    expect(errorCodeOf(t.mmu.translate(toGva(0x4000_0000), Right.UserWrite))).toBe(2 | 4);
  });
});

test('a changed PDPTE takes effect when CR3 is loaded', () => {
  const t = new Tables({ pae: true, nxe: true });
  const va = toGva(0x1000);
  const frame = t.newFrame();
  t.map(va, frame, { low: 0x67 }, { low: 0x67 });
  t.loadCr3();
  t.set(wordInFrame(t.top, 0), entryOf(t.directory, { low: 0 }));
  t.mmu.invlpg(va);
  expect(t.mmu.translate(va, Right.UserRead)).toBe(wordInFrame(frame, 0));
  t.loadCr3();
  expect(errorCodeOf(t.mmu.translate(va, Right.UserRead))).toBe(4);
});

test('a walk that leads out of host memory is a machine check', () => {
  const t = new Tables({ pae: false, nxe: false });
  const va = toGva(0x1000);
  t.map(va, t.newFrame(), { low: 0x67 }, { low: 0x67 });
  t.set(t.pteAt(va), entryOf(0xf_ffff as typeof t.top, { low: 0x67 }));
  t.loadCr3();
  expect(() => t.mmu.translate(va, Right.UserRead)).toThrow('machine check');
});
