import { expect, test } from 'vitest';
import { NONE, Op, Sys } from '../../src/guest/program.ts';
import { operations } from '../guest/traces/helpers.ts';
import { follow } from './follow.ts';
import { acquired, banner, complaint, imported, STARTS } from './lackey.ts';

const CLONE =
  'SYSCALL[7,1](120) sys_clone ( 3d0f00, 0x5d0, 0x5d0, 0xbef, 0x5d0 ) --> [pre-success] Success(0x8) --7--   SCHED[1]: releasing lock (VG_(vg_yield)) -> VgTs_Yielding\n';

const f = (n: number) => `I  0400${n}000,2\n`;
const fetched = (n: number) => [Op.Fetch, 0x4000000 + n * 0x1000, 2];
const call = (...words: number[]) => [Op.Syscall, ...words, ...[0, 0, 0].slice(words.length - 1)];

test('a stream switches where the original run continued with another thread', async () => {
  const trace = [
    banner(7),
    acquired(7, 1, STARTS),
    f(1),
    CLONE,
    acquired(7, 1, 'VG_(vg_yield)'),
    '\n',
    f(2),
    'SYSCALL[7,1](3) sys_read ( 4, 0xbefff000, 512 ) --> [async] ... \n',
    acquired(7, 2, STARTS),
    f(3),
    '--7--   SCHED[2]: releasing lock (VG_(scheduler):timeslice) -> VgTs_Yielding\n',
    acquired(7, 1),
    'SYSCALL[7,1](3) ... [async] --> Success(0x200) \n',
    f(4),
    acquired(7, 2, 'VG_(scheduler):timeslice'),
    'SYSCALL[7,2](1) exit( 5 ) --> [pre-success] Success(0x0) \n',
    acquired(7, 1, 'VG_(scheduler):timeslice'),
    f(5),
    'SYSCALL[7,1](252) exit_group( 0 ) --> [pre-success] Success(0x0) \n',
  ].join('');
  await imported({ trace }, ({ processes: [process] }) => {
    expect(process!.threads.map(operations)).toEqual([
      [
        fetched(1),
        call(Sys.clone, 0x3d0f00, 1),
        fetched(2),
        call(Sys.switchTo, 1),
        // In the original run read returned here, after the other thread had run.
        call(3, 4, 0xbefff000, 512),
        fetched(4),
        call(Sys.switchTo, 1),
        fetched(5),
        call(Sys.exitGroup),
      ],
      [fetched(3), call(Sys.switchTo, 0), call(Sys.exit, 5, 0)],
    ]);
    const order = [...follow(process!)].filter(({ kind }) => kind === Op.Fetch);
    expect(order.map(({ words }) => words[0]! & 0xf000)).toEqual(
      [1, 2, 3, 4, 5].map((n) => n << 12),
    );
  });
});

test('a reused thread slot names another thread', async () => {
  const exit = 'SYSCALL[7,2](1) exit( 0 ) --> [pre-success] Success(0x0) \n';
  const life = [
    CLONE,
    acquired(7, 2, STARTS),
    f(2),
    exit,
    acquired(7, 1, 'VG_(vg_yield)'),
    '\n',
  ].join('');
  const trace = banner(7) + acquired(7, 1, STARTS) + f(1) + life + life;
  await imported({ trace }, ({ processes: [process] }) => {
    expect(process!.threads.map(operations)).toEqual([
      [
        fetched(1),
        call(Sys.clone, 0x3d0f00, 1),
        call(Sys.switchTo, 1),
        call(Sys.clone, 0x3d0f00, 2),
        call(Sys.switchTo, 2),
      ],
      [fetched(2), call(Sys.exit, 0, 0)],
      [fetched(2), call(Sys.exit, 0, 0)],
    ]);
  });
});

test('the last exit names no next thread', async () => {
  const trace = `${banner(7)}${acquired(7, 1, STARTS)}${f(1)}SYSCALL[7,1](1) exit( 3 ) --> [pre-success] Success(0x0) \n`;
  await imported({ trace }, ({ processes: [process] }) => {
    expect(process!.threads.map(operations)).toEqual([[fetched(1), call(Sys.exit, 3, NONE)]]);
  });
});

test('a trace that just ends gets no exit', async () => {
  await imported({ trace: f(1) + f(2) }, ({ processes: [process], name, index }) => {
    expect(process!.threads.map(operations)).toEqual([[fetched(1), fetched(2)]]);
    expect(process!.brk).toBeUndefined();
    expect(name).toBe('trace');
    expect(index.sources).toEqual(['trace']);
  });
});

