/** execve: a process runs another program, and no memory of the old one is left. */

import { describe, expect, test } from 'vitest';
import { type OperationStream, type Program, Prot, Sys } from '../../src/guest/program.ts';
import { StreamBuilder } from '../../src/guest/traces/builder.ts';
import { Rig } from '../rig.ts';
import { audit } from './at-rest.ts';

const OLD = 0x8000_0000;
const NEW = 0x9000_0000;

const image = (start: number, ...threads: OperationStream[]) => ({
  command: 'test',
  regions: [{ start, end: start + 0x4000, prot: Prot.Read | Prot.Write }],
  threads,
});

const program = (main: StreamBuilder, next: StreamBuilder, other?: StreamBuilder): Program => ({
  name: 'exec',
  processes: [
    image(OLD, main.build(), ...(other === undefined ? [] : [other.build()])),
    image(NEW, next.build()),
  ],
});

function endOf(source: Program, vcpus: number, quantum: number) {
  const rig = new Rig({
    program: source,
    vcpus,
    hostCpus: 2,
    discipline: 'guest-lock',
    defects: [],
  });
  rig.runAll(quantum);
  const wrong = audit(rig.host);
  return { reason: rig.reason, user: rig.digest().user, wrong: [...wrong, ...rig.violations()] };
}

const start = () => new StreamBuilder().store(OLD).syscall(Sys.execve, 1);

describe('execve', () => {
  test('of the first process continues in the other program, whose end ends the guest', () => {
    const end = endOf(program(start(), new StreamBuilder().store(NEW)), 1, 100);
    expect(end).toMatchObject({ reason: 'Power down', wrong: [] });
    const longer = endOf(program(start(), new StreamBuilder().store(NEW).store(NEW + 8)), 1, 100);
    expect(longer.user).not.toBe(end.user);
  });

  test('leaves none of the old memory mapped', () => {
    const { reason } = endOf(program(start(), new StreamBuilder().load(OLD)), 1, 100);
    expect(reason).toBe('CRASH: Kernel panic - init got SIGSEGV at 0x80000000');
  });

  test('ends the other threads, wherever and however far they have run', () => {
    const make = () => {
      const other = new StreamBuilder();
      for (let i = 0; i < 5000; i++) other.modify(OLD + 0x1000).syscall(20);
      const main = new StreamBuilder().syscall(Sys.clone, 0, 1);
      for (let i = 0; i < 50; i++) main.modify(OLD).syscall(20);
      const next = new StreamBuilder();
      for (let i = 0; i < 50; i++) next.modify(NEW + i * 8).syscall(20);
      return program(main.syscall(Sys.execve, 1), next, other);
    };
    const alone = endOf(make(), 1, 1000);
    expect(alone).toMatchObject({ reason: 'Power down', wrong: [] });
    expect(endOf(make(), 2, 61)).toEqual(alone);
    expect(endOf(make(), 4, 501)).toEqual(alone);
  });

  test('of a process that is not in the program only traps', () => {
    const main = new StreamBuilder().store(OLD).syscall(Sys.execve, 0x8048_0000).load(OLD);
    expect(endOf(program(main, new StreamBuilder()), 1, 100).reason).toBe('Power down');
  });
});

test('a copied child continues in its parent’s memory', () => {
  const main = new StreamBuilder().store(OLD).syscall(Sys.forkCopy, 1).syscall(Sys.wait4).load(OLD);
  const of = (child: StreamBuilder) => endOf(program(main, child), 1, 100);
  const { reason, user } = of(new StreamBuilder().load(OLD));
  expect(reason).toBe('Power down');
  const again = new StreamBuilder().store(OLD).syscall(Sys.fork, 1).syscall(Sys.wait4).load(OLD);
  // After exec the address is unmapped, and the child is killed before it computes anything.
  const execed = endOf(program(again, new StreamBuilder().load(OLD)), 1, 100);
  expect(execed.reason).toBe('Power down');
  expect(execed.user).not.toBe(user);
});
