/** The guest kernel: the end of a program does not depend on where it was preempted. */

import { describe, expect, test } from 'vitest';
import { Dead } from '../../shared/lguest.ts';
import { NONE, type Program, Prot, Sys } from '../../src/guest/program.ts';
import { builtinPrograms } from '../../src/guest/programs.ts';
import { StreamBuilder } from '../../src/guest/traces/builder.ts';
import { Rig } from '../rig.ts';
import { userAccesses } from './traces/helpers.ts';

const FORMS = ['nonpae', 'pae'] as const;

/** A process of one thread, with one region to read and write. */
const program = (main: StreamBuilder): Program => ({
  name: 'test',
  processes: [
    {
      command: 'test',
      regions: [{ start: 0x8000_0000, end: 0x8001_0000, prot: Prot.Read | Prot.Write }],
      threads: [main.build()],
    },
  ],
});

const endOf = (source: Program, spec: { paging: 'nonpae' | 'pae'; pages?: number }): string => {
  const rig = new Rig({ program: source, ...spec });
  rig.runRoundRobin(10_000);
  return rig.reason;
};

describe.each(FORMS)('%s', (paging) => {
  describe.each(Object.keys(builtinPrograms))('%s', (name) => {
    const uninterrupted = (() => {
      const rig = new Rig({ program: builtinPrograms[name]!(), paging });
      rig.runRoundRobin(1_000_000_000, Number.POSITIVE_INFINITY);
      return { digest: rig.digest(), reason: rig.reason };
    })();

    test('ends by itself', () => {
      expect(uninterrupted.reason).toBe('Power down');
    });

    test.each([
      [7, 3],
      [1009, 4],
    ])('ends the same when moved after every %i operations among %i CPUs', (quantum, hostCpus) => {
      const rig = new Rig({ program: builtinPrograms[name]!(), paging, hostCpus });
      rig.runRoundRobin(quantum);
      expect(rig.reason).toBe('Power down');
      expect(rig.digest().user).toBe(uninterrupted.digest.user);
      expect(rig.violations()).toEqual([]);
    });
  });

  test('continues on another CPU after any single operation', () => {
    const one = new Rig({ program: builtinPrograms['threads']!(), paging });
    one.runRoundRobin(1_000_000_000, Number.POSITIVE_INFINITY);
    const many = new Rig({ program: builtinPrograms['threads']!(), paging, hostCpus: 2 });
    many.runRoundRobin(1);
    expect(many.digest()).toEqual(one.digest());
  });

  test('an unmapped access of init ends the guest', () => {
    const end = endOf(program(new StreamBuilder().load(0x1234_5000)), { paging });
    expect(end).toBe('CRASH: Kernel panic - init got SIGSEGV at 0x12345000');
  });

  test('after mprotect to read-only a store faults, a load does not', () => {
    const protect = new StreamBuilder()
      .store(0x8000_0000)
      .syscall(Sys.mprotect, 0x8000_0000, 0x1000, Prot.Read)
      .load(0x8000_0000)
      .store(0x8000_0000);
    expect(endOf(program(protect), { paging })).toContain('SIGSEGV at 0x80000000');
  });

  test('a page made inaccessible and accessible again keeps its contents', () => {
    const again = new StreamBuilder()
      .store(0x8000_0000)
      .syscall(Sys.mprotect, 0x8000_0000, 0x1000, 0)
      .syscall(Sys.mprotect, 0x8000_0000, 0x1000, Prot.Read | Prot.Write)
      .modify(0x8000_0000);
    const never = new StreamBuilder()
      .store(0x8000_0000)
      .syscall(20)
      .syscall(20)
      .modify(0x8000_0000);
    const [a, b] = [again, never].map((main) => {
      const rig = new Rig({ program: program(main), paging });
      rig.runRoundRobin(10_000);
      return { reason: rig.reason, user: rig.digest().user, violations: rig.violations() };
    });
    expect(a).toEqual(b);
    expect(a).toMatchObject({ reason: 'Power down', violations: [] });
  });

  test('an unmapped page is gone, and zero when mapped again', () => {
    const gone = new StreamBuilder().store(0x8000_0000).syscall(Sys.munmap, 0x8000_0000, 0x1000);
    expect(endOf(program(gone.load(0x8000_0000)), { paging })).toContain('SIGSEGV');
  });

  test('a guest without free memory panics', () => {
    const hungry = new StreamBuilder().syscall(
      Sys.mmap2,
      0x4000_0000,
      0x10_0000,
      Prot.Read | Prot.Write,
    );
    for (let page = 0; page < 256; page++) hungry.store(0x4000_0000 + page * 4096);
    const end = endOf(program(hungry), { paging, pages: 200 });
    expect(end).toBe('CRASH: Kernel panic - out of memory');
  });

  test('the first process ends last: children that it does not wait for run to their end', () => {
    const parent = new StreamBuilder().syscall(Sys.fork, 1).store(0x8000_0000);
    const child = new StreamBuilder().syscall(Sys.fork, 2).syscall(Sys.exitGroup);
    const grandchild = new StreamBuilder();
    for (let i = 0; i < 30_000; i++) grandchild.modify(0x8000_0000 + (i % 16) * 4096);
    const processes = [parent, child, grandchild].map((one) => program(one).processes[0]!);
    for (const vcpus of [1, 2]) {
      const [discipline, defects] = ['guest-lock', []] as const;
      const family = { name: 'family', processes };
      const rig = new Rig({ program: family, paging, vcpus, discipline, defects });
      rig.runAll(1000);
      expect([rig.reason, userAccesses(rig)]).toEqual(['Power down', 30_001]);
    }
  });

  test('a process that ends frees its pages, over many rounds', () => {
    const parent = new StreamBuilder();
    for (let page = 0; page < 16; page++) parent.store(0x8000_0000 + page * 4096);
    for (let round = 0; round < 40; round++) parent.syscall(Sys.fork, NONE).syscall(Sys.wait4);
    expect(endOf(program(parent), { paging, pages: 200 })).toBe('Power down');
  });
});

test('a fetch from an untouched, non-executable page is refused, with PAE and NX', () => {
  const jump = program(new StreamBuilder().fetch(0x8000_0000));
  expect(endOf(jump, { paging: 'pae' })).toContain('SIGSEGV at 0x80000000');
  expect(endOf(jump, { paging: 'nonpae' })).toBe('Power down');
});

test('as written, the shadow loses NX: a mapped page can be executed', () => {
  const jump = program(new StreamBuilder().store(0x8000_0000).fetch(0x8000_0000));
  expect(endOf(jump, { paging: 'pae' })).toBe('Power down');
});

test('the final user memory does not depend on the paging form', () => {
  const ends = FORMS.map((paging) => {
    const rig = new Rig({ program: builtinPrograms['fork']!(), paging });
    rig.runRoundRobin(777);
    expect(rig.dead).toBe(Dead.PoweredOff);
    return rig.digest().user;
  });
  expect(ends[0]).toBe(ends[1]);
});
