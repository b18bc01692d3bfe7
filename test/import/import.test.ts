import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { Op, Sys } from '../../src/guest/program.ts';
import { openProgram } from '../../src/guest/traces/reader.ts';
import { importLackey } from '../../src/import/import.ts';
import { formatImportReport } from '../../src/import/report.ts';
import { inDirectory } from '../guest/traces/helpers.ts';
import { follow } from './follow.ts';
import { complaint, imported } from './lackey.ts';

function sample(name: string): Buffer {
  return readFileSync(new URL(name, import.meta.url));
}

/** The accesses of a trace as lackey printed them: kind, address, size. */
function accessesOf(trace: Buffer): (readonly [number, string, number])[] {
  const kinds: Record<string, number> = { 'I ': 0, ' L': 1, ' S': 2, ' M': 3 };
  return [
    ...gunzipSync(trace)
      .toString()
      .matchAll(/^(I | L| S| M) ([0-9a-f]+),(\d+)$/gm),
  ].map(([, kind, address, size]) => [kinds[kind!]!, address!.replace(/^0+/, ''), Number(size)]);
}

test('two threads of a real program run in the order of their trace', async () => {
  const trace = sample('pigz-threads.lackey.gz');
  await imported({ trace }, ({ processes: [process], name }) => {
    expect(name).toBe('pigz');
    const steps = [...follow(process!)];
    const accesses = steps.filter(({ kind }) => kind !== Op.Syscall);
    expect(accesses.map(({ kind, words }) => [kind, words[0]!.toString(16), words[1]])).toEqual(
      accessesOf(trace),
    );
    expect(steps.filter(({ thread }) => thread === 1).length).toBe(process!.threads[1]!.length);
    const calls = steps.filter(({ kind }) => kind === Op.Syscall).map(({ words }) => words);
    expect(calls).toContainEqual([Sys.clone, 0x3d0f00, 1, 0]);
    expect(calls).toContainEqual([Sys.switchTo, 1, 0, 0]);
    expect(calls).toContainEqual([Sys.mmap2, 0x538e000, 0x200000, 0]);
    expect(calls).toContainEqual([Sys.munmap, 0x538e000, 466944, 0]);
    expect(calls).toContainEqual([Sys.mprotect, 0x5400000, 135168, 3]);
  });
});

test('a real 64-bit program with a thread and a child replays', async () => {
  const parent = sample('tiny-parent.lackey.gz');
  const child = sample('tiny-child.lackey.gz');
  await imported({ child, parent }, ({ processes }, report) => {
    expect(report.processes.map(({ source }) => source)).toEqual(['parent', 'child']);
    expect(report.processes.map(({ repairs }) => repairs)).toEqual([0, 0]);
    const steps = processes.map((process) => [...follow(process)]);
    const calls = steps.map((all) =>
      all.filter(({ kind }) => kind === Op.Syscall).map(({ words }) => words.slice(0, 4)),
    );
    const [first, second] = report.processes[0]!.index.folds;
    expect([first!.from, second!.from]).toEqual(['1fff000000', '7f0040000000']);
    expect(processes[0]!.brk).toBe(0x4000000);
    expect(calls).toEqual([
      [
        [0x800 + 12, 0, 0, 0],
        [Sys.brk, 0x4003000, 0, 0],
        [Sys.brk, 0x4001000, 0, 0],
        [Sys.mmap2, 0x4800000, 0x4000, 3],
        [Sys.mprotect, 0x4800000, 0x1000, 1],
        [Sys.munmap, 0x4802000, 0x2000, 0],
        [Sys.mmap2, 0x4802000, 0x4000, 3],
        [Sys.mmap2, second!.to, 0x400000, 0],
        [Sys.mprotect, second!.to, 0x2000, 3],
        [Sys.mmap2, 0x4806000, 0x10000, 3],
        [Sys.clone, 0x50f00, 1, 0],
        [Sys.switchTo, 1, 0, 0],
        [0x800 + 202, 0x403004, 1, 1],
        [Sys.exit, 0, 0, 0],
        [Sys.fork, 1, 0, 0],
        [Sys.wait4, 0, 0, 0],
        [Sys.munmap, second!.to, 0x400000, 0],
        [0x800 + 3, 99, 0, 0],
        [Sys.exitGroup, 0, 0, 0],
      ],
      [[Sys.exitGroup, 7, 0, 0]],
    ]);
    for (const [i, trace] of [parent, child].entries()) {
      const { folds } = report.processes[i]!.index;
      const original = (address: number) => {
        const fold = folds.find(({ to, length }) => to <= address && address < to + length);
        return fold === undefined ? address : address - fold.to + Number.parseInt(fold.from, 16);
      };
      const accesses = steps[i]!.filter(({ kind }) => kind !== Op.Syscall);
      expect(
        accesses.map(({ kind, words }) => [kind, original(words[0]!).toString(16), words[1]]),
      ).toEqual(accessesOf(trace));
    }
  });
});

