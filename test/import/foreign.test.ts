/** Files of other tools are recognised. */

import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { foreignFormat } from '../../src/import/foreign.ts';
import { complaint } from './lackey.ts';

const FILES = {
  'dinero.din': [/Dinero/, 1, 1],
  'drmemtrace-view.txt': [/drmemtrace/, 2, 1],
  'ftrace-kvm-sched_switch.txt': [/ftrace/, 1, 1],
  'herd-x86-SB.litmus': [/herd/, 1, 1],
  'perf-script-sched.txt': [/perf script/, 1, 10],
  'pinatrace.out': [/pinatrace/, 1, 1],
  'qemu-execlog.txt': [/execlog/, 1, 1],
} as const;

test.each(Object.entries(FILES))('%s', async (name, [what, line, column]) => {
  const contents = readFileSync(new URL(`foreign/${name}`, import.meta.url));
  const message = await complaint(contents);
  expect(message).toMatch(new RegExp(`^t:${line}:${column}: found ".*": this is `));
  expect(message).toMatch(what);
  expect(message).toContain("expected a log of Valgrind's lackey");
  expect(await complaint(gzipSync(contents))).toBe(message);
});

/** Records of one instruction each, as in ChampSim. */
const champSim = (bytes: number) =>
  Buffer.concat(
    Array.from({ length: 50 }, (_, i) => {
      const record = Buffer.alloc(bytes);
      record.writeBigUInt64LE(0x401000n + BigInt(4 * i));
      record[8] = i % 2;
      record[9] = i % 4 === 1 ? 1 : 0;
      record[12] = 25;
      record.writeBigUInt64LE(0x7ffe_0000n + BigInt(i), 32);
      return record;
    }),
  );

describe('also in its other forms', () => {
  test.each([
    [
      '     CPU 3/KVM-2950    [014] d....   576.161432: sched_migrate_task: comm=vhost-2920 pid=2941',
      /ftrace/,
    ],
    [
      '          <idle>-0     [026] 1212277.097105: sched_switch:         swapper/26:0 [120] R ==> CPU 0/KVM:38610 [120]',
      /ftrace/,
    ],
    ['stable-4247    [007] .....   456.192867: kvm_page_fault: vcpu 0 rip 0x0', /ftrace/],
    ['cpus=8\n', /trace-cmd/],
    [
      '     migration/9      67 [009] 105373.359904:               sched:sched_migrate_task: comm=perf',
      /perf script/,
    ],
    [
      '1372378/1372378 [000] 3376096.592194640: sched:sched_migrate_task: comm=kworker/u8:0',
      /perf script/,
    ],
    ['host CPU 1  1806 [001] 12.5:     250000 cycles:  ffffffff81 native_write', /perf script/],
    ['   173369: T1774669 ifetch       3 byte(s) @ 0x0000000000402680 f3 48 a5', /drmemtrace/],
    ['           6           0:       W0.T3 <marker: W0.T3 on core 2>', /drmemtrace/],
    ['0x40054e: R 0x7ffe3b2c1a58\n', /pinatrace/],
    [
      '# vCPU, vAddr, opcode\n0, 0xa18, 0xfff94803, "ldr r0, [pc, #0xc]", load, 0x00010a28, RAM',
      /execlog/,
    ],
    ['X86_64 MP\n"PodWW Rfe PodRR Fre"\n{ }\n P0 ;', /herd/],
    ['AArch64 MP+dmb.sy\n{\n0:X1=x;\n}\n', /herd/],
    ['2457000: system.cpu: A0 T0 : 0x6220 @_malloc_r+640    :   adrp   x1, #73728', /gem5/],
    ['execve("/bin/ls", ["ls"], 0x7ffd) = 0\n', /strace/],
    ['{"traceEvents": []}', /JSON/],
    ['description: Two guests.\ncpus: 4\n', /scenario/],
    ['UMBRA\x1a\r\n', /imported already/],
    ['\x7fELF\x02\x01\x01', /a program itself/],
    ['PERFILE2', /perf record/],
    ['\x17\x08Dtracing6\0', /trace-cmd/],
    [champSim(64).toString('latin1'), /ChampSim/],
    [champSim(72).toString('latin1'), /ChampSim/],
  ])('%j', (text, what) => {
    expect(foreignFormat(Buffer.from(text, 'latin1'))?.what).toMatch(what);
  });
});

test.each([
  '==7== Lackey, an example Valgrind tool\n',
  'I  04001000,3\n',
  ' L befff820,4\r\n',
  'the program said this\n==7== Lackey\n',
  '{"traceEvents": []}\nSYSCALL[7,1](6) sys_close ( 4 )[sync] --> Success(0x0)\n',
  'hello\n',
  '',
])('%j is no other tool’s', (text) => {
  expect(foreignFormat(Buffer.from(text))).toBeUndefined();
});
