/**
 * Invariant 6: guest memory is what the guest wrote. No write reaches a free frame, the zero page,
 * or another guest's memory. That a program's final memory is the one that it leaves alone, is
 * checked by stress.ts.
 */

import { FrameKind, POISON } from '../../shared/frames.ts';
import type { Host } from '../../shared/host.ts';
import { Vma } from '../../shared/launcher-map.ts';
import type { Lguest } from '../../shared/lguest.ts';
import { frameStart, NO_FRAME, PAGE_WORDS, type Pfn, toGpfn } from '../hardware/address.ts';
import { holdsBytes } from '../platform.ts';
import { Moment } from './moment.ts';
import { describeFrame, eachFrame, type Violation, violation } from './violation.ts';

/** Counts that can be read at any time. At rest, or with all CPUs at safe points. */
export function checkGuestMemory(host: Host, moment = new Moment()): Violation[] {
  return [...launcherMaps(host), ...untouched(host, moment)];
}

/** Each guest page has a frame of its guest's, of its own, or shares the zero page unwritten. */
function launcherMaps(host: Host): Violation[] {
  const violations: Violation[] = [];
  const users = new Map<number, { readonly page: number; readonly guest: number }>();
  const wrong = (lg: Lguest, expected: string, found: string): void => {
    const title = 'a wrong frame behind a guest page';
    violations.push(violation(6, title, { guest: lg.index }, expected, found));
  };
  for (const lg of host.guests) {
    for (let page = 0; page < lg.pfnLimit; page++) {
      const frame = lg.map.frame(toGpfn(page));
      const state = lg.map.state(toGpfn(page));
      if (frame === NO_FRAME) continue;
      // Put together only when something is wrong: there are many pages.
      const of = (): string => `${describeFrame(host, frame)} behind page ${page}`;
      if (frame === host.zeroPage) {
        if (state !== Vma.CopyOnWrite) wrong(lg, 'a page of its own', of());
        continue;
      }
      const exists = host.frames.exists(frame);
      const kind = exists ? host.frames.kind(frame) : FrameKind.Free;
      if (kind !== FrameKind.GuestPage || host.frames.owner(frame) !== lg.index) {
        wrong(lg, 'a page of the guest', of());
      }
      const other = users.get(frame);
      if (other !== undefined) {
        const behind = `page ${other.page} of guest ${other.guest}`;
        wrong(lg, 'a frame for each page', `${of()}, and behind ${behind}`);
      }
      users.set(frame, { page, guest: lg.index });
    }
  }
  return violations;
}

/** The zero page, and free frames: all poison, or zeroes if they were never used. */
function untouched(host: Host, { isUnused }: Moment): Violation[] {
  const violations: Violation[] = [];
  eachFrame(host, (pfn) => {
    const kind = host.frames.kind(pfn);
    if ((kind !== FrameKind.Free && kind !== FrameKind.Zero) || isUnused(pfn)) return;
    // Freed under its owner, which may write to it: that is invariant 2's.
    if (kind === FrameKind.Free && host.frames.references(pfn) < 0) return;
    const at = firstOtherWord(host, pfn);
    if (at < 0) return;
    const value = host.words.plain[frameStart(pfn) + at]!.toString(16);
    const found = `0x${value} in word ${at} of ${describeFrame(host, pfn)}`;
    violations.push(
      kind === FrameKind.Zero
        ? violation(6, 'the zero page was written', {}, 'zeroes', found)
        : violation(6, 'a free frame was written', {}, `0x${POISON.toString(16)}`, found),
    );
  });
  return violations;
}

const PAGE_BYTES = PAGE_WORDS * 4;
const ZEROES = new Uint8Array(PAGE_BYTES);
const POISONED = new Uint8Array(new Uint32Array(PAGE_WORDS).fill(POISON).buffer);

/** Whether a free frame holds poison, or the zero page zeros. */
export function isUnused(host: Host, pfn: Pfn): boolean {
  const kind = host.frames.kind(pfn);
  return (kind === FrameKind.Free || kind === FrameKind.Zero) && firstOtherWord(host, pfn) < 0;
}

/** Index of a word that is not as it should be; −1 for none. */
function firstOtherWord(host: Host, pfn: Pfn): number {
  const { plain } = host.words;
  const zeroes = host.frames.kind(pfn) === FrameKind.Zero;
  const start = frameStart(pfn);
  // A frame that was freed is poison everywhere, so its first word or its last tells.
  const fresh = plain[start] === 0 && plain[start + PAGE_WORDS - 1] === 0;
  const due = zeroes || fresh ? ZEROES : POISONED;
  if (holdsBytes(plain.buffer, start * 4, due)) return -1;
  const value = due === ZEROES ? 0 : POISON;
  return plain.subarray(start, start + PAGE_WORDS).findIndex((word) => word !== value);
}
