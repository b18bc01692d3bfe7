import { describe, expect, test } from 'vitest';
import { FrameKind, POISON } from '../../shared/frames.ts';
import { Vma } from '../../shared/launcher-map.ts';
import { frameStart, NO_FRAME, type Pfn, toGpfn, wordInFrame } from '../../src/hardware/address.ts';
import { onThreads, smallMachine } from './machine.ts';

const PAGE = toGpfn(2);

function mapped(state: Vma) {
  const { host } = smallMachine();
  const { map } = host.guests[0]!;
  map.set(PAGE, state);
  return { host, map, frames: host.frames, zero: host.zeroPage };
}

describe('discarding a page', () => {
  test('gives its frame to the caller, which holds it for other users', () => {
    const { map, frames, zero } = mapped(Vma.ReadWrite);
    const frame = map.frame(PAGE);
    expect(map.discard(PAGE)).toBe(frame);
    expect([map.state(PAGE), map.frame(PAGE)]).toEqual([Vma.CopyOnWrite, zero]);
    expect([frames.isOwned(frame), frames.references(frame)]).toEqual([false, 1]);
    frames.put(frame);
    expect(frames.kind(frame)).toBe(FrameKind.Free);
  });

  test('does nothing to one that has no frame for writing', () => {
    for (const state of [Vma.None, Vma.ReadOnly, Vma.CopyOnWrite]) {
      const { map } = mapped(state);
      const before = map.frame(PAGE);
      expect(map.discard(PAGE)).toBe(NO_FRAME);
      expect([map.state(PAGE), map.frame(PAGE)]).toEqual([state, before]);
    }
  });

  test('takes and holds the present frame, when another CPU was first', () => {
    const { host, map, frames } = mapped(Vma.ReadWrite);
    const first = map.frame(PAGE);
    const getIfOwned = frames.getIfOwned.bind(frames);
    let fired = false;
    // Between reading the map and changing it another discards the page, and it is written again.
    frames.getIfOwned = (pfn) => {
      frames.getIfOwned = getIfOwned;
      const held = getIfOwned(pfn);
      frames.put(map.discard(PAGE));
      map.frameForHost(PAGE, true);
      fired = true;
      return held;
    };
    const frame = map.discard(PAGE);
    expect([fired, frame === first]).toEqual([true, false]);
    expect([frames.isOwned(frame), frames.references(frame)]).toEqual([false, 1]);
    frames.put(frame);
    expect([frames.kind(first), frames.kind(frame)]).toEqual([FrameKind.Free, FrameKind.Free]);
    expect(host.machine.overPuts.count).toBe(0);
  });
});

describe('a page that is', () => {
  test('read-write has a frame of its own, for reading and writing', () => {
    const { map, frames } = mapped(Vma.ReadWrite);
    const frame = map.frame(PAGE);
    expect(frames.kind(frame)).toBe(FrameKind.GuestPage);
    expect([map.getUserPage(PAGE, false), map.getUserPage(PAGE, true)]).toEqual([frame, frame]);
    expect(frames.references(frame)).toBe(2);
    expect([map.frameForHost(PAGE, false), map.frameForHost(PAGE, true)]).toEqual([frame, frame]);
    expect(frames.references(frame)).toBe(2);
  });

  test('read-only is available for reading alone', () => {
    const { map, frames } = mapped(Vma.ReadOnly);
    const frame = map.frame(PAGE);
    expect(map.getUserPage(PAGE, true)).toBe(NO_FRAME);
    expect(map.getUserPage(PAGE, false)).toBe(frame);
    expect(map.frameForHost(PAGE, true)).toBe(NO_FRAME);
    expect(map.frameForHost(PAGE, false)).toBe(frame);
    expect(frames.references(frame)).toBe(1);
  });

  test('not mapped is not available', () => {
    const { map } = mapped(Vma.None);
    for (const write of [false, true]) {
      expect(map.getUserPage(PAGE, write)).toBe(NO_FRAME);
      expect(map.frameForHost(PAGE, write)).toBe(NO_FRAME);
    }
  });

  test('copy-on-write is the zero page until it is written', () => {
    const { map, frames, zero } = mapped(Vma.CopyOnWrite);
    expect(map.getUserPage(PAGE, false)).toBe(zero);
    expect([map.state(PAGE), map.frame(PAGE)]).toEqual([Vma.CopyOnWrite, zero]);
    const copy = map.getUserPage(PAGE, true);
    expect([map.state(PAGE), map.frame(PAGE)]).toEqual([Vma.ReadWrite, copy]);
    expect([frames.kind(copy), frames.references(copy)]).toEqual([FrameKind.GuestPage, 1]);
    // An earlier reader still holds the zero page.
    expect(frames.references(zero)).toBe(1);
    expect(map.getUserPage(PAGE, false)).toBe(copy);
  });

  test('copy-on-write is copied for the host’s own writing as well', () => {
    const { map, zero } = mapped(Vma.CopyOnWrite);
    expect(map.frameForHost(PAGE, false)).toBe(zero);
    expect(map.frameForHost(PAGE, true)).toBe(map.frame(PAGE));
    expect(map.state(PAGE)).toBe(Vma.ReadWrite);
  });

  test('copy-on-write stays so when there is no memory for the copy', () => {
    const { map, host, zero } = mapped(Vma.CopyOnWrite);
    host.machine.failAllocationsAfter(0);
    expect([map.getUserPage(PAGE, true), map.frameForHost(PAGE, true)]).toEqual([0, 0]);
    expect([map.state(PAGE), map.frame(PAGE)]).toEqual([Vma.CopyOnWrite, zero]);
    expect(host.frames.references(zero)).toBe(0);
  });
});

