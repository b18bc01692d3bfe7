/** A process whose tables are changed while it does not run: copied by its child, or killed. */

import { describe, expect, test } from 'vitest';
import { VIRTUALIZATIONS } from '../../shared/virtualization.ts';
import { checkAll } from '../../src/check/invariants.ts';
import { FRESH_PAGE, Mm, TaskState } from '../../src/guest/kernel/layout.ts';
import { NONE, Sys } from '../../src/guest/program.ts';
import { StreamBuilder } from '../../src/guest/traces/builder.ts';
import { isPresent, PAGE_RW } from '../../src/hardware/entry.ts';
import { Rig, type RigSpec } from '../rig.ts';
import { audit, readGuest } from './at-rest.ts';
import { DATA, DATA_PAGES, entryAt, inState, mms, PAGE, processes, written } from './processes.ts';

const REPAIRED = { discipline: 'guest-lock', defects: [] } as const;

const KINDS = (['nonpae', 'pae'] as const).flatMap((paging) =>
  VIRTUALIZATIONS.map((virtualization) => ({ paging, virtualization })),
);

const changed = (stream: StreamBuilder): StreamBuilder => {
  for (let page = 0; page < DATA_PAGES; page++) stream.modify(DATA + page * PAGE + page * 4);
  return stream;
};

const violations = ({ host }: Rig): string[] => checkAll(host).map(({ text }) => text);

describe.each(KINDS)('$virtualization, $paging: a copy made by the child', (kind) => {
  const run = (fork: number) => {
    const main = changed(written(new StreamBuilder()).syscall(fork, 1)).syscall(Sys.wait4);
    const rig = new Rig({
      program: processes(main, [changed(new StreamBuilder())]),
      ...kind,
      ...REPAIRED,
    });
    rig.runAll(89);
    return { reason: rig.reason, user: rig.digest().user, wrong: rig.violations() };
  };

  test('ends as one made by the parent', () => {
    const byChild = run(Sys.forkByChild);
    expect(byChild).toMatchObject({ reason: 'Power down', wrong: [] });
    expect(byChild).toEqual(run(Sys.forkCopy));
  });

  test('write-protects the parent’s pages while another table is in use', () => {
    const main = changed(written(new StreamBuilder()).syscall(Sys.forkByChild, 1));
    const rig = new Rig({
      program: processes(main.syscall(Sys.wait4), [new StreamBuilder()]),
      ...kind,
      ...REPAIRED,
    });
    const parent = () => entryAt(rig, mms(rig)[0]!, DATA);
    const taken = () =>
      inState(rig, TaskState.WaitingCopy) === 1 &&
      isPresent(parent()) &&
      (parent().low & PAGE_RW) === 0;
    expect(rig.runUntil(taken, 5)).toBe(true);
    const [first, second] = mms(rig).map((mm) => readGuest(rig.host, mm + Mm.pgd));
    expect(rig.vcpu().cr3).toBe(second);
    expect(second).not.toBe(first);
  });
});

test('a child whose parent is killed before the copy ends as well', () => {
  // The child that is to copy gets the slot of one that ended, so that main runs next.
  const main = written(new StreamBuilder()).syscall(Sys.forkCopy, 2).syscall(Sys.forkCopy, 1);
  main.syscall(Sys.wait4).syscall(Sys.schedule).syscall(Sys.kill, 1).syscall(Sys.wait4);
  const child = new StreamBuilder().syscall(Sys.schedule);
  child.syscall(Sys.forkByChild, 3).syscall(Sys.pause);
  const kids = [child, new StreamBuilder(), new StreamBuilder().store(DATA)];
  const rig = new Rig({ program: processes(main, kids), ...REPAIRED });
  const waits = () => inState(rig, TaskState.WaitingCopy) === 1;
  expect(rig.runUntil(waits, 5)).toBe(true);
  expect(rig.runUntil(() => !waits(), 5)).toBe(true);
  expect(mms(rig)).toHaveLength(3);
  expect(inState(rig, TaskState.Zombie) + inState(rig, TaskState.Paused)).toBe(1);
  rig.runAll(30);
  expect([rig.reason, audit(rig.host), rig.violations()]).toEqual(['Power down', [], []]);
});

describe.each(KINDS)('$virtualization, $paging: a process killed by its parent', (kind) => {
  /** A parent that kills a child of two threads; `gives`: how often it yields before. */
  const run = (gives: number, more: Partial<RigSpec> = {}, rounds = 1) => {
    const main = written(new StreamBuilder());
    for (let round = 0; round < rounds; round++) {
      main.syscall(Sys.forkCopy, 1);
      for (let n = 0; n < gives; n++) main.syscall(Sys.schedule);
      main.syscall(Sys.kill, 1).syscall(Sys.wait4);
    }
    const child = changed(new StreamBuilder()).syscall(Sys.pause);
    const program = processes(changed(main), [child]);
    const second = changed(new StreamBuilder()).syscall(Sys.exit, 0, NONE);
    const [parent, victim] = program.processes;
    const threads = [...victim!.threads, second.build()];
    const rig = new Rig({
      program: { ...program, processes: [parent!, { ...victim!, threads }] },
      ...kind,
      ...REPAIRED,
      ...more,
    });
    rig.runAll(89);
    return rig;
  };

  test.each([0, 1, 3])('is gone with its pages, after running %i times', (gives) => {
    const rig = run(gives);
    expect(rig.reason).toBe('Power down');
    expect(mms(rig)).toHaveLength(1);
    expect(violations(rig)).toEqual([]);
    expect(rig.violations()).toEqual([]);
  });

  test('leaves nothing behind, over many rounds', () => {
    const fresh = (rounds: number) => readGuest(run(1, {}, rounds).host, FRESH_PAGE);
    expect(fresh(30)).toBe(fresh(3));
  });

  test.runIf(kind.virtualization !== 'direct')('also while it runs on other vCPUs', () => {
    const rig = run(2, { vcpus: 3, hostCpus: 2 }, 5);
    expect([rig.reason, mms(rig).length]).toEqual(['Power down', 1]);
    expect(violations(rig)).toEqual([]);
  });
});

test('a process that is no child of the caller’s is not killed', () => {
  const child = changed(new StreamBuilder());
  const main = written(new StreamBuilder()).syscall(Sys.forkCopy, 1);
  const ends = [1, 2].map((process) => {
    const stream = written(new StreamBuilder()).syscall(Sys.forkCopy, 1);
    return stream.syscall(Sys.kill, process + 1).syscall(Sys.wait4);
  });
  const digests = [main.syscall(20).syscall(Sys.wait4), ...ends].map((stream) => {
    const rig = new Rig({
      program: processes(stream, [changed(new StreamBuilder())]),
      ...REPAIRED,
    });
    rig.runAll(100);
    return { reason: rig.reason, user: rig.digest().user };
  });
  expect(child.length).toBe(DATA_PAGES);
  expect(digests[1]).toEqual(digests[0]);
  expect(digests[2]).toEqual(digests[0]);
});
