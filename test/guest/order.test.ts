/** Threads of a traced process on several vCPUs: the order of the original run's calls is kept. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DisciplineName } from '../../shared/discipline.ts';
import { NONE, type Program, Prot, Sys } from '../../src/guest/program.ts';
import { StreamBuilder } from '../../src/guest/traces/builder.ts';
import { orderOf } from '../../src/guest/traces/order.ts';
import { Rig } from '../rig.ts';
import { drawProcess } from './traced-process.ts';
import { userAccesses } from './traces/helpers.ts';

const DISCIPLINES = ['guest-lock', 'pgdir-lock', 'lock-free'] as const;

const sides = fc.record({
  vcpus: fc.integer({ min: 2, max: 8 }),
  hostCpus: fc.integer({ min: 1, max: 4 }),
  quantum: fc.integer({ min: 3, max: 400 }),
  discipline: fc.constantFrom<DisciplineName>(...DISCIPLINES),
  paging: fc.constantFrom('nonpae', 'pae'),
});

function endOf(program: Program, { quantum = 1000, ...machine }: Partial<typeof ALONE> = {}) {
  const rig = new Rig({ program, discipline: 'guest-lock', ...machine, defects: [] });
  rig.runAll(quantum);
  const end = { reason: rig.reason, accesses: userAccesses(rig), memory: rig.digest().user };
  return { ...end, violations: rig.violations() };
}

const ALONE = { vcpus: 1, hostCpus: 1, quantum: 1000, discipline: 'guest-lock' as DisciplineName };

describe('a program whose threads share memory only in the order of their calls', () => {
  test('ends on any number of vCPUs with the memory that it has on one', () => {
    fc.assert(
      fc.property(fc.integer(), sides, (seed, machine) => {
        const program = drawProcess(seed);
        const alone = endOf(program);
        expect(alone).toMatchObject({ reason: 'Power down', accesses: program.accesses });
        expect(endOf(program, machine as Partial<typeof ALONE>)).toEqual(alone);
      }),
      { numRuns: 40 },
    );
  });

  test('ends otherwise without its order', () => {
    const ends = Array.from({ length: 20 }, (_, seed) => {
      const { processes, ...program } = drawProcess(seed);
      const [{ order: _order, ...process }] = processes as [Program['processes'][0]];
      const alone = endOf({ ...program, processes });
      const free = endOf({ ...program, processes: [process] }, { vcpus: 4, quantum: 50 });
      return { same: free.memory === alone.memory, all: free.accesses === alone.accesses };
    });
    expect(ends.some(({ same }) => !same)).toBe(true);
    expect(ends.some(({ all }) => !all)).toBe(true);
  });
});

const AREA = 0x4000_0000;
const PAGE = 0x1000;
const READ_WRITE = Prot.Read | Prot.Write;

/** A process of two threads, switched as the streams say. */
function twoThreads(main: StreamBuilder, other: StreamBuilder): Program {
  const threads = [main.build(), other.build()];
  const regions = [{ start: 0x8000_0000, end: 0x8000_4000, prot: READ_WRITE }];
  const process = { command: 'two', regions, threads, order: orderOf(threads) };
  return { name: 'two', processes: [process] };
}

/** Long enough for another vCPU to overtake. */
function busy(stream: StreamBuilder, at: number): StreamBuilder {
  for (let i = 0; i < 3000; i++) stream.load(at + (i % 64) * 4);
  return stream;
}

