/** Memory traces of other tools: the meaning of each line, threads, and files that are no trace. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { runChecked } from '../../src/check/checked-run.ts';
import { Op, Sys } from '../../src/guest/program.ts';
import { openProgram } from '../../src/guest/traces/reader.ts';
import type { ImportReport } from '../../src/import/import.ts';
import { importMemory, type MemoryOptions } from '../../src/import/memory/import.ts';
import { Machine } from '../../src/machine.ts';
import { inDirectory, operations } from '../guest/traces/helpers.ts';
import { follow } from './follow.ts';
import { complaintOfImport, imported as importedLackey } from './lackey.ts';

interface Imported {
  /** Of each thread: kind, address and size; calls by their words. */
  readonly threads: readonly (readonly (readonly number[])[])[];
  /** Thread by thread, as the original ran. */
  readonly order: readonly number[];
  readonly report: ImportReport;
}

async function imported(
  trace: string | Uint8Array,
  options: MemoryOptions = {},
  look: (file: string) => Promise<void> = async () => {},
): Promise<Imported> {
  return await inDirectory(async (directory) => {
    const [file, out] = [join(directory, 't'), join(directory, 'out.umbra')];
    writeFileSync(file, trace);
    const report = await importMemory(file, out, options);
    const program = openProgram(out);
    const [process] = program.processes;
    const threads = process!.threads.map((stream) => operations(stream).map((one) => [...one]));
    const order = [...follow(process!)].map(({ thread }) => thread);
    program.close();
    await look(out);
    return { threads, order, report };
  });
}

const sample = (name: string): Buffer => readFileSync(new URL(`foreign/${name}`, import.meta.url));

const complaint = (trace: string | Uint8Array, options?: MemoryOptions): Promise<string> =>
  complaintOfImport(imported(trace, options));

const low = (address: bigint): number => Number(address & 0x3f_ffffn);

/** The bits of an address that folding keeps. */
const folded = (threads: Imported['threads']) =>
  threads.map((all) =>
    all.map((words) =>
      words[0] === Op.Syscall ? words : [words[0]!, words[1]! & 0x3f_ffff, words[2]!],
    ),
  );

test('of a trace that is cut, only what was read counts', async () => {
  const trace = '0 7fff0010\n'.repeat(200_000);
  const { report } = await imported(trace, { limit: 1000 });
  expect(report.inputBytes).toBeGreaterThan(11_000);
  expect(report.inputBytes).toBeLessThan(trace.length / 2);
  expect((await imported(trace)).report.inputBytes).toBe(trace.length);
});

