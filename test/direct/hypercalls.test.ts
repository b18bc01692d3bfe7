/** Requests of a guest with direct paging: those that succeed, and those that kill it. */

import { beforeEach, describe, expect, test } from 'vitest';
import { Hypercall } from '../../shared/hypercall.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import { Dead } from '../../shared/lguest.ts';
import { checkDirect } from '../../src/check/direct.ts';
import { checkAll } from '../../src/check/invariants.ts';
import { doDirectHcall } from '../../src/direct/hypercalls.ts';
import { levelOf, typeOf, usesOf, WRITABLE } from '../../src/direct/types.ts';
import { builtinPrograms } from '../../src/guest/programs.ts';
import {
  type Gpfn,
  gpfnOf,
  toGpa,
  toGpfn,
  toPfn,
  wordInFrame,
} from '../../src/hardware/address.ts';
import { type Entry, isPresent, makeEntry, PAGE_RW, ptePfn } from '../../src/hardware/entry.ts';
import { Rig } from '../rig.ts';

let rig: Rig;
let cpu: LgCpu;

beforeEach(() => {
  rig = new Rig({ program: builtinPrograms['churn']!(), virtualization: 'direct' });
  cpu = rig.vcpu();
  // Its kernel has booted, and the first process has mapped something.
  cpu.quantum = 20_000;
  rig.cpus[0]!.runner.run(cpu);
  expect(cpu.linearPages).toBe(false);
});

const hypercall = (number: number, a: number, entry?: Entry): boolean =>
  doDirectHcall(cpu, number, a, entry?.low ?? 0, entry?.high ?? 0);

const pageWhere = (is: (page: Gpfn) => boolean): Gpfn => {
  for (let page = toGpfn(0); page < cpu.lg.pfnLimit; page = toGpfn(page + 1)) {
    if (is(page)) return page;
  }
  throw new Error('no such page');
};

const lastTable = (): Gpfn => pageWhere((page) => levelOf(typeOf(cpu.lg, page)) === 1);

const entryOf = (table: Gpfn, i: number): Entry =>
  cpu.lg.entry(wordInFrame(cpu.lg.map.frame(table), i * 4));

describe('the guest’s tables', () => {
  test('hold frames, and are walked as they are', () => {
    const table = lastTable();
    const [present] = [...Array(1024).keys()].map((i) => entryOf(table, i)).filter(isPresent);
    const frame = toPfn(ptePfn(present!));
    const page = cpu.lg.host.frames.guestPage(frame);
    expect(cpu.lg.map.frame(page)).toBe(frame);
    expect(cpu.lg.pgdirs[0]!.gpgdir).toBe(cpu.cr3);
    expect(levelOf(typeOf(cpu.lg, gpfnOf(cpu.cr3)))).toBe(2);
  });

  test('cannot be mapped writable', () => {
    const table = lastTable();
    hypercall(Hypercall.MmuUpdate, table * 4096, makeEntry(table, 7));
    expect(cpu.lg.reason).toBe(`page ${table} is a page table, and is to be mapped for writing`);
  });

  test('may be mapped read-only', () => {
    const table = lastTable();
    const before = entryOf(table, 5);
    hypercall(Hypercall.MmuUpdate, table * 4096 + 20, makeEntry(table, 5));
    expect(cpu.lg.dead).toBe(Dead.Alive);
    expect(ptePfn(entryOf(table, 5))).toBe(cpu.lg.map.frame(table));
    expect(isPresent(before) && ptePfn(before) === ptePfn(entryOf(table, 5))).toBe(false);
    expect(checkDirect(rig.host)).toEqual([]);
  });
});

test('a writable page does not become a table', () => {
  const page = pageWhere((one) => typeOf(cpu.lg, one) === WRITABLE);
  hypercall(Hypercall.PinTable, page);
  expect(cpu.lg.reason).toMatch(`page ${page} is in use, and is to be a page table of level 2`);
});

test('lguest_data, which the host writes, does not become a table', () => {
  const page = gpfnOf(cpu.lguestData);
  hypercall(Hypercall.PinTable, page);
  expect(cpu.lg.reason).toMatch(/is the host’s to write/);
});

test('a page that is no page table has no entries to change', () => {
  const page = pageWhere((one) => typeOf(cpu.lg, one) === WRITABLE);
  hypercall(Hypercall.MmuUpdate, page * 4096, makeEntry(page, 5));
  expect(cpu.lg.reason).toMatch(/^no page table entry at/);
});

test('a page that is free, or past the end of memory, is not mapped', () => {
  const table = lastTable();
  hypercall(Hypercall.MmuUpdate, table * 4096, makeEntry(cpu.lg.pfnLimit, 5));
  expect(cpu.lg.reason).toBe('bad page table entry');
});

test('only a pinned page is unpinned', () => {
  hypercall(Hypercall.UnpinTable, lastTable());
  expect(cpu.lg.reason).toMatch(/^bad page to unpin/);
});

test('a table that is refused half-way leaves no references behind', () => {
  const { lg } = cpu;
  const free = pageWhere(
    (one) => one > 0x200 && typeOf(lg, one) === WRITABLE && usesOf(lg, one) === 1,
  );
  const table = pageWhere((one) => entriesMap(one, free));
  const index = [...Array(1024).keys()].find((i) => maps(entryOf(table, i), free))!;
  // The kernel frees the page, writes a table into it whose last entry is bad, and pins it.
  hypercall(Hypercall.MmuUpdate, table * 4096 + index * 4, makeEntry(free, 5));
  const frame = lg.map.frame(free);
  lg.setEntry(wordInFrame(frame, 0), makeEntry(0x300, PAGE_RW | 1));
  lg.setEntry(wordInFrame(frame, 4092), makeEntry(lg.pfnLimit, 1));
  hypercall(Hypercall.PinTable, free);
  expect(lg.dead).toBe(Dead.Killed);
  expect(typeOf(lg, free)).toBe(0);
  expect([...checkAll(rig.host), ...rig.violations()]).toEqual([]);
});

const maps = (entry: Entry, page: Gpfn): boolean =>
  isPresent(entry) && ptePfn(entry) === cpu.lg.map.frame(page);

const entriesMap = (table: Gpfn, page: Gpfn): boolean =>
  levelOf(typeOf(cpu.lg, table)) === 1 &&
  [...Array(1024).keys()].some((i) => maps(entryOf(table, i), page));

test('a page in use is not discarded under its tables', () => {
  const page = lastTable();
  cpu.pendingNotify = toGpa(page * 4096 + 1);
  cpu.quantum = 1;
  rig.cpus[0]!.runner.run(cpu);
  expect(cpu.lg.reason).toBe(`page ${page} is in use, and is to be discarded`);
});

describe('the checks find', () => {
  test('a writable table', () => {
    const table = lastTable();
    const { lg } = cpu;
    const at = wordInFrame(lg.map.frame(table), 0);
    lg.setEntry(at, makeEntry(lg.map.frame(table), 7));
    const found = checkDirect(rig.host).map(({ title }) => title);
    expect(found).toContain('a page table can be written');
  });

  test('a page that has more uses than its count', () => {
    const table = lastTable();
    const { lg } = cpu;
    const page = pageWhere((one) => typeOf(lg, one) === WRITABLE);
    lg.setEntry(wordInFrame(lg.map.frame(table), 4), makeEntry(lg.map.frame(page), 7));
    const found = checkDirect(rig.host).map(({ title }) => title);
    expect(found).toContain('a page is used otherwise than its type says');
  });
});