test('plain or compressed, in any order: the same traces give the same bytes', async () => {
  await inDirectory(async (directory) => {
    const at = (name: string) => join(directory, name);
    for (const name of ['tiny-parent', 'tiny-child']) {
      mkdirSync(at('plain'), { recursive: true });
      mkdirSync(at('packed'), { recursive: true });
      writeFileSync(at(`plain/${name}`), gunzipSync(sample(`${name}.lackey.gz`)));
      writeFileSync(at(`packed/${name}`), sample(`${name}.lackey.gz`));
    }
    const seen: [number, number][] = [];
    await importLackey([at('plain/tiny-child'), at('plain/tiny-parent')], at('a'), {
      progress: (...p) => seen.push(p),
    });
    await importLackey([at('packed/tiny-parent'), at('packed/tiny-child')], at('b'));
    expect(readFileSync(at('a'))).toEqual(readFileSync(at('b')));
    const bytes = readdirSync(at('plain')).reduce(
      (sum, name) => sum + readFileSync(at(`plain/${name}`)).length,
      0,
    );
    expect(seen.at(-1)).toEqual([bytes, bytes]);
    expect(seen.every(([done], i) => i === 0 || done >= seen[i - 1]![0])).toBe(true);
  });
});

test('an existing trace file is replaced when the import is done, not before', async () => {
  await inDirectory(async (directory) => {
    const out = join(directory, 'out.umbra');
    const trace = join(directory, 'trace');
    writeFileSync(trace, 'I  04001000,3\n');
    await importLackey([trace], out);
    const before = readFileSync(out);
    writeFileSync(trace, 'I  04002000,3\nnonsense\n');
    await expect(importLackey([trace], out)).rejects.toThrow(/trace:2:1/);
    expect(readFileSync(out)).toEqual(before);
    expect(readdirSync(directory).sort()).toEqual(['out.umbra', 'trace']);
    await expect(importLackey([trace], join(directory, 'no/out'))).rejects.toThrow(
      /no\/out cannot be written: ENOENT.*directory that exists/,
    );
  });
});

test('an interrupted import leaves nothing behind', async () => {
  await inDirectory((directory) => {
    const trace = join(directory, 'trace');
    writeFileSync(trace, 'I  04001000,3\n'.repeat(200_000));
    const { href } = new URL('../../src/import/import.ts', import.meta.url);
    const script = `
      import { importLackey } from ${JSON.stringify(href)};
      const progress = () => process.kill(process.pid, 'SIGINT');
      await importLackey([${JSON.stringify(trace)}], ${JSON.stringify(join(directory, 'out'))}, { progress });`;
    const { signal, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module-typescript', '-e', script],
      { encoding: 'utf8' },
    );
    expect({ signal, stderr }).toEqual({ signal: 'SIGINT', stderr: '' });
    expect(readdirSync(directory)).toEqual(['trace']);
  });
});

test.each([
  ['an empty file', '', /^t: found no memory access.*expected lines like.*--trace-mem=yes/],
  [
    'a trace without accesses',
    '==7== Lackey, an example Valgrind tool\n',
    /^t: found no memory access/,
  ],
  [
    'another tool',
    '==7== Memcheck, a memory error detector\n',
    /^t:1:1: .*Memcheck.*--tool=lackey/,
  ],
  ['some text', 'hello\n', /^t:1:1: found "hello", expected a line of a lackey trace/],
  ['some bytes', Uint8Array.of(0, 1, 2, 10), /^t:1:1: found "\\u0000\\u0001\\u0002"/],
  ['xz', Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), /^t is packed with xz.*unxz t/],
  ['superblocks', 'SB 04001000\nI  04001000,3\n', /^t:1:1: .*without --trace-superblocks/],
])('%s is refused with its remedy', async (_, contents, message) => {
  expect(await complaint(contents)).toMatch(message);
});

