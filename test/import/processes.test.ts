import { expect, test } from 'vitest';
import { NONE, Op, Sys } from '../../src/guest/program.ts';
import { formatImportReport } from '../../src/import/report.ts';
import { operations } from '../guest/traces/helpers.ts';
import { banner, complaint, imported } from './lackey.ts';

const BRK = (pid: number) =>
  `SYSCALL[${pid},1](45) sys_brk ( 0x0 ) --> [pre-success] Success(0x4035000) \n`;

function forks(pid: number, child: number): string {
  return [
    `SYSCALL[${pid},1](120) sys_clone ( 1200011, 0x0, 0x0, 0x0, 0x48365e8 )   clone(fork): process ${pid} created child ${child}\n`,
    ` --> [pre-success] Success(0x${child.toString(16)}) --${pid}--   SCHED[1]: releasing lock (VG_(vg_yield)) -> VgTs_Yielding\n`,
    `--${pid}--   SCHED[1]:  acquired lock (VG_(vg_yield))\n\n`,
  ].join('');
}

const PARENT = `${banner(20, './parent')}I  04001000,2\n${forks(20, 30)}${forks(20, 25)}`;
const CHILD = `${banner(25, './child', 20)} --> [pre-success] Success(0x0) \nI  04002000,2\n`;

test('a fork names the child among the imported processes, or none', async () => {
  await imported({ parent: PARENT, child: CHILD }, (program) => {
    expect(program.processes.map(({ command }) => command)).toEqual(['./parent', './child']);
    expect(program.name).toBe('parent');
    const calls = operations(program.processes[0]!.threads[0]!).filter(
      ([kind]) => kind === Op.Syscall,
    );
    expect(calls).toEqual([
      [Op.Syscall, Sys.fork, NONE, 0, 0],
      [Op.Syscall, Sys.fork, 1, 0, 0],
    ]);
    expect(operations(program.processes[1]!.threads[0]!)).toEqual([[Op.Fetch, 0x4002000, 2]]);
  });
});

test.each([
  ['sys_fork ( )   fork: process 20 created child 25', 58],
  ['sys_vfork ( )   vfork: process 20 created child 25', 190],
  ['sys_clone ( 4111, 0x0, 0x0, 0x0, 0x0 )   clone(fork): process 20 created child 25', 120],
])('%s is a fork', async (text, nr) => {
  const parent = `${banner(20)}I  04001000,2\nSYSCALL[20,1](${nr}) ${text}\n --> [pre-success] Success(0x19) \n`;
  await imported({ parent, child: CHILD }, (program) => {
    expect(operations(program.processes[0]!.threads[0]!)[1]).toEqual([
      Op.Syscall,
      Sys.fork,
      1,
      0,
      0,
    ]);
  });
});

test('the process without a fork is the first, even where its parent line misleads', async () => {
  const adopted = CHILD.replace('Parent PID: 20', 'Parent PID: 1').replaceAll('25', '15');
  const parent = `${banner(20, './parent')}I  04001000,2\n${forks(20, 15)}`;
  await imported({ a: adopted, b: parent }, (program) => {
    expect(program.processes.map(({ command }) => command)).toEqual(['./parent', './child']);
  });
});

test('unrelated processes are not one program', async () => {
  const message = await complaint({
    a: CHILD,
    b: `${banner(20, './parent')}I  04001000,2\n${forks(20, 26)}`,
  });
  expect(message).toContain('a (process 25)');
  expect(message).toContain('Import them one by one');
});

test('the same process twice is refused', async () => {
  expect(await complaint({ a: PARENT, b: PARENT })).toMatch(/both of process 20/);
  expect(await complaint({ a: 'I  04001000,2\n', b: 'I  04001000,2\n' })).toMatch(/one by one/);
});

test('lines of several processes in one trace are refused, with the remedy of a file for each', async () => {
  expect(await complaint(PARENT + BRK(30))).toMatch(/^t:\d+:1: .*process 30.*NAME\.%p/);
  expect(await complaint(PARENT + banner(20, './other'))).toMatch(/beginning of a second program/);
});

test('calls keep their own numbers, except where these mean something to the guest', async () => {
  const close = 'sys_close ( 4 )[sync] --> Success(0x0) \n';
  const i386 = `${banner(7)}${BRK(7)}I  04001000,2\nSYSCALL[7,1](6) ${close}`;
  const amd64 = i386.replace('](45)', '](12)').replace('](6)', '](3)');
  const numbers = (trace: string) =>
    imported({ trace }, ({ processes: [process] }) =>
      operations(process!.threads[0]!)
        .filter(([kind]) => kind === Op.Syscall)
        .map(([, nr]) => nr),
    );
  expect(await numbers(i386)).toEqual([0x800 + 45, 6]);
  expect(await numbers(amd64)).toEqual([0x800 + 12, 0x800 + 3]);
});

test('the report counts what was read, made and moved', async () => {
  const stack = ' S 1ffefff820,8\n';
  await imported({ 'parent.20': PARENT + BRK(20) + stack, child: CHILD }, (_, report) => {
    const text = formatImportReport({ ...report, out: 'out.umbra', outputBytes: 600 });
    expect(text.split('\n')).toEqual([
      'parent: 2 processes, 2 threads, 6 operations',
      '  2 fetches, 1 store, 3 system calls',
      `  ${report.inputBytes} bytes read, 600 written to out.umbra: 100.000 bytes an operation`,
      'process 0: ./parent',
      '  from parent.20, process 20 of the original run',
      '  thread 0: 5 operations, 3 system calls',
      '  original system calls: clone 2, brk 1',
      '  2 initial regions, 2 pages; the heap begins at 0x4035000',
      '  folded: 4 MiB at 0x1ffec00000 to 0xbf800000',
      'process 1: ./child',
      '  from child, process 25 of the original run',
      '  thread 0: 1 operation, 0 system calls',
      '  1 initial region, 1 page',
    ]);
  });
});