describe('drmemtrace', () => {
  const HEAD =
    'Output format:\n<--record#-> <--instr#->: <---tid---> <record details>\n------------------------------------------------------------\n';
  const THREADS = `${HEAD}           1           0:     2765542 <marker: version 5>
           2           0:     2765542 <marker: timestamp 13309323446399692>
           3           1:     2765542 ifetch       3 byte(s) @ 0x0000000000402680 f3 48 a5             rep movsq
           4           1:     2765542 read         8 byte(s) @ 0x00007f8881e37c70 by PC 0x0000000000402680
           5           1:     2765542 write        8 byte(s) @ 0x00007f8881e37a70 by PC 0x0000000000402680
           6           1:     2765542 ifetch       3 byte(s) @ 0x0000000000402680 non-fetched instruction
           7           2:     2765542 ifetch      10 byte(s) @ 0x0000000000402690 48 b8 01 00 00 00 00 mov
           7           2:     2765542                                             00 00 00
           8           2:     2765542 pref-r-L1    1 byte(s) @ 0x0000000000402690 by PC 0x0000000000402680
------------------------------------------------------------
           9           3:     2765543 ifetch       6 byte(s) @ 0x0000000000404a78 0f 84 5b 01 00 00    jz     $0x0000000000404bd9 (untaken)
          10           3:     2765543 read         8 byte(s) @ 0x00007f8881e37c70 by PC 0x0000000000404a78
          11           3:     2765543 <thread 2765543 exited>
          12           4:     2765542 write        4 byte(s) @ 0x00007f8881e37a70 by PC 0x0000000000402680
View tool results:
              4 : total instructions
`;

  test('has its threads, in their order', async () => {
    const { threads, order } = await imported(THREADS);
    const [data, other] = [low(0x7f88_81e3_7c70n), low(0x7f88_81e3_7a70n)];
    expect(folded(threads)).toEqual([
      [
        [Op.Fetch, 0x2680, 3],
        [Op.Load, data, 8],
        [Op.Store, other, 8],
        [Op.Fetch, 0x2690, 10],
        [Op.Syscall, Sys.clone, 0x100, 1, 0],
        [Op.Syscall, Sys.switchTo, 1, 0, 0],
        [Op.Store, other, 4],
      ],
      [
        [Op.Fetch, 0x4a78, 6],
        [Op.Load, data, 8],
        [Op.Syscall, Sys.switchTo, 0, 0, 0],
      ],
    ]);
    expect(order).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 0]);
  });

  test('is read in its other forms', async () => {
    const old = `   173370: T1774669 read         8 byte(s) @ 0x00007f8881e37c70 by PC 0x0000000000402680
   173372: T1774668 <marker: tid 1774668 on core 3>
   173373: T1774668 write        2 byte(s) @ 0x00007f8881e37a70 by PC 0x0000000000402680
`;
    const { threads } = await imported(old);
    expect(threads.map((all) => all.length)).toEqual([3, 1]);
    const sharded = `           6           0:       W0.T3 <marker: W0.T3 on core 2>
           7           1:       W0.T3 ifetch       3 byte(s) @ 0x0000000000402680 non-branch
           8           2:       W1.T3 ifetch       3 byte(s) @ 0x0000000000402680 non-branch
`;
    expect((await imported(sharded)).threads).toHaveLength(2);
    const { threads: one } = await imported(sample('drmemtrace-view.txt'));
    expect(one.map((all) => all.map(([kind, , size]) => [kind, size]))).toEqual([
      [
        [Op.Fetch, 6],
        [Op.Load, 8],
        [Op.Store, 8],
      ],
    ]);
  });

  test('runs on several vCPUs, and every access is made', async () => {
    await imported(THREADS, {}, async (path) => {
      const machine = await Machine.boot({
        hostCpus: 2,
        guests: [
          { name: 't', program: { kind: 'trace', path }, pages: 1024, paging: 'nonpae', vcpus: 2 },
        ],
        policy: 'random',
        discipline: 'lock-free',
        quantum: { least: 100, most: 100 },
        seed: 1,
      });
      const { ending, violations, guests } = await runChecked(machine);
      expect({ ending, violations }).toEqual({ ending: { kind: 'done' }, violations: [] });
      expect(guests[0]).toMatchObject({ notReplayed: 0 });
    });
  });

  test('warns that its addresses are physical', async () => {
    const line =
      '           7           1:           3 <marker: virtual address for prior physical: 0x12>\n';
    const access =
      '           8           1:           3 read         8 byte(s) @ 0x0000000000037c70 by PC 0x0000000000402680\n';
    expect((await imported(line + access)).report.notes).toEqual(['Addresses are physical.']);
  });

  test.each([
    ['hello', /^t:4:1: found "hello", expected a record of the view tool/],
    [
      '   3   1:   7 reed     8 byte(s) @ 0x12',
      /^t:4:15: found "reed {5}8 byte\(s\) @ 0x12", expected ifetch, read or write/,
    ],
    ['   3   1:   7 read     8 byte(s) @ 12', /^t:4:15: found "read/],
    ['   3   1:   7 read  5000 byte(s) @ 0x12', /^t:4:21: found 5000 bytes, expected at most 4096/],
  ])('%s', async (line, words) => {
    expect(await complaint(`${HEAD}${line}\n`, { format: 'drmemtrace' })).toMatch(words);
  });
});