describe.each([2, 8])('on %i vCPUs', (vcpus) => {
  test('memory is unmapped after all its earlier uses', () => {
    const main = new StreamBuilder().syscall(Sys.mmap2, AREA, PAGE, READ_WRITE);
    main.syscall(Sys.clone, 0, 1).syscall(Sys.switchTo, 1).syscall(Sys.munmap, AREA, PAGE);
    const other = busy(new StreamBuilder(), AREA).syscall(Sys.switchTo, 0);
    expect(endOf(twoThreads(main, other), { vcpus }).reason).toBe('Power down');
  });

  test('memory that is mapped again is used after that, not before its unmapping', () => {
    const main = new StreamBuilder().syscall(Sys.mmap2, AREA, PAGE, READ_WRITE).store(AREA);
    main.syscall(Sys.clone, 0, 1).syscall(Sys.switchTo, 1);
    busy(main, 0x8000_0000).syscall(Sys.mmap2, AREA, PAGE, READ_WRITE).syscall(Sys.switchTo, 1);
    const other = new StreamBuilder().syscall(Sys.switchTo, 0).modify(AREA).syscall(Sys.exitGroup);
    const program = twoThreads(main, other);
    expect(endOf(program, { vcpus })).toEqual(endOf(program));
  });

  test('the process ends after all that precedes its end', () => {
    const main = new StreamBuilder().syscall(Sys.clone, 0, 1).syscall(Sys.switchTo, 1);
    main.syscall(Sys.exitGroup);
    const other = busy(new StreamBuilder(), 0x8000_0000).syscall(Sys.switchTo, 0);
    expect(endOf(twoThreads(main, other), { vcpus })).toMatchObject({ accesses: 3000 });
  });

  test('also if a stream just ends, and if the first thread has exited', () => {
    const main = new StreamBuilder()
      .syscall(Sys.clone, 0, 1)
      .syscall(Sys.switchTo, 1)
      .store(AREA * 2);
    const waits = busy(new StreamBuilder(), 0x8000_0000).syscall(Sys.switchTo, 0).syscall(0x803);
    expect(endOf(twoThreads(main, waits), { vcpus })).toMatchObject({ accesses: 3001 });
    const leaves = new StreamBuilder().syscall(Sys.clone, 0, 1).syscall(Sys.exit, 0, 1);
    const stays = busy(new StreamBuilder(), 0x8000_0000).syscall(Sys.exit, 0, NONE);
    expect(endOf(twoThreads(leaves, stays), { vcpus })).toMatchObject({ accesses: 3000 });
  });

  test('a woken thread continues after the accesses of its waker before the call', () => {
    const FUTEX = 0x800 + 202;
    const main = new StreamBuilder().syscall(Sys.clone, 0, 1).syscall(Sys.switchTo, 1);
    busy(main, 0x8000_1000).store(0x8000_0000).syscall(FUTEX, 0x8000_0100, 1);
    main.syscall(Sys.switchTo, 1).syscall(FUTEX, 0x8000_0100, 0).modify(0x8000_0000);
    const other = new StreamBuilder().syscall(Sys.switchTo, 0).syscall(FUTEX, 0x8000_0100, 0);
    busy(other.modify(0x8000_0000), 0x8000_2000).store(0x8000_0000);
    other.syscall(FUTEX, 0x8000_0100, 1).syscall(Sys.switchTo, 0);
    const program = twoThreads(main.syscall(Sys.exitGroup), other);
    expect(endOf(program, { vcpus })).toEqual(endOf(program));
  });

  test('between calls threads run in parallel', () => {
    const main = new StreamBuilder().syscall(Sys.clone, 0, 1).syscall(Sys.switchTo, 1);
    for (let i = 0; i < 50; i++) busy(main, 0x8000_0000).syscall(Sys.switchTo, 1);
    const other = new StreamBuilder();
    for (let i = 0; i < 50; i++) busy(other, 0x8000_1000).syscall(Sys.switchTo, 0);
    main.syscall(Sys.exitGroup);
    const rig = new Rig({
      program: twoThreads(main, other),
      vcpus,
      discipline: 'guest-lock',
      defects: [],
    });
    rig.runAll(1000);
    const busyVcpus = rig.host.guests[0]!.cpus.filter(({ operations }) => operations > 100_000);
    expect([rig.reason, busyVcpus.length >= 2]).toEqual(['Power down', true]);
  });
});
