import { describe, expect, test } from 'vitest';
import { TLB_ENTRIES } from '../../shared/host-cpu.ts';
import { errorCodeOf, isFault, Right } from '../../src/hardware/access.ts';
import { type Gva, type Pfn, pageOffset, toGva, wordInFrame } from '../../src/hardware/address.ts';
import { entryOf, Tables } from './tables.ts';

const VA = toGva(0x0040_3000);

describe.each([
  { name: 'without PAE', mode: { pae: false, nxe: false } },
  { name: 'with PAE', mode: { pae: true, nxe: true } },
])('the TLB $name', ({ mode }) => {
  /** A machine with VA mapped to a frame, its tables just loaded. */
  function mapped(pteFlags = 0x67): { t: Tables; frame: Pfn } {
    const t = new Tables(mode);
    const frame = t.newFrame();
    t.map(VA, frame, { low: 0x67 }, { low: pteFlags });
    t.loadCr3();
    return { t, frame };
  }

  const translate = (t: Tables, va: Gva, right: Right) => {
    const walksBefore = t.mmu.cpu.walks;
    const found = t.mmu.translate(va, right);
    return { found, walked: t.mmu.cpu.walks - walksBefore };
  };

  test('a walked page is translated again without a walk', () => {
    const { t, frame } = mapped();
    expect(translate(t, VA, Right.UserWrite).walked).toBe(1);
    const again = translate(t, toGva(VA + 0x123 * 4), Right.UserRead);
    expect(again).toEqual({ found: wordInFrame(frame, 0x123 * 4), walked: 0 });
  });

  test('a translation outlives its entry', () => {
    const { t, frame } = mapped();
    t.mmu.translate(VA, Right.UserRead);
    t.set(t.pteAt(VA), entryOf(frame, { low: 0 }));
    expect(t.mmu.translate(VA, Right.UserWrite)).toBe(wordInFrame(frame, 0));
  });

  test.each([
    ['INVLPG of the page', (t: Tables) => t.mmu.invlpg(VA)],
    ['a load of CR3', (t: Tables) => t.loadCr3()],
    ['a flush', (t: Tables) => t.mmu.flush()],
  ])('%s ends it', (_name, flush) => {
    const { t, frame } = mapped();
    t.mmu.translate(VA, Right.UserRead);
    t.set(t.pteAt(VA), entryOf(frame, { low: 0 }));
    flush(t);
    expect(errorCodeOf(t.mmu.translate(VA, Right.UserRead))).toBe(4);
  });

  test('a page fault on the page ends it', () => {
    const { t, frame } = mapped(0x65);
    t.mmu.translate(VA, Right.UserRead);
    expect(errorCodeOf(t.mmu.translate(VA, Right.UserWrite))).toBe(7);
    t.set(t.pteAt(VA), entryOf(frame, { low: 0 }));
    expect(isFault(t.mmu.translate(VA, Right.UserRead))).toBe(true);
  });

  test('INVLPG of another page keeps it', () => {
    const { t, frame } = mapped();
    t.mmu.translate(VA, Right.UserRead);
    t.set(t.pteAt(VA), entryOf(frame, { low: 0 }));
    t.mmu.invlpg(toGva(VA + 0x1000));
    t.mmu.invlpg(toGva(VA + TLB_ENTRIES * 0x1000));
    expect(t.mmu.translate(VA, Right.UserRead)).toBe(wordInFrame(frame, 0));
  });

  test('added rights are found by a new walk, without a fault', () => {
    const { t, frame } = mapped(0x65);
    t.mmu.translate(VA, Right.UserRead);
    t.set(t.pteAt(VA), entryOf(frame, { low: 0x67 }));
    expect(t.mmu.translate(VA, Right.UserWrite)).toBe(wordInFrame(frame, 0));
  });

  test('a write through an entry cached clean first sets DIRTY in memory', () => {
    const { t } = mapped(0x07);
    t.mmu.translate(VA, Right.UserRead);
    expect(t.get(t.pteAt(VA)).low & 0x60).toBe(0x20);
    expect(translate(t, VA, Right.UserWrite).walked).toBe(1);
    expect(t.get(t.pteAt(VA)).low & 0x60).toBe(0x60);
    expect(translate(t, VA, Right.UserWrite).walked).toBe(0);
  });

  test('a write through an entry cached clean uses the changed table', () => {
    const { t, frame } = mapped(0x07);
    t.mmu.translate(VA, Right.UserRead);
    t.set(t.pteAt(VA), entryOf(frame, { low: 0 }));
    expect(errorCodeOf(t.mmu.translate(VA, Right.UserWrite))).toBe(6);
  });

  test('no cached translation returns when generations wrap around', () => {
    const { t, frame } = mapped();
    const generation = t.mmu.cpu.generation;
    t.mmu.translate(VA, Right.UserRead);
    t.set(t.pteAt(VA), entryOf(frame, { low: 0 }));
    let flushes = 0;
    do {
      t.mmu.flush();
      flushes++;
    } while (t.mmu.cpu.generation !== generation);
    expect(flushes).toBe(0xfff);
    expect(isFault(t.mmu.translate(VA, Right.UserRead))).toBe(true);
  });

  test('generation 0 is never in use, so that an empty slot matches no page', () => {
    const { t } = mapped();
    for (let i = 0; i < 0x2000; i++) {
      t.mmu.flush();
      expect(t.mmu.cpu.generation).toBeGreaterThan(0);
      expect(t.mmu.cpu.generation).toBeLessThan(0x1000);
    }
  });

  test('two pages of one slot evict each other and are never confused', () => {
    const { t, frame } = mapped();
    // Far enough away for a directory entry of its own.
    const other = toGva(VA + 8 * TLB_ENTRIES * 0x1000);
    const otherFrame = t.newFrame();
    // A last-level table of its own, since with PAE both have the same index.
    const table = t.newFrame();
    t.set(t.pdeAt(other), entryOf(table, { low: 0x67 }));
    t.set(wordInFrame(table, pageOffset(t.pteAt(other) * 4)), entryOf(otherFrame, { low: 0x67 }));
    for (let round = 0; round < 3; round++) {
      const first = translate(t, VA, Right.UserRead);
      expect(first).toEqual({ found: wordInFrame(frame, 0), walked: 1 });
      const second = translate(t, other, Right.UserRead);
      expect(second).toEqual({ found: wordInFrame(otherFrame, 0), walked: 1 });
    }
  });
});