describe('pinatrace', () => {
  test('has an instruction with each of its accesses', async () => {
    const { threads, report } = await imported(
      '0x401000: R 0x7f0010\n0x401000: W 0x7f0018\n0x401004: W 0x7f0018\n#eof\n',
    );
    expect(threads).toEqual([
      [
        [Op.Fetch, 0x40_1000, 4],
        [Op.Load, 0x7f_0010, 4],
        [Op.Store, 0x7f_0018, 4],
        [Op.Fetch, 0x40_1004, 4],
        [Op.Store, 0x7f_0018, 4],
      ],
    ]);
    expect(report.notes).toEqual(['The format says no sizes: each access has 4 bytes.']);
    expect((await imported(gzipSync(sample('pinatrace.out')))).threads[0]).toHaveLength(4);
  });

  test.each([
    ['0x401000: R 0x7f0010\n', /^t:2:1: found the end of the file, expected #eof before it/],
    [
      '0x401000: R 0x7f0010\n0x401000: W 0x7f',
      /^t:2:17: found "0x401000: W 0x7f" and then nothing, expected the end of the line/,
    ],
    [
      '0x401000: R 0x7f0010\nR 0x12\n',
      /^t:2:1: found "R 0x12", expected 0xINSTRUCTION: R 0xADDRESS/,
    ],
    ['0x401000: R 0x7f0010\n0x401000: X 0x12\n', /^t:2:11: found "X 0x12", expected R or W/],
    ['0x401000: R 0x7f0010\n0x401000: R 12\n', /^t:2:13: found "12", expected 0xADDRESS/],
    [
      '0x401000: R 0x7f0010\n#eof\n0x401000: R 0x7f0010\n',
      /^t:3:1: found .*, expected nothing behind #eof/,
    ],
  ])('%j', async (text, words) => {
    expect(await complaint(text)).toMatch(words);
  });
});

describe('execlog', () => {
  const USER = `0, 0x401000, 0xfff94803, "ldr r0, [pc, #0xc]", load, 0x00410a28
1, 0x401010, 0xfff9b510, "push {r4, lr}", store, 0x00420ee0, store, 0x00420ee4
0, 0x401004, 0x48, "nop"
`;

  test('has a thread for each vCPU', async () => {
    const { threads, order, report } = await imported(USER);
    expect(threads).toEqual([
      [
        [Op.Fetch, 0x40_1000, 4],
        [Op.Load, 0x41_0a28, 4],
        [Op.Syscall, Sys.clone, 0x100, 1, 0],
        [Op.Syscall, Sys.switchTo, 1, 0, 0],
        [Op.Fetch, 0x40_1004, 4],
      ],
      [
        [Op.Fetch, 0x40_1010, 4],
        [Op.Store, 0x42_0ee0, 4],
        [Op.Store, 0x42_0ee4, 4],
        [Op.Syscall, Sys.switchTo, 0, 0, 0],
      ],
    ]);
    expect(order).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 0]);
    expect(report.notes).not.toContainEqual(expect.stringMatching(/physical/));
  });

  test('in system mode warns that its addresses are physical, and skips registers', async () => {
    const text =
      '# vCPU, vAddr, opcode, disassembly\n0, 0xa14, 0xf87f42b4, "cmp r4, r6", r4 -> 0x00000012, load, 0x00020010, RAM, store, 0x00020014, RAM\n';
    const { threads, report } = await imported(text);
    expect(threads[0]!.map(([kind]) => kind)).toEqual([Op.Fetch, Op.Load, Op.Store]);
    expect(report.notes).toContainEqual(
      expect.stringMatching(/^Addresses of data are physical, .*QEMU ran in system mode/),
    );
    expect((await imported(sample('qemu-execlog.txt'))).threads[0]).toHaveLength(3);
  });

  test.each([
    ['0, 0xa14, "cmp"', /^t:4:1: found "0, 0xa14, \\"cmp\\"", expected VCPU, 0xADDRESS/],
    [
      '0, 0xa14, 0x12, "cmp", load',
      /^t:4:22: found ", load", expected ", load" or ", store", an address/,
    ],
    [
      '0, 0xa14, 0x12, "cmp", load, 0x12, RAM, stor, 0x13',
      /^t:4:39: found ", stor, 0x13", expected ", load"/,
    ],
  ])('%s', async (line, words) => {
    expect(await complaint(`${USER}${line}\n`)).toMatch(words);
  });
});

describe('Dinero', () => {
  test('has loads, stores and fetches', async () => {
    const { threads, report } = await imported('2 401000\n0 7f0010 remark\n4 0\n1 0x7f0018\n');
    expect(threads).toEqual([
      [
        [Op.Fetch, 0x40_1000, 4],
        [Op.Load, 0x7f_0010, 4],
        [Op.Store, 0x7f_0018, 4],
      ],
    ]);
    expect(report.notes).toContain('Records that are no access (labels 3 and 4) were left out.');
    expect((await imported(sample('dinero.din'))).threads[0]).toHaveLength(3);
  });

  test.each([
    ['5 401000', /^t:3:1: found "5 401000", expected a label from 0 to 4/],
    ['2 hello', /^t:3:3: found "hello", expected an address of 1 to 16 hex digits/],
  ])('%s', async (line, words) => {
    expect(await complaint(`2 401000\n0 7f0010\n${line}\n`)).toMatch(words);
  });
});

