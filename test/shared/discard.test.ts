/** Pages that the Launcher discards while other CPUs use them. */

import { expect, test } from 'vitest';
import { FrameKind } from '../../shared/frames.ts';
import { Vma } from '../../shared/launcher-map.ts';
import { joinMachine } from '../../src/assembly.ts';
import { NO_FRAME, toGpfn, toPfn } from '../../src/hardware/address.ts';
import { onThreads, smallMachine } from './machine.ts';

test('no frame is freed twice, leaked, or owned by two CPUs', async () => {
  const [hostCpus, pages, frames] = [4, 8, 300];
  const { shared, host } = smallMachine({ hostCpus, pages, frames });
  const { map } = host.guests[0]!;
  for (let page = 0; page < pages; page++) map.set(toGpfn(page), Vma.CopyOnWrite);
  const foreign = await onThreads<number>(
    'discard-worker.ts',
    Array.from({ length: hostCpus }, (_, cpu) => ({ shared, cpu, rounds: 4000 })),
  );
  expect(foreign).toEqual([0, 0, 0, 0]);
  for (let page = 0; page < pages; page++) map.set(toGpfn(page), Vma.None);
  expect(host.frames.references(host.zeroPage)).toBe(0);
  // All remaining frames, from every CPU's cache: each frame once.
  const free: number[] = [];
  for (let cpu = 0; cpu <= hostCpus; cpu++) {
    const view = cpu < hostCpus ? joinMachine(shared, cpu) : host;
    for (
      let frame = view.frames.allocate(FrameKind.GuestPage, 0);
      frame !== NO_FRAME && free.length < frames;
    ) {
      free.push(frame);
      frame = view.frames.allocate(FrameKind.GuestPage, 0);
    }
  }
  expect(new Set(free).size).toBe(free.length);
  const all = Array.from({ length: host.layout.totalFrames }, (_, pfn) => toPfn(pfn));
  expect(all.filter((pfn) => host.frames.kind(pfn) === FrameKind.Free)).toEqual([]);
});