test.each([
  'sys_brk ( 0x0 ) --> [pre-success] Success(0x99999999999999994000)',
  'sys_mmap2 ( 0x0, 99999999999999999999, 3, 34, -1, 0 ) --> [pre-success] Success(0x4028000)',
  'sys_munmap ( 0x99999999999999999999, 4096 ) --> [pre-success] Success(0x0)',
  'sys_mprotect ( 0x4028000, 99999999999999999999, 1 ) --> [pre-success] Success(0x0)',
  'sys_mremap ( 0x4028000, 4096, 99999999999999999999, 0x1 ) --> [pre-success] Success(0x4028000)',
])('%s is impossible for a process and refused with its place', async (call) => {
  const trace = `==7== Command: x\nI  04001000,2\nSYSCALL[7,1](192) ${call} \n`;
  expect(await complaint(trace)).toMatch(
    /^t:3:1: found a call that succeeded with [\d.e+]+ in it, expected addresses and lengths below 2\^56/,
  );
});

test('a compressed trace that was cut short or damaged is reported as such', async () => {
  const whole = gzipSync(Array.from({ length: 9999 }, (_, i) => `I  0400${1000 + i},3\n`).join(''));
  expect(await complaint(whole.subarray(0, whole.length - 900))).toMatch(
    /^t is cut short: .*Copy the file again.*or make the trace again/,
  );
  const damaged = Buffer.from(whole);
  damaged.fill(0x55, 600, 700);
  expect(await complaint(damaged)).toMatch(/^t is damaged: .*Copy the file again/);
});

test('a missing file, a folder and an empty list are refused with the remedy', async () => {
  await inDirectory(async (directory) => {
    const out = join(directory, 'out');
    await expect(importLackey([join(directory, 'none')], out)).rejects.toThrow(
      /none cannot be read: ENOENT.*paths of files that exist/,
    );
    await expect(importLackey([directory], out)).rejects.toThrow(/is a directory.*\/\* -o OUT/);
    await expect(importLackey([], out)).rejects.toThrow(/no trace was named/);
  });
});

test.each(['pigz', 'ls', 'sort', 'wc', 'pipeline'])(
  'the trace of %s that comes with umbra replays without a fault',
  (name) => {
    const url = new URL(`../../scenarios/traces/${name}.umbra`, import.meta.url);
    const program = openProgram(url.pathname);
    for (const process of program.processes) {
      let steps = 0;
      for (const _ of follow(process)) steps++;
      expect(steps).toBe(process.threads.reduce((sum, { length }) => sum + length, 0));
    }
    program.close();
  },
);

describe('output of the traced program', () => {
  test.each([
    ['course-stderr-mixed', 6, 1, '9: "hello from the traced program"'],
    ['midline-interleaved', 5, 2, '9: "I  0402warning: x"'],
  ])('%s: is skipped if asked for, counted and reported', async (name, accesses, lines, first) => {
    const log = readFileSync(new URL(`logs/${name}.log`, import.meta.url));
    expect(await complaint(log)).toMatch(/^t:9:\d: found .*, expected .*--skip-stray-lines/);
    await imported(
      { log },
      (program, report) => {
        expect(program.accesses).toBe(accesses);
        const skipped = `${lines} line${lines === 1 ? '' : 's'} skipped that lackey did not write, at first log:${first}`;
        expect(formatImportReport(report)).toContain(skipped);
      },
      { skipStrayLines: true },
    );
  });

  test('a file of nothing else has no access in it', async () => {
    const all = { t: 'hello\nworld\n' };
    await expect(imported(all, () => {}, { skipStrayLines: true })).rejects.toThrow(
      /found no memory access/,
    );
  });
});

test('a real program that maps 16 GiB and touches little of it runs', async () => {
  const log = readFileSync(new URL('logs/bigmap.lackey.gz', import.meta.url));
  await imported({ log }, ({ processes: [process] }, report) => {
    expect([...follow(process!)].length).toBe(process!.threads[0]!.length);
    expect(report.processes[0]!.index.folds.length).toBeGreaterThan(50);
    expect(formatImportReport(report)).toMatch(/folded: \d+ MiB in \d+ other places/);
  });
});
