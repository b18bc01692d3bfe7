import { describe, expect, test } from 'vitest';
import { FrameKind, HOST_OWNED, POISON } from '../../shared/frames.ts';
import type { Host } from '../../shared/host.ts';
import { joinMachine } from '../../src/assembly.ts';
import { HostOops } from '../../src/errors.ts';
import { frameStart, NO_FRAME, PAGE_WORDS, type Pfn, toPfn } from '../../src/hardware/address.ts';
import { onThreads, smallMachine } from './machine.ts';

/** Allocate frames until none is left. */
function takeAll(host: Host): Pfn[] {
  const taken: Pfn[] = [];
  for (;;) {
    const pfn = host.frames.allocate(FrameKind.GuestPage, 0);
    if (pfn === NO_FRAME) return taken;
    taken.push(pfn);
  }
}

const contents = (host: Host, pfn: Pfn): Set<number> =>
  new Set(host.words.plain.subarray(frameStart(pfn), frameStart(pfn) + PAGE_WORDS));

describe('the pool', () => {
  test('hands out every frame once, zeroed, and is then empty', () => {
    const { host } = smallMachine({ frames: 300, pages: 4 });
    const taken = takeAll(host);
    // Less the zero page, 3 Switcher pages, 1 regs page and 4 guest pages.
    expect(taken).toHaveLength(300 - 9);
    expect(new Set(taken).size).toBe(taken.length);
    for (const pfn of taken) {
      expect(host.frames.exists(pfn)).toBe(true);
      expect(contents(host, pfn)).toEqual(new Set([0]));
    }
  });

  test('hands all of them out again after they were freed', () => {
    const { host } = smallMachine({ frames: 300 });
    const taken = takeAll(host);
    for (let round = 0; round < 3; round++) {
      for (const pfn of taken) host.frames.disown(pfn);
      expect(new Set(takeAll(host))).toEqual(new Set(taken));
    }
  });

  test('fills freed frames with junk', () => {
    const { host } = smallMachine();
    const pfn = host.frames.allocate(FrameKind.GuestPage, 0);
    host.frames.disown(pfn);
    expect(contents(host, pfn)).toEqual(new Set([POISON]));
    expect(host.frames.kind(pfn)).toBe(FrameKind.Free);
  });

  test('loses and doubles no frame under many CPUs', async () => {
    const hostCpus = 4;
    const { shared, host } = smallMachine({ hostCpus, frames: 200 });
    const all = takeAll(host);
    for (const pfn of all) host.frames.disown(pfn);
    // Together they want more than there is.
    const wrong = await onThreads<number>(
      'frames-worker.ts',
      Array.from({ length: hostCpus }, (_, cpu) => ({ shared, cpu, rounds: 30_000, most: 60 })),
    );
    expect(wrong).toEqual([0, 0, 0, 0]);
    // The rest in each CPU's cache is handed out to that CPU.
    const left = [host, ...host.cpus.map(({ index }) => joinMachine(shared, index))].flatMap(
      takeAll,
    );
    expect(left).toHaveLength(all.length);
    expect(new Set(left)).toEqual(new Set(all));
  });
});

