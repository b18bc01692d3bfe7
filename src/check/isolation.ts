/**
 * Invariant 1: a shadow entry maps only frames of its own guest, or the Switcher where
 * the Switcher is; the zero page, which is everybody's, never for writing.
 */

import { hex } from '../../shared/address.ts';
import { PAGE_RW } from '../../shared/entry.ts';
import { FrameKind } from '../../shared/frames.ts';
import type { Host } from '../../shared/host.ts';
import type { Lguest } from '../../shared/lguest.ts';
import { describeFrame } from './references.ts';
import { type ShadowEntry, shadowEntries } from './shadow.ts';

/** Violations, in words. At rest only. */
export function checkIsolation(host: Host): string[] {
  const violations: string[] = [];
  for (const lg of host.guests) {
    for (const shadow of shadowEntries(lg)) {
      if (isAllowed(host, lg, shadow)) continue;
      const { pgdir, vaddr, entry, frame } = shadow;
      violations.push(
        `guest ${lg.index}: pgdir ${pgdir} maps ${hex(vaddr)} to ${describeFrame(host, frame)} ` +
          `with flags ${(entry.low & 0xfff).toString(16)}`,
      );
    }
  }
  return violations;
}

function isAllowed(host: Host, lg: Lguest, { vaddr, entry, frame }: ShadowEntry): boolean {
  if (!host.frames.exists(frame)) return false;
  const writable = (entry.low & PAGE_RW) !== 0;
  const own = host.frames.owner(frame) === lg.index;
  const kind = host.frames.kind(frame);
  if (vaddr >= host.switcherAddr) {
    return kind === FrameKind.Regs ? own : kind === FrameKind.Switcher && !writable;
  }
  return kind === FrameKind.Zero ? !writable : kind === FrameKind.GuestPage && own;
}