describe('the Launcher', () => {
  test('protects a page without moving it', () => {
    const { map, host } = mapped(Vma.ReadWrite);
    const frame = map.frame(PAGE);
    host.words.store(wordInFrame(frame, 8), 42);
    map.set(PAGE, Vma.ReadOnly);
    map.set(PAGE, Vma.ReadWrite);
    expect(map.frame(PAGE)).toBe(frame);
    expect(host.words.load(wordInFrame(frame, 8))).toBe(42);
  });

  test('discards a frame, which lives on while a shadow entry holds it', () => {
    const { map, host, frames } = mapped(Vma.ReadWrite);
    const frame = map.getUserPage(PAGE, true);
    map.set(PAGE, Vma.None);
    expect([frames.isOwned(frame), frames.references(frame)]).toEqual([false, 1]);
    expect(host.words.load(frameStart(frame))).toBe(0);
    frames.put(frame);
    expect(host.words.load(frameStart(frame))).toBe(POISON);
  });

  test('maps a new zeroed frame where there was none', () => {
    const { map, host } = mapped(Vma.ReadWrite);
    host.words.store(frameStart(map.frame(PAGE)), 42);
    map.set(PAGE, Vma.CopyOnWrite);
    map.set(PAGE, Vma.ReadOnly);
    expect(host.words.load(frameStart(map.frame(PAGE)))).toBe(0);
  });

  test('fails without memory, and the page stays as it was', () => {
    const { host, map, frames } = mapped(Vma.None);
    while (frames.allocate(FrameKind.GuestPage, 0) !== NO_FRAME);
    expect(map.set(PAGE, Vma.ReadWrite)).toBe(false);
    expect([map.state(PAGE), map.frame(PAGE)]).toEqual([Vma.None, NO_FRAME]);
    expect(map.set(PAGE, Vma.CopyOnWrite)).toBe(true);
    expect(map.frame(PAGE)).toBe(host.zeroPage);
  });
});

test('several CPUs that break copy-on-write at once agree on one copy, and no reference is lost', async () => {
  const [hostCpus, pages] = [4, 2000];
  const { shared, host } = smallMachine({ hostCpus, pages, frames: 2 * pages + 100 });
  const { map } = host.guests[0]!;
  for (let page = 0; page < pages; page++) map.set(toGpfn(page), Vma.CopyOnWrite);
  const got = await onThreads<[Pfn, Pfn][]>(
    'launcher-map-worker.ts',
    Array.from({ length: hostCpus }, (_, cpu) => ({ shared, cpu })),
  );
  const taken = new Map<Pfn, number>();
  for (const frame of got.flat(2)) taken.set(frame, (taken.get(frame) ?? 0) + 1);
  const wrong = Array.from(taken).filter(([frame, n]) => host.frames.references(frame) !== n);
  expect(wrong).toEqual([]);
  for (let page = 0; page < pages; page++) {
    expect(new Set(got.map((frames) => frames[page]![1]))).toEqual(
      new Set([map.frame(toGpfn(page))]),
    );
  }
  expect(taken.size).toBe(taken.has(host.zeroPage) ? pages + 1 : pages);
});
