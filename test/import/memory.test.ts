import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Op, Sys } from '../../src/guest/program.ts';
import { operations } from '../guest/traces/helpers.ts';
import { follow } from './follow.ts';
import { banner, complaint, imported } from './lackey.ts';

/** A trace of thread 1 of process 7 with these calls and accesses. */
function trace(...lines: string[]): string {
  const text = lines.map((line) => {
    const [, name, rest] = /^(\w+) ?(\(.*)$/.exec(line) ?? [];
    return name === undefined ? line : `SYSCALL[7,1](${NUMBERS[name]}) sys_${name} ${rest}`;
  });
  return `${banner(7)}${text.join('\n')}\n`;
}

const NUMBERS: Record<string, number> = { brk: 12, mmap: 9, munmap: 11, mprotect: 10, mremap: 25 };
const OK = '[sync] --> Success(0x0) ';

/** Imports, replays without a fault, and returns the calls and the regions. */
async function mapped(text: string) {
  return await imported({ text }, ({ processes: [process] }, report) => {
    const steps = [...follow(process!)];
    return {
      calls: steps.filter(({ kind }) => kind === Op.Syscall).map(({ words }) => words.slice(0, 4)),
      accesses: steps.filter(({ kind }) => kind !== Op.Syscall).map(({ words }) => words[0]!),
      all: operations(process!.threads[0]!),
      regions: process!.regions,
      brk: process!.brk,
      folds: report.processes[0]!.index.folds,
      repairs: report.processes[0]!.repairs,
      untouched: report.processes[0]!.untouched,
    };
  });
}

test('pages that no call mapped are mapped by exec, with the rights that were used', async () => {
  const { regions } = await mapped(
    trace('I  00108000,2', 'I  00109000,2', ' L 0010a000,4', ' S 0010b000,4', ' L 0010b004,4') +
      ' L 00108010,4\n M 0010d000,4\n',
  );
  expect(regions).toEqual([
    { start: 0x108000, end: 0x10a000, prot: 5 },
    { start: 0x10a000, end: 0x10b000, prot: 1 },
    { start: 0x10b000, end: 0x10c000, prot: 3 },
    { start: 0x10d000, end: 0x10e000, prot: 3 },
  ]);
});

test('an access across the end of a page needs both pages', async () => {
  const { regions } = await mapped(trace(' S 0010affe,4'));
  expect(regions).toEqual([{ start: 0x10a000, end: 0x10c000, prot: 3 }]);
});

test('pages of mmap are not mapped by exec', async () => {
  const { calls, regions } = await mapped(
    trace(
      'mmap ( 0x0, 8191, 3, 34, -1, 0 ) --> [pre-success] Success(0x4800000) ',
      ' S 04801ffc,4',
      `mprotect ( 0x4800000, 4096, 1 )${OK}`,
      ' L 04800000,4',
      `munmap ( 0x4801000, 4096 )${OK}`,
    ),
  );
  expect(calls).toEqual([
    [Sys.mmap2, 0x4800000, 0x2000, 3],
    [Sys.mprotect, 0x4800000, 0x1000, 1],
    [Sys.munmap, 0x4801000, 0x1000, 0],
  ]);
  expect(regions).toEqual([]);
});

test('a page that mprotect found there was mapped by exec, touched or not', async () => {
  const { regions } = await mapped(
    trace(' S 00128000,4', `mprotect ( 0x128000, 8192, 1 )${OK}`, ' L 00128000,4'),
  );
  expect(regions).toEqual([
    { start: 0x128000, end: 0x129000, prot: 3 },
    { start: 0x129000, end: 0x12a000, prot: 1 },
  ]);
});

test('the heap begins at the first break and ends at each that brk returned', async () => {
  const { calls, brk, regions } = await mapped(
    trace(
      'brk ( 0x0 ) --> [pre-success] Success(0x4035010) ',
      'brk ( 0x4037001 ) --> [pre-success] Success(0x4037001) ',
      ' S 04037ff8,8',
      'brk ( 0x90000000 ) --> [pre-success] Success(0x4037001) ',
      'brk ( 0x4036000 ) --> [pre-success] Success(0x4036000) ',
      ' S 04035ff8,8',
      'I  00108000,1',
    ),
  );
  expect(brk).toBe(0x4035010);
  expect(calls).toEqual([
    [0x800 + 12, 0, 0, 0],
    [Sys.brk, 0x4037001, 0, 0],
    [0x800 + 12, 0x90000000, 0, 0],
    [Sys.brk, 0x4036000, 0, 0],
  ]);
  // The first page of the heap was there before the first brk.
  expect(regions).toEqual([
    { start: 0x108000, end: 0x109000, prot: 5 },
    { start: 0x4035000, end: 0x4036000, prot: 3 },
  ]);
});

test('mremap is munmap and mmap with the rights of the old pages', async () => {
  const { calls } = await mapped(
    trace(
      'mmap ( 0x0, 8192, 1, 34, -1, 0 ) --> [pre-success] Success(0x4800000) ',
      'mremap ( 0x4800000, 8192, 16384, 0x1 ) --> [pre-success] Success(0x4800000) ',
      'mremap ( 0x4800000, 16384, 4096, 0x1 ) --> [pre-success] Success(0x4800000) ',
      'mremap ( 0x4800000, 4096, 8192, 0x1 ) --> [pre-success] Success(0x5000000) ',
      ' L 05001000,4',
    ),
  );
  expect(calls.slice(1)).toEqual([
    [Sys.mmap2, 0x4802000, 0x2000, 1],
    [Sys.munmap, 0x4801000, 0x3000, 0],
    [Sys.munmap, 0x4800000, 0x1000, 0],
    [Sys.mmap2, 0x5000000, 0x2000, 1],
  ]);
});

test('before an access without its right, a call that grants it is inserted', async () => {
  const { all, repairs } = await mapped(
    trace(
      'mmap ( 0x0, 4096, 1, 34, -1, 0 ) --> [pre-success] Success(0x4800000) ',
      ' S 04800000,4',
      `munmap ( 0x4800000, 4096 )${OK}`,
      'I  04800000,4',
    ),
  );
  expect(repairs).toBe(2);
  expect(all).toEqual([
    [Op.Syscall, Sys.mmap2, 0x4800000, 0x1000, 1],
    [Op.Syscall, Sys.mprotect, 0x4800000, 0x1000, 3],
    [Op.Store, 0x4800000, 4],
    [Op.Syscall, Sys.munmap, 0x4800000, 0x1000, 0],
    [Op.Syscall, Sys.mmap2, 0x4800000, 0x1000, 5],
    [Op.Fetch, 0x4800000, 4],
  ]);
});

test('64-bit addresses are folded alike in accesses and in calls', async () => {
  const { calls, accesses, folds } = await mapped(
    trace(
      'mmap ( 0x0, 8388608, 3, 34, -1, 0 ) --> [pre-success] Success(0x7f0000200000) ',
      ' S 7f0000200000,8',
      ' S 7f00009ffff8,8',
      ' S 1ffefff820,8',
      ' S 1fff000000,8',
      `munmap ( 0x7f0000200000, 8388608 )${OK}`,
      'I  00108000,2',
    ),
  );
  const [[, start, length]] = calls as [number[]];
  expect(length).toBe(0x800000);
  expect(accesses.slice(0, 2)).toEqual([start, start! + 0x7ffff8]);
  expect(accesses[3]! - accesses[2]!).toBe(0x7e0);
  expect(accesses[4]).toBe(0x108000);
  expect(calls[1]).toEqual([Sys.munmap, start, 0x800000, 0]);
  expect(folds.map(({ from, length }) => [from, length])).toEqual([
    ['1ffec00000', 0x800000],
    ['7f0000000000', 0xc00000],
  ]);
});

test('an access across separated slots becomes two', async () => {
  const { all } = await mapped(
    trace(' S 7f0000000000,8', ' S 7f0000800000,8', ' S 7f00003ffffc,8', ' S 7f00007ffffc,8'),
  );
  expect(all.length).toBeGreaterThan(4);
  expect(all.slice(2).reduce((bytes, [, , size]) => bytes + size!, 0)).toBe(16);
});

test('a reservation larger than the guest is mapped where it is used', async () => {
  const { calls, accesses } = await mapped(
    trace(
      'mmap ( 0x0, 1099511627776, 0, 16418, -1, 0 ) --> [pre-success] Success(0x7e0000000000) ',
      `mprotect ( 0x7e1000001000, 4096, 3 )${OK}`,
      ' S 7e1000001000,8',
      `munmap ( 0x7e0000000000, 1099511627776 )${OK}`,
    ),
  );
  const slot = accesses[0]! - 0x1000;
  expect(calls).toEqual([
    [Sys.mmap2, slot, 0x400000, 0],
    [Sys.mprotect, slot + 0x1000, 0x1000, 3],
    [Sys.munmap, slot, 0x400000, 0],
  ]);
});

const TIB = 2 ** 40;
const reserve = (bytes: number, prot: number, at = 0x7e00_0000_0000) =>
  `mmap ( 0x0, ${bytes}, ${prot}, 34, -1, 0 ) --> [pre-success] Success(0x${at.toString(16)}) `;

test('an untouched mapping takes no room, whatever its rights', async () => {
  const { calls, untouched, accesses } = await mapped(
    trace(
      'I  00108000,2',
      reserve(16 * TIB, 3, 0x4000_0000_0000),
      reserve(TIB, 0),
      `mprotect ( 0x7e0000000000, ${TIB}, 1 )${OK}`,
      `mprotect ( 0x7e0000000000, ${2 ** 30}, 3 )${OK}`,
      ' S 7e0000400000,8',
      ' L 7e0080000000,8',
      ' S 4a0000000000,8',
      `munmap ( 0x400000000000, ${16 * TIB} )${OK}`,
    ),
  );
  const [, written, read, first] = accesses
    .map((address) => address & -0x400000)
    .map((a) => a >>> 0);
  expect(calls).toEqual([
    [Sys.mmap2, written, 0x400000, 3],
    [Sys.mmap2, read, 0x400000, 1],
    [Sys.mmap2, first, 0x400000, 3],
    [Sys.munmap, first, 0x400000, 0],
  ]);
  expect(untouched).toBe(TIB - 0x800000);
});

test('hundreds of small untouched mappings leave room for those in use', async () => {
  const lines = Array.from({ length: 100 }, (_, i) =>
    reserve(2 ** 27, 3, 0x10_0000_0000 + i * 2 ** 28),
  );
  const touched = Array.from(
    { length: 500 },
    (_, i) => ` S ${(0x7f00_0000_0000 + i * 2 ** 22).toString(16)},8`,
  );
  const { accesses } = await mapped(trace(...lines, ...touched, ' S 1000000000,8'));
  expect(accesses.length).toBe(501);
});

test('a heap that grows by more than the guest has room for is mapped as it is used', async () => {
  const { accesses } = await mapped(
    trace(
      'brk ( 0x0 ) --> [pre-success] Success(0x4035000) ',
      `brk ( 0x${(0x4035000 + TIB).toString(16)} ) --> [pre-success] Success(0x${(0x4035000 + TIB).toString(16)}) `,
      ' S 04036000,8',
      ' S 8004036000,8',
      'brk ( 0x4037000 ) --> [pre-success] Success(0x4037000) ',
      ' S 04036000,8',
      'I  00108000,1',
    ),
  );
  expect(accesses.length).toBe(4);
});

test('moved pages keep their rights, touched or not', async () => {
  const { calls } = await mapped(
    trace(
      reserve(TIB, 1),
      `mremap ( 0x7e0000000000, ${TIB}, ${2 * TIB}, 0x1 ) --> [pre-success] Success(0x5e0000000000) `,
      ' L 5e0000000000,8',
      'I  00108000,2',
    ),
  );
  expect(calls).toEqual([[Sys.mmap2, expect.any(Number), 0x400000, 1]]);
});

test('a program that does not fit into the guest is refused at the line where that shows', async () => {
  const touched = Array.from(
    { length: 800 },
    (_, i) => ` S ${(0x7f00_0000_0000 + i * 2 ** 22).toString(16)},8`,
  );
  expect(await complaint(trace('I  00108000,2', ...touched))).toMatch(
    /^t:77\d:1: found .*768 places.*expected .*3 GiB.*32-bit build/,
  );
});

/**
 * Calls that a process may make on 16 places of 1 MiB, some above the kernel and beyond 32 bits.
 */
const PLACES = [0x4800000, 0xc0300000, 0xff400000, 0x7f0000300000, 0x7f0000700000, 0x7ffff0000000];
const action = fc.record({
  what: fc.constantFrom('mmap', 'munmap', 'mprotect', 'access', 'access', 'access', 'brk'),
  /** One call of 16 covers much more than a guest has. */
  huge: fc.nat(15).map((n) => n === 0),
  place: fc.constantFrom(...PLACES),
  page: fc.nat(600),
  pages: fc.integer({ min: 1, max: 600 }),
  prot: fc.constantFrom(0, 1, 3, 5, 7),
  offset: fc.nat(4095),
});

test('after any mappings, a replay does not fault and keeps the order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
      const lines = ['I  00108000,2'];
      const expected = ['108000'];
      let brk = 0x7ff_0040_0000;
      lines.push(`brk ( 0x0 ) --> [pre-success] Success(0x${brk.toString(16)}) `);
      for (const { what, place, page, pages, prot, offset, huge } of actions) {
        const start = `0x${(place + page * 4096).toString(16)}`;
        const length = pages * (huge ? 2 ** 34 : 4096);
        if (what === 'mmap')
          lines.push(
            `mmap ( 0x0, ${length}, ${prot}, 34, -1, 0 ) --> [pre-success] Success(${start}) `,
          );
        else if (what === 'munmap') lines.push(`munmap ( ${start}, ${length} )${OK}`);
        else if (what === 'mprotect') lines.push(`mprotect ( ${start}, ${length}, ${prot} )${OK}`);
        else if (what === 'brk') {
          brk += (page % 2 === 0 ? 1 : -1) * offset * 64;
          lines.push(
            `brk ( 0x${brk.toString(16)} ) --> [pre-success] Success(0x${brk.toString(16)}) `,
          );
        } else {
          const address = (place + page * 4096 + (offset & ~7)).toString(16);
          lines.push(`${['I ', ' L', ' S', ' M'][pages % 4]} ${address},8`);
          expected.push(address);
        }
      }
      const { accesses, folds } = await mapped(trace(...lines));
      const places = expected.map((text) => {
        const address = Number.parseInt(text, 16);
        const fold = folds.find(({ from, length }) => {
          const start = Number.parseInt(from, 16);
          return start <= address && address < start + length;
        });
        return fold === undefined ? address : address - Number.parseInt(fold.from, 16) + fold.to;
      });
      expect(accesses).toEqual(places);
    }),
    { numRuns: 150 },
  );
});
