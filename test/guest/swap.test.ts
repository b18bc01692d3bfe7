/** Pages that are swapped out of the tables of sleeping processes, and in again. */

import { describe, expect, test } from 'vitest';
import { VIRTUALIZATIONS } from '../../shared/virtualization.ts';
import { checkAll } from '../../src/check/invariants.ts';
import { MEM_MAP, TaskState } from '../../src/guest/kernel/layout.ts';
import { isSwapped, pageOf } from '../../src/guest/kernel/page-tables.ts';
import { Sys } from '../../src/guest/program.ts';
import { StreamBuilder } from '../../src/guest/traces/builder.ts';
import { type Entry, isPresent, PAGE_RW } from '../../src/hardware/entry.ts';
import { Rig } from '../rig.ts';
import { readGuest } from './at-rest.ts';
import { DATA, DATA_PAGES, entryAt, inState, mms, PAGE, processes, written } from './processes.ts';

const KINDS = (['nonpae', 'pae'] as const).flatMap((paging) =>
  VIRTUALIZATIONS.map((virtualization) => ({ paging, virtualization })),
);

/** The pages; one word of each is written. */
const PAGES = Array.from({ length: DATA_PAGES }, (_, page) => page);

/** Pages that one round swaps out. */
const OUT = 8;

const present = (entry: Entry): boolean => isPresent(entry);
const writable = (entry: Entry): boolean => isPresent(entry) && (entry.low & PAGE_RW) !== 0;

/** The operations of main before it sleeps with the others, and those of the first child. */
interface Before {
  readonly main?: (main: StreamBuilder) => StreamBuilder;
  readonly child?: (child: StreamBuilder) => StreamBuilder;
}

describe.each(KINDS)('$virtualization, $paging', (kind) => {
  /** A process and a copy of it, all asleep, after this many rounds of a kernel thread. */
  function asleep(rounds: number, { main = (m) => m, child = (c) => c }: Before = {}) {
    const parent = main(written(new StreamBuilder()).syscall(Sys.forkCopy, 1));
    const rig = new Rig({
      program: processes(
        parent.syscall(Sys.pause),
        [child(new StreamBuilder()).syscall(Sys.pause)],
        [{ work: 'swap', rounds }],
      ),
      ...kind,
      discipline: 'guest-lock',
      defects: [],
    });
    const busy = () => inState(rig, TaskState.Runnable) + inState(rig, TaskState.Running);
    const still = () => inState(rig, TaskState.Paused) === 2 && busy() === 0;
    expect(rig.runUntil(still, 20)).toBe(true);
    expect(checkAll(rig.host).map(({ text }) => text)).toEqual([]);
    const entries = mms(rig).map((mm) => PAGES.map((page) => entryAt(rig, mm, DATA + page * PAGE)));
    return { rig, parent: entries[0]!, child: entries[1]! };
  }

  test('a page mapped by two processes leaves both tables, into one slot', () => {
    const { rig, parent, child } = asleep(1);
    const out = PAGES.filter((page) => isSwapped(parent[page]!));
    expect(out).toHaveLength(OUT);
    for (const page of out) {
      expect(child[page]!.low).toBe(parent[page]!.low);
      const slot = pageOf(parent[page]!);
      expect(readGuest(rig.host, MEM_MAP + slot * 4)).toBe(2);
      expect(readGuest(rig.host, slot * PAGE + page * 4)).not.toBe(0);
    }
    expect(PAGES.filter((page) => present(parent[page]!))).toHaveLength(DATA_PAGES - OUT);
  });

  test('a round swaps all in, shared and write-protected', () => {
    const { rig, parent, child } = asleep(2);
    for (const page of PAGES) {
      expect([present(parent[page]!), writable(parent[page]!)]).toEqual([true, false]);
      expect(pageOf(child[page]!)).toBe(pageOf(parent[page]!));
      expect(readGuest(rig.host, pageOf(parent[page]!) * PAGE + page * 4)).not.toBe(0);
    }
  });

  test('a page of one process alone is swapped in writable, until a round swaps it out', () => {
    const child = (stream: StreamBuilder) => written(stream);
    // The child writes all of them before the kernel thread runs.
    const main = (stream: StreamBuilder) => stream.syscall(Sys.schedule);
    const back = asleep(2, { main, child });
    expect(PAGES.filter((page) => writable(back.child[page]!))).toEqual(PAGES);
    const taken = asleep(9, { main, child });
    expect(PAGES.filter((page) => writable(taken.child[page]!))).toEqual([]);
    expect(PAGES.filter((page) => present(taken.child[page]!))).toEqual(PAGES);
  });
});

describe.each(KINDS)('$virtualization, $paging: memory ends as without swapping', (kind) => {
  /** Two processes that read and write shared pages, and yield after each step. */
  const end = (rounds: number) => {
    const steps = (stream: StreamBuilder): StreamBuilder => {
      for (let n = 0; n < 40; n++) {
        stream.syscall(Sys.schedule).load(DATA + ((n * 7) % DATA_PAGES) * PAGE);
        stream.modify(DATA + ((n * 5) % DATA_PAGES) * PAGE + n * 4);
      }
      return stream;
    };
    const main = steps(written(new StreamBuilder()).syscall(Sys.forkCopy, 1));
    const child = steps(new StreamBuilder());
    const rig = new Rig({
      program: processes(main.syscall(Sys.wait4), [child], [{ work: 'swap', rounds }]),
      ...kind,
      discipline: 'guest-lock',
      defects: [],
    });
    rig.runAll(97);
    return { reason: rig.reason, user: rig.digest().user, wrong: rig.violations() };
  };
  const without = end(0);

  test.each([1, 5, 60])('%i rounds', (rounds) => {
    expect(without).toMatchObject({ reason: 'Power down', wrong: [] });
    expect(end(rounds)).toEqual(without);
  });
});
