/**
 * Invariant 2: a frame's count is its owner's one plus one for each shadow entry that
 * maps it; none below, none above, and none left after the guest is freed. The shadow
 * tables are read here from memory, without the paging code's help.
 */

import { type Pfn, toPfn } from '../../shared/address.ts';
import { FrameKind } from '../../shared/frames.ts';
import type { Host } from '../../shared/host.ts';
import { shadowEntries } from './shadow.ts';

const KIND_NAMES = Object.fromEntries(
  Object.entries(FrameKind).map(([name, kind]) => [kind, name]),
);

/** Violations, in words; none when the counts add up. At rest only. */
export function checkReferences(host: Host): string[] {
  const mapped = new Map<number, number>();
  for (const lg of host.guests) {
    for (const { frame } of shadowEntries(lg)) mapped.set(frame, (mapped.get(frame) ?? 0) + 1);
  }
  const violations: string[] = [];
  eachFrame(host, (pfn) => {
    const entries = mapped.get(pfn) ?? 0;
    const references = host.frames.references(pfn);
    if (host.frames.kind(pfn) === FrameKind.Free) {
      if (entries > 0) violations.push(`frame ${pfn} is free, and ${entries} entries map it`);
    } else if (references !== entries) {
      violations.push(
        `${describeFrame(host, pfn)}: ${entries} shadow entries map it, and ${references} references are counted`,
      );
    }
  });
  return violations;
}

/** After all guests were freed: every frame is free but the host's own, and nobody holds those. */
export function checkNothingLeft(host: Host): string[] {
  const violations: string[] = [];
  eachFrame(host, (pfn) => {
    const kind = host.frames.kind(pfn);
    const hostsOwn = kind === FrameKind.Zero || kind === FrameKind.Switcher;
    const references = host.frames.references(pfn);
    if (kind !== FrameKind.Free && !hostsOwn) {
      violations.push(`${describeFrame(host, pfn)} was not freed, with ${references} references`);
    } else if (references !== 0) {
      violations.push(`${describeFrame(host, pfn)}: ${references} references are left`);
    }
  });
  return violations;
}

function eachFrame(host: Host, body: (pfn: Pfn) => void): void {
  for (let pfn = host.layout.firstFrame; pfn < host.layout.totalFrames; pfn++) body(toPfn(pfn));
}

/** For people: its number, what it is, and whose. */
export function describeFrame(host: Host, pfn: Pfn): string {
  if (!host.frames.exists(pfn)) return `frame ${pfn}, which does not exist`;
  const kind = KIND_NAMES[host.frames.kind(pfn)] ?? '?';
  const owner = host.frames.owner(pfn);
  const whose = owner < host.guests.length ? ` of guest ${owner}` : '';
  return `frame ${pfn} (${kind}${whose})`;
}
