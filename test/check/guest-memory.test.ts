/** Invariant 6: memory that was written by other than its owner. */

import { describe, expect, test } from 'vitest';
import { FrameKind } from '../../shared/frames.ts';
import { Vma } from '../../shared/launcher-map.ts';
import { checkGuestMemory } from '../../src/check/guest-memory.ts';
import { frameStart, toPfn, toPtr } from '../../src/hardware/address.ts';
import { FORMS } from '../paging/scripted.ts';
import { tampered, titles } from './broken.ts';

describe.each(FORMS)('$form', ({ pae }) => {
  test('finds a frame written after it was freed', () => {
    const t = tampered(pae);
    const { host } = t.m;
    const frame = host.frames.allocate(FrameKind.GuestPage, 0);
    host.frames.disown(frame);
    for (const word of [0, 500, 1023]) {
      host.words.poke(toPtr(frameStart(frame) + word), 0xdead);
      const found = checkGuestMemory(host);
      expect(titles(found)).toEqual(['6 a free frame was written']);
      expect(found[0]!.found).toContain(`0xdead in word ${word} of frame ${frame}`);
      host.words.poke(toPtr(frameStart(frame) + word), 0x6b6b_6b6b);
    }
  });

  test('finds a write to a never used frame, and to the zero page', () => {
    const t = tampered(pae);
    const { host } = t.m;
    host.words.poke(toPtr(frameStart(toPfn(host.layout.totalFrames - 1)) + 7), 1);
    host.words.poke(toPtr(frameStart(host.zeroPage) + 9), 1);
    expect(titles(checkGuestMemory(host)).sort()).toEqual([
      '6 a free frame was written',
      '6 the zero page was written',
    ]);
  });

  test('finds a frame mapped for two guest pages', () => {
    const t = tampered(pae);
    const map = t.m.host.layout.regions.launcherMap.at;
    t.m.host.words.store(toPtr(map + 3), t.m.host.words.load(toPtr(map + 4)));
    expect(checkGuestMemory(t.m.host)).toMatchObject([
      { title: 'a wrong frame behind a guest page', expected: 'a frame for each page' },
    ]);
    t.m.host.words.store(toPtr(map + 3), (t.m.cpu().root << 2) | Vma.ReadWrite);
    expect(checkGuestMemory(t.m.host)).toMatchObject([{ expected: 'a page of the guest' }]);
  });
});
