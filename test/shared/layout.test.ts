import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type GuestConfig,
  layOut,
  type MachineConfig,
  totalSwitcherPages,
} from '../../shared/layout.ts';
import { ALL_DEFECTS } from '../../src/defects.ts';
import { UserError } from '../../src/errors.ts';
import { PAGE_WORDS, toGva } from '../../src/hardware/address.ts';

const guest: GuestConfig = {
  paging: 'nonpae',
  nx: false,
  pages: 64,
  vcpus: 2,
  pgdirs: 4,
  defects: ALL_DEFECTS,
  policy: {},
};
const machine: MachineConfig = {
  hostCpus: 2,
  switcherAddr: toGva(0xffc0_0000),
  frames: 256,
  seed: 0,
  guests: [guest],
};

const anyMachine = fc.record({
  hostCpus: fc.integer({ min: 1, max: 64 }),
  switcherAddr: fc.constant(toGva(0xff9f_0000)),
  frames: fc.integer({ min: 200, max: 100_000 }),
  seed: fc.constant(0),
  blocks: fc.constantFrom(0, 1, 700, 100_000),
  guests: fc.array(
    fc.record({
      paging: fc.constantFrom('nonpae' as const, 'pae' as const),
      nx: fc.boolean(),
      pages: fc.integer({ min: 1, max: 5000 }),
      vcpus: fc.integer({ min: 1, max: 9 }),
      pgdirs: fc.integer({ min: 1, max: 16 }),
      defects: fc.constant(ALL_DEFECTS),
      policy: fc.constant({}),
    }),
    { minLength: 1, maxLength: 5 },
  ),
});

describe('for every machine', () => {
  test('no two regions share a word, and none overlaps the frames', () => {
    fc.assert(
      fc.property(anyMachine, (config) => {
        const { regions, firstFrame, totalFrames, words } = layOut(config);
        const frames = { at: firstFrame * PAGE_WORDS, end: totalFrames * PAGE_WORDS };
        const spans = Object.values(regions)
          .map(({ at, count, stride }) => ({ at: at as number, end: at + count * stride }))
          .concat(frames)
          .filter(({ at, end }) => end > at)
          .sort((a, b) => a.at - b.at);
        for (const [i, { at }] of spans.entries()) {
          expect(at).toBeGreaterThanOrEqual(i === 0 ? 1 : spans[i - 1]!.end);
        }
        expect(totalFrames - firstFrame).toBe(config.frames);
        expect(spans.indexOf(frames)).toBeGreaterThan(0);
        expect(words).toBeGreaterThanOrEqual(spans.at(-1)!.end);
      }),
    );
  });

  test('words written by one CPU alone are on 64-byte lines of its own', () => {
    fc.assert(
      fc.property(anyMachine, (config) => {
        const { hostCpus, frameCaches, vcpus, pgdirs, guests, counters } = layOut(config).regions;
        for (const { at, stride } of [hostCpus, frameCaches, vcpus, pgdirs, guests, counters]) {
          expect([at % 16, stride % 16]).toEqual([0, 0]);
        }
      }),
    );
  });

  test('the frame table has an entry for every frame, its own included', () => {
    fc.assert(
      fc.property(anyMachine, (config) => {
        const { regions, totalFrames } = layOut(config);
        expect(regions.frameTable.count).toBe(totalFrames);
      }),
    );
  });

  test('zero page and Switcher pages come first, in a row', () => {
    fc.assert(
      fc.property(anyMachine, (config) => {
        const layout = layOut(config);
        expect(layout.zeroFrame).toBe(layout.firstFrame);
        expect(layout.firstSwitcherFrame).toBe(layout.zeroFrame + 1);
        expect(layout.firstFreeFrame - layout.firstSwitcherFrame).toBe(
          totalSwitcherPages(config.hostCpus),
        );
      }),
    );
  });
});

describe('the Switcher’s window', () => {
  const fits = (hostCpus: number, switcherAddr: number): boolean => {
    try {
      layOut({ ...machine, frames: 4096, hostCpus, switcherAddr: toGva(switcherAddr) });
      return true;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return false;
    }
  };

  test('has room for a text page and two pages a host CPU, below the fixmap', () => {
    expect([fits(510, 0xffc0_0000), fits(511, 0xffc0_0000)]).toEqual([true, false]);
    expect([fits(1, 0xffff_b000), fits(2, 0xffff_b000), fits(1, 0xffff_c000)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  test("with too many host CPUs, or none, is the user's mistake", () => {
    expect(() => layOut({ ...machine, hostCpus: 511 })).toThrow(
      'a machine of 511 host CPUs does not fit the Switcher’s window'.replace('’', "'"),
    );
    expect(() => layOut({ ...machine, hostCpus: 511 })).toThrow('choose 1 to 510 host CPUs');
    for (const hostCpus of [0, -1, 1.5, Number.NaN])
      expect(fits(hostCpus, 0xffc0_0000)).toBe(false);
  });
});

test('more memory than a shadow entry can name is refused', () => {
  expect(() => layOut({ ...machine, frames: 1 << 20 })).toThrow(
    /needs \d+ frames of host memory, and a shadow entry can name 1048576/,
  );
});

test('a guest without memory, vCPU or pgdir is a bug of ours', () => {
  for (const lacking of [{ pages: 0 }, { vcpus: 0 }, { pgdirs: 0, defects: ALL_DEFECTS }]) {
    expect(() => layOut({ ...machine, guests: [{ ...guest, ...lacking }] })).toThrow('assertion');
  }
});
