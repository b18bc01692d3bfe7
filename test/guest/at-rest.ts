/** A guest read from outside while no CPU runs it. */

import { FrameKind } from '../../shared/frames.ts';
import type { Host } from '../../shared/host.ts';
import { auditKernel } from '../../src/guest/kernel/audit.ts';
import { gpfnOf, NO_FRAME, toGpa, toGpfn, wordInFrame } from '../../src/hardware/address.ts';
import type { Rig } from '../rig.ts';

/** A word of guest memory. */
export function readGuest(host: Host, gpa: number, guest = 0): number {
  const frame = host.guests[guest]!.map.frame(gpfnOf(toGpa(gpa)));
  return frame === NO_FRAME ? 0 : host.words.load(wordInFrame(frame, gpa));
}

/** Errors in the guest kernel's tables; `instead` overrides some words of memory. */
export function audit(host: Host, instead: ReadonlyMap<number, number> = new Map()): string[] {
  const { form, pfnLimit } = host.guests[0]!;
  const read = (gpa: number) => instead.get(gpa) ?? readGuest(host, gpa);
  return auditKernel({ form, pages: pfnLimit, read, entry: read });
}

/** Frames of its own behind the guest's memory. */
export function framesOf(host: Host, guest = 0): number {
  const { map, pfnLimit } = host.guests[guest]!;
  return Array.from({ length: pfnLimit }, (_, page) => map.frame(toGpfn(page))).filter(
    (frame) => frame !== NO_FRAME && host.frames.kind(frame) === FrameKind.GuestPage,
  ).length;
}

/** A counter, summed over all host CPUs. */
export const counted = (rig: Rig, counter: number): number =>
  rig.cpus.reduce((sum, { host }) => sum + host.guests[0]!.counters.get(counter), 0);