test('a trace may end in a call that did not return', async () => {
  const trace = `${banner(7)}${f(1)}SYSCALL[7,1](11) sys_execve ( 0x4052000(/bin/ls), 0x4052010, 0x4052020 )`;
  await imported({ trace }, ({ processes: [process] }) => {
    expect(process!.threads.map(operations)).toEqual([
      [fetched(1), call(0x800 + 11, 0x4052000, 0x4052010, 0x4052020)],
    ]);
  });
});

test('an interrupted wait is a wait, another interrupted call only traps', async () => {
  const broken = (nr: number, text: string) =>
    [
      `SYSCALL[7,1](${nr}) ${text} --> [async] ... \n`,
      acquired(7, 1, 'async_signalhandler'),
      'SCHEDSETJMP(line 1211) tid 1, jumped=1476734008\n',
    ].join('');
  const trace = [
    banner(7),
    acquired(7, 1, STARTS),
    'SYSCALL[7,1](45) sys_brk ( 0x0 ) --> [pre-success] Success(0x4035000) \n',
    f(1),
    broken(114, 'sys_wait4 ( -1, 0xbefff4b4, 0, 0x0 )'),
    f(2),
    broken(3, 'sys_read ( 4, 0xbefff4b4, 9 )'),
    'SYSCALL[7,1](114) sys_wait4 ( -1, 0xbefff4b4, 1, 0x0 )[sync] --> Success(0x0) \n',
    'SYSCALL[7,1](114) sys_wait4 ( -1, 0xbefff4b4, 0, 0x0 )[sync] --> Failure(0xa) \n',
  ].join('');
  await imported({ trace }, ({ processes: [process] }) => {
    expect(operations(process!.threads[0]!).slice(1)).toEqual([
      fetched(1),
      call(Sys.wait4),
      fetched(2),
      call(3, 4, 0xbefff4b4, 9),
      // WNOHANG and a failure: neither waits in the replay.
      call(0x800 + 114, 0xffffffff, 0xbefff4b4, 1),
      call(0x800 + 114, 0xffffffff, 0xbefff4b4, 0),
    ]);
  });
});

test('a call that did not return traps at the end of its stream', async () => {
  const trace = [
    banner(7),
    acquired(7, 1, STARTS),
    f(1),
    CLONE,
    'SYSCALL[7,1](3) sys_read ( 4, 0xbefff4b4, 9 ) --> [async] ... \n',
    acquired(7, 2, STARTS),
    f(2),
    'SYSCALL[7,2](252) exit_group( 1 ) --> [pre-success] Success(0x0) \n',
    acquired(7, 1),
    f(3),
  ].join('');
  await imported({ trace }, ({ processes: [process] }, report) => {
    const [first, second] = process!.threads.map(operations);
    expect(first!.at(-1)).toEqual(call(3, 4, 0xbefff4b4, 9));
    expect(second).toEqual([fetched(2), call(Sys.exitGroup, 1)]);
    // Nothing runs after exit_group, whatever valgrind still prints.
    expect(report.processes[0]!.afterEnd).toBe(1);
  });
});

test('a second thread without SCHED lines cannot be imported', async () => {
  const start = banner(7) + f(1) + CLONE.replace(/--7--.*/, '');
  const other = 'SYSCALL[7,2](6) sys_close ( 5 )[sync] --> Success(0x0) \n';
  expect(await complaint(start + other)).toMatch(
    /^t:7:1: .*second thread \(2\), expected .*--trace-sched=yes/,
  );
  expect(await complaint(start + f(2))).toMatch(/^t:7:1: .*--trace-sched=yes/);
});

test('lines that contradict the schedule are reported by their number', async () => {
  const start = banner(7) + acquired(7, 1, STARTS) + f(1);
  expect(await complaint(start + acquired(7, 3))).toMatch(
    /^t:7:1: found thread 3 running, expected a thread that a clone/,
  );
  expect(
    await complaint(`${start}SYSCALL[7,2](6) sys_close ( 5 )[sync] --> Success(0x0) \n`),
  ).toMatch(/^t:7:1: found a call of thread 2 while thread 1 runs/);
  expect(await complaint(`${start}SYSCALL[7,1](3) ... [async] --> Success(0x0) \n`)).toMatch(
    /^t:7:1: found the return of call 3 of thread 1, expected a call of it that had gone to wait/,
  );
});