interface Instruction {
  readonly ip: bigint;
  readonly stores?: readonly bigint[];
  readonly loads?: readonly bigint[];
}

const champSim = (bytes: number, all: readonly Instruction[]): Buffer =>
  Buffer.concat(
    all.map(({ ip, stores = [], loads = [] }, i) => {
      const record = Buffer.alloc(bytes);
      record.writeBigUInt64LE(ip);
      record[8] = i % 2;
      record[12] = 25;
      for (const [k, address] of stores.entries()) record.writeBigUInt64LE(address, 16 + 8 * k);
      for (const [k, address] of loads.entries()) record.writeBigUInt64LE(address, 32 + 8 * k);
      if (bytes > 64) record[64] = 3;
      return record;
    }),
  );

describe.each([64, 72])('ChampSim, records of %i bytes', (bytes) => {
  const all: readonly Instruction[] = [
    { ip: 0x40_1000n, loads: [0x7f_0010n, 0x7f_0020n], stores: [0x7f_0018n] },
    ...Array.from({ length: 9 }, (_, i) => ({ ip: 0x40_1004n + BigInt(4 * i) })),
  ];
  const trace = champSim(bytes, all);

  test('have fetches, loads and stores', async () => {
    const { threads, report } = await imported(trace);
    expect(threads[0]!.slice(0, 5)).toEqual([
      [Op.Fetch, 0x40_1000, 4],
      [Op.Load, 0x7f_0010, 4],
      [Op.Load, 0x7f_0020, 4],
      [Op.Store, 0x7f_0018, 4],
      [Op.Fetch, 0x40_1004, 4],
    ]);
    expect(threads[0]).toHaveLength(13);
    expect(report.notes![0]).toMatch(new RegExp(`^Records of ${bytes} bytes\\.`));
  });

  test('are refused with their place if invalid or cut short', async () => {
    const wrong = Buffer.from(trace);
    wrong[5 * bytes + 8] = 7;
    expect(await complaint(wrong, { format: 'champsim' })).toBe(
      `t: found ${JSON.stringify(`${wrong.subarray(0, 40).toString('latin1')}…`)}, expected records of 64 or 72 bytes with an instruction's address, is_branch and taken`,
    );
    const later = Buffer.concat([...Array.from({ length: 200 }, () => trace), wrong]);
    expect(await complaint(later)).toBe(
      `t: record 2006, at byte ${2005 * bytes}: found is_branch 7 and taken 0, expected an address that is not 0, and 0 or 1 of each`,
    );
    expect(await complaint(trace.subarray(0, 9 * bytes + 10))).toBe(
      `t: record 10, at byte ${9 * bytes}: found 10 bytes and then nothing, expected ${bytes}: the file was cut short. Copy or make it again, or leave the rest out with --limit`,
    );
    const cut = await imported(trace.subarray(0, 9 * bytes + 10), { limit: 6 });
    expect(cut.threads[0]).toHaveLength(6);
    expect(cut.report.notes).toContain('Cut at 6 accesses, as asked.');
  });
});

test('a trace of the CS:APP cache lab is one of lackey’s', async () => {
  await importedLackey(
    { t: 'I 0400d7d4,8\n M 0421c7f0,4\n L 04f6b868,8\n S 7ff0005c8,8\n' },
    (program) => {
      const kinds = operations(program.processes[0]!.threads[0]!).map(([kind, , size]) => [
        kind,
        size,
      ]);
      expect(kinds).toEqual([
        [Op.Fetch, 8],
        [Op.Modify, 4],
        [Op.Load, 8],
        [Op.Store, 8],
      ]);
    },
  );
});

test.each([
  ['', /^t: found an empty file, expected a memory trace/],
  [
    'hello\n',
    /^t:1:1: found "hello", expected a trace in one of the formats drmemtrace, pinatrace, execlog, dinero, champsim/,
  ],
  [
    'I  04001000,3\n',
    /^t:1:1: found "I {2}04001000,3", expected .* Logs of Valgrind's lackey.* are for umbra import lackey/,
  ],
  ['PERFILE2…', /this is a recording of perf record/],
  [
    '# tracer: nop\n',
    /this is text of ftrace or trace-cmd report, .* recorded schedules for umbra import schedule/,
  ],
  ['3 0\n4 0\n', /^t: found no memory access in all of it, expected some/],
])('%j is no memory trace', async (text, words) => {
  expect(await complaint(text)).toMatch(words);
});
