/** Mappings that move: contents and rights move along, and no CPU finds a page at both places. */

import { describe, expect, test } from 'vitest';
import { EventKind } from '../../shared/events.ts';
import { Hypercall } from '../../shared/hypercall.ts';
import { VIRTUALIZATIONS } from '../../shared/virtualization.ts';
import { TaskState } from '../../src/guest/kernel/layout.ts';
import { isSwapped } from '../../src/guest/kernel/page-tables.ts';
import { NONE, Prot, Sys } from '../../src/guest/program.ts';
import { StreamBuilder } from '../../src/guest/traces/builder.ts';
import { Rig, type RigSpec } from '../rig.ts';
import { DATA, entryAt, inState, mms, PAGE, processes, written } from './processes.ts';

const KINDS = (['nonpae', 'pae'] as const).flatMap((paging) =>
  VIRTUALIZATIONS.map((virtualization) => ({ paging, virtualization })),
);

/** Below another last-level table, in both forms. */
const ELSEWHERE = 0x4000_0000;
const BYTES = 4 * PAGE;
const GETPID = 20;

type Step = (main: StreamBuilder) => StreamBuilder;

const move =
  (from = DATA, to = ELSEWHERE, bytes = BYTES): Step =>
  (main) =>
    main.syscall(Sys.mremap, from, bytes, to);

/** A process that writes all its pages and then takes these steps. */
function end(spec: Partial<RigSpec>, ...steps: Step[]) {
  const main = steps.reduce((stream, step) => step(stream), written(new StreamBuilder()));
  const rig = new Rig({
    program: processes(main),
    discipline: 'guest-lock',
    defects: [],
    ...spec,
  });
  rig.runAll(500);
  return { reason: rig.reason, user: rig.digest().user, wrong: rig.violations() };
}

const RIGHT = { reason: 'Power down', wrong: [] };

describe.each(KINDS)('$virtualization, $paging', (kind) => {
  test('a page keeps its contents, also when moved back', () => {
    const change: Step = (main) => {
      for (let page = 0; page < 4; page++) main.modify(DATA + page * PAGE + page * 4);
      return main;
    };
    const there = end(kind, move(), move(ELSEWHERE, DATA), change);
    expect(there).toMatchObject(RIGHT);
    expect(there).toEqual(
      end(
        kind,
        (main) => main.syscall(GETPID),
        (main) => main.syscall(GETPID),
        change,
      ),
    );
  });

  test('the old place is unmapped', () => {
    const load = (address: number) => end(kind, move(), (main) => main.load(address)).reason;
    expect(load(DATA + PAGE)).toContain('SIGSEGV at 0x8101000');
    expect(load(DATA + BYTES)).toBe('Power down');
  });

  test('a mapping at the new place is removed', () => {
    // Page 0 moves to the place of page 4, whose word is on no other page.
    const read: Step = (main) => main.load(DATA + 4 * PAGE + 16).store(DATA + 15 * PAGE);
    const onto = end(kind, move(DATA, DATA + 4 * PAGE, PAGE), read);
    expect(onto).toMatchObject(RIGHT);
    const never = end(kind, (main) => main.syscall(Sys.munmap, DATA, PAGE), read);
    expect(onto.user).not.toBe(never.user);
  });

  test('rights move along', () => {
    const protect: Step = (main) => main.syscall(Sys.mprotect, DATA, 2 * PAGE, Prot.Read);
    const store = (page: number) =>
      end(kind, protect, move(), (main) => main.store(ELSEWHERE + page * PAGE)).reason;
    expect(store(1)).toContain('SIGSEGV at 0x40001000');
    expect(store(2)).toBe('Power down');
  });

  test.each([
    ['onto itself', DATA, DATA + PAGE, BYTES],
    ['to an unaligned address', DATA, ELSEWHERE + 4, BYTES],
    ['into the kernel', DATA, 0xbfff_f000, BYTES],
    ['of length zero', DATA, ELSEWHERE, 0],
  ])('a move %s is refused, without effect', (_, from, to, bytes) => {
    const refused = end(kind, move(from, to, bytes));
    expect(refused).toMatchObject(RIGHT);
    expect(refused).toEqual(end(kind, (main) => main.syscall(GETPID)));
  });

  test('a swapped-out page moves too', () => {
    const main = move()(written(new StreamBuilder()).syscall(Sys.schedule)).syscall(Sys.pause);
    const rig = new Rig({
      program: processes(main, [], [{ work: 'swap', rounds: 1 }]),
      ...kind,
      discipline: 'guest-lock',
      defects: [],
    });
    expect(rig.runUntil(() => inState(rig, TaskState.Paused) === 1, 20)).toBe(true);
    const at = (address: number) => entryAt(rig, mms(rig)[0]!, address);
    for (let page = 0; page < 4; page++) {
      expect(isSwapped(at(ELSEWHERE + page * PAGE))).toBe(true);
      expect(at(DATA + page * PAGE).low).toBe(0);
    }
  });
});

test('a page shared by two processes and moved by one is not swapped out', () => {
  const main = written(new StreamBuilder()).syscall(Sys.forkCopy, 1).syscall(Sys.schedule);
  const child = move(DATA, ELSEWHERE, PAGE)(new StreamBuilder()).syscall(Sys.pause);
  const rig = new Rig({
    program: processes(main.syscall(Sys.pause), [child], [{ work: 'swap', rounds: 1 }]),
    discipline: 'guest-lock',
    defects: [],
  });
  expect(rig.runUntil(() => inState(rig, TaskState.Paused) === 2, 20)).toBe(true);
  const [parent] = mms(rig);
  const out = (page: number) => isSwapped(entryAt(rig, parent!, DATA + page * PAGE));
  expect([0, 1, 2].map(out)).toEqual([false, true, true]);
});

test.each(['nonpae', 'pae'] as const)(
  '%s: on several vCPUs the old entries leave all TLBs before the hypercall for the new ones',
  (paging) => {
    const main = written(new StreamBuilder()).syscall(Sys.clone, 0, 1);
    for (let n = 0; n < 500; n++) main.load(DATA + 8 * PAGE);
    const other = new StreamBuilder();
    for (let n = 0; n < 50_000; n++) other.load(DATA + 9 * PAGE);
    const program = processes(move()(main).syscall(Sys.exitGroup));
    const threads = [...program.processes[0]!.threads, other.syscall(Sys.exit, 0, NONE).build()];
    const rig = new Rig({
      program: { ...program, processes: [{ ...program.processes[0]!, threads }] },
      paging,
      vcpus: 2,
      discipline: 'guest-lock',
      defects: [],
    });
    rig.runAll(97);
    expect(rig.reason).toBe('Power down');
    const calls = rig.host.events.last(0).filter(({ kind }) => kind === EventKind.Hypercall);
    const told = (base: number) =>
      calls.flatMap(({ a, b, c }, i) =>
        a === Hypercall.SetPte && c >= base && c < base + BYTES && b !== 0 ? [i] : [],
      );
    const [old, fresh] = [told(DATA), told(ELSEWHERE)];
    const flushes = calls.flatMap(({ a }, i) => (a === Hypercall.FlushTlb ? [i] : []));
    expect(fresh).toHaveLength(4);
    // The last four of the old place: it was mapped before.
    const cleared = old.slice(-4);
    expect(flushes.some((i) => i > cleared.at(-1)! && i < fresh[0]!)).toBe(true);
  },
);
