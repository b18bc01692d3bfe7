import { expect, test } from 'vitest';
import { parseMessages } from '../../src/import/messages.ts';

test('a call with its result on the line is a call with an outcome', () => {
  expect(
    parseMessages(
      'SYSCALL[9,1](192) sys_mmap2 ( 0x0, 8192, 3, 34, 4294967295, 0 ) --> [pre-success] Success(0x4835000) ',
    ),
  ).toEqual([
    {
      type: 'call',
      call: {
        pid: 9,
        tid: 1,
        nr: 192,
        name: 'sys_mmap2',
        args: ['0x0', '8192', '3', '34', '4294967295', '0'],
      },
      outcome: { type: 'success', value: 0x4835000 },
    },
  ]);
});

test('strings behind arguments are not arguments', () => {
  const [message] = parseMessages(
    'SYSCALL[9,1](295) sys_openat ( -100, 0x48350c0(/a, b --> c), 557056 ) --> [async] ... ',
  )!;
  expect(message).toMatchObject({
    call: { name: 'sys_openat', args: ['-100', '0x48350c0', '557056'] },
    outcome: { type: 'async' },
  });
});

test.each([
  ['sys_getpid ()[sync] --> Success(0xb22) ', [], { type: 'success', value: 0xb22 }],
  ['sys_getuid ( )[sync] --> Success(0x0) ', [], { type: 'success', value: 0 }],
  ['exit( 0 ) --> [pre-success] Success(0x0) ', ['0'], { type: 'success', value: 0 }],
  ['sys_sigreturn ( ) --> [pre-success] NoWriteResult ', [], { type: 'success', value: 0 }],
  ['sys_close ( 4294967295 ) --> [pre-fail] Failure(0x9) ', ['4294967295'], { type: 'failure' }],
  ['unimplemented (by the kernel) syscall: 386! (ni_syscall)', [], undefined],
  [
    'sys_clone ( 1200011, 0x0, 0x0, 0x0, 0x48 )   clone(fork): process 9 created child 10',
    ['1200011', '0x0', '0x0', '0x0', '0x48'],
    undefined,
  ],
])('%s is parsed', (text, args, outcome) => {
  expect(parseMessages(`SYSCALL[9,1](1) ${text}`)).toEqual([
    { type: 'call', call: expect.objectContaining({ args }), outcome },
  ]);
});

test('a message may follow a result on the same line', () => {
  expect(
    parseMessages(
      ' --> [pre-success] Success(0xb23) --9--   SCHED[1]: releasing lock (VG_(vg_yield)) -> VgTs_Yielding',
    ),
  ).toEqual([
    { type: 'result', outcome: { type: 'success', value: 0xb23 } },
    { type: 'sched', pid: 9, tid: 1 },
  ]);
});

test('the thread that gets the lock runs', () => {
  expect(
    parseMessages('--9--   SCHED[2]:  acquired lock (thread_wrapper(starting new thread))'),
  ).toEqual([{ type: 'acquired', pid: 9, tid: 2, reason: 'thread_wrapper(starting new thread)' }]);
  expect(parseMessages('SYSCALL[9,1](3) ... [async] --> Success(0x200) ')).toEqual([
    { type: 'resumed', pid: 9, tid: 1, nr: 3, outcome: { type: 'success', value: 0x200 } },
  ]);
});

test.each(['', '--9-- WARNING: unhandled', 'SCHEDSETJMP(line 1211) tid 1, jumped=1', '**9** hi'])(
  '%j is ignored',
  (line) => expect(parseMessages(line)).toEqual([{ type: 'nothing' }]),
);

test('a line that valgrind does not print is not parsed', () => {
  expect(parseMessages('total 48')).toBeUndefined();
  expect(parseMessages('SYSCALL[9,1] sys_close')).toBeUndefined();
});