describe('a frame', () => {
  test('has a kind and an owner', () => {
    const { host } = smallMachine();
    const pfn = host.frames.allocate(FrameKind.PageTable, 7);
    expect([host.frames.kind(pfn), host.frames.owner(pfn)]).toEqual([FrameKind.PageTable, 7]);
    expect(host.frames.owner(host.zeroPage)).toBe(HOST_OWNED);
    expect(host.frames.kind(toPfn(0))).toBe(FrameKind.Host);
    expect(host.switcherPages.map((page) => host.frames.kind(page))).toEqual([6, 6, 6]);
  });

  test('lives as long as its owner or a reference holds it', () => {
    const { host } = smallMachine();
    const { frames } = host;
    for (const last of ['owner', 'reference']) {
      const pfn = frames.allocate(FrameKind.GuestPage, 0);
      frames.get(pfn);
      frames.get(pfn);
      expect([frames.references(pfn), frames.isOwned(pfn)]).toEqual([2, true]);
      frames.put(pfn);
      if (last === 'owner') frames.put(pfn);
      else frames.disown(pfn);
      expect(frames.kind(pfn)).toBe(FrameKind.GuestPage);
      expect(frames.isOwned(pfn)).toBe(last === 'owner');
      if (last === 'owner') frames.disown(pfn);
      else frames.put(pfn);
      expect(frames.kind(pfn)).toBe(FrameKind.Free);
      expect(frames.references(pfn)).toBe(0);
    }
  });

  test('with a reference dropped too often is freed under its owner, and the CPU is recorded', () => {
    const { host, shared } = smallMachine({ hostCpus: 2 });
    const { frames } = host;
    const pfn = frames.allocate(FrameKind.GuestPage, 0);
    host.words.store(frameStart(pfn), 7);
    const other = joinMachine(shared, 1);
    other.cpus[1]!.runningVcpu = 1;
    other.frames.put(pfn);
    expect(frames.kind(pfn)).toBe(FrameKind.Free);
    // Its owner is not notified, and still finds what it wrote.
    expect(host.words.load(frameStart(pfn))).toBe(7);
    const told = { frame: pfn, kind: FrameKind.GuestPage, owner: 0, hostCpu: 1, vcpu: 0 };
    expect(host.machine.overPuts.list()).toEqual([told]);
    // Until it is allocated again, and the first owner frees the new one's.
    expect(other.frames.allocate(FrameKind.PageTable, 0)).toBe(pfn);
    expect(host.words.load(frameStart(pfn))).toBe(0);
    frames.disown(pfn);
    expect(frames.kind(pfn)).toBe(FrameKind.Free);
    expect(host.machine.overPuts.count).toBe(1);
  });

  test('that is free already, or reserved, is not freed again', () => {
    const { host } = smallMachine();
    const { frames } = host;
    const pfn = frames.allocate(FrameKind.GuestPage, 0);
    for (let i = 0; i < 3; i++) frames.put(pfn);
    frames.disown(pfn);
    frames.get(pfn);
    frames.get(pfn);
    for (let i = 0; i < 4; i++) frames.put(pfn);
    const kinds = host.machine.overPuts.list().map(({ kind }) => kind);
    expect(kinds.slice(0, 2)).toEqual([FrameKind.GuestPage, FrameKind.Free]);
    const taken = takeAll(host);
    expect(taken).toHaveLength(new Set(taken).size);
    frames.put(host.zeroPage);
    expect(frames.kind(host.zeroPage)).toBe(FrameKind.Zero);
    expect(host.machine.overPuts.list().map(({ frame }) => frame)).toContain(host.zeroPage);
  });

  test('of which only the first few freed under their owners are kept, and all counted', () => {
    const { host } = smallMachine();
    const all = Array.from({ length: 12 }, () => host.frames.allocate(FrameKind.GuestPage, 0));
    for (const pfn of all) host.frames.put(pfn);
    expect(host.machine.overPuts.list().map(({ frame }) => frame)).toEqual(all.slice(0, 8));
    expect(host.machine.overPuts.list()[0]).toMatchObject({ hostCpu: 1, vcpu: undefined });
    expect(host.machine.overPuts.count).toBe(12);
  });

  test('beyond host memory does not exist', () => {
    const { host } = smallMachine();
    const { totalFrames } = host.layout;
    expect([-1, 0, totalFrames - 1, totalFrames].map((n) => host.frames.exists(n))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});

test('the host dies of a reference to a frame that does not exist, and writes nowhere', () => {
  const { host } = smallMachine();
  const before = host.words.plain.slice();
  for (const act of ['get', 'put', 'disown'] as const) {
    expect(() => host.frames[act](toPfn(host.layout.totalFrames))).toThrow(HostOops);
  }
  expect(host.words.plain.every((word, i) => word === before[i])).toBe(true);
});

test('allocations fail on demand, after the given number', () => {
  const { host } = smallMachine();
  const { frames, machine } = host;
  const table = () => frames.getZeroedPage(FrameKind.PageTable, 0) !== NO_FRAME;
  machine.failAllocationsAfter(2);
  expect([table(), table(), table(), table()]).toEqual([true, true, false, false]);
  // The Launcher's own memory does not count.
  expect(frames.allocate(FrameKind.GuestPage, 0)).not.toBe(NO_FRAME);
  machine.failAllocationsAfter(-1);
  expect([table(), table(), table()]).toEqual([true, true, true]);
});
