/**
 * Invariant 2: a frame's count is its owner's one plus one for each shadow entry that
 * maps it; none below, none above, and none left after the guest is freed. The shadow
 * tables are read here from memory, without the paging code's help.
 */

import { frameStart, PAGE_WORDS, type Pfn, toPfn, toPtr } from '../../shared/address.ts';
import { isPresent } from '../../shared/entry.ts';
import { FrameKind } from '../../shared/frames.ts';
import type { Host } from '../../shared/host.ts';
import type { Lguest } from '../../shared/lguest.ts';

const KIND_NAMES = Object.fromEntries(
  Object.entries(FrameKind).map(([name, kind]) => [kind, name]),
);

/** Violations, in words; none when the counts add up. At rest only. */
export function checkReferences(host: Host): string[] {
  const mapped = new Map<number, number>();
  for (const lg of host.guests) {
    for (const pgdir of lg.pgdirs) {
      if (pgdir.pgdir !== 0) countMapped(lg, toPfn(pgdir.pgdir / PAGE_WORDS), 0, mapped);
    }
  }
  const violations: string[] = [];
  eachFrame(host, (pfn) => {
    const entries = mapped.get(pfn) ?? 0;
    const references = host.frames.references(pfn);
    if (host.frames.kind(pfn) === FrameKind.Free) {
      if (entries > 0) violations.push(`frame ${pfn} is free, and ${entries} entries map it`);
    } else if (references !== entries) {
      violations.push(
        `${describe(host, pfn)}: ${entries} shadow entries map it, and ${references} references are counted`,
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
      violations.push(`${describe(host, pfn)} was not freed, with ${references} references`);
    } else if (references !== 0) {
      violations.push(`${describe(host, pfn)}: ${references} references are left`);
    }
  });
  return violations;
}

/** Entries of the last level, by the frame they map. */
function countMapped(lg: Lguest, table: Pfn, level: number, mapped: Map<number, number>): void {
  const { form } = lg;
  const lastLevel = form.pae ? 2 : 1;
  const length =
    level === 0 ? form.ptrsPerPgd : level < lastLevel ? form.ptrsPerPmd : form.ptrsPerPte;
  for (let i = 0; i < length; i++) {
    const entry = lg.entry(toPtr(frameStart(table) + i * form.entryWords));
    if (!isPresent(entry)) continue;
    const below = toPfn(entry.low >>> 12);
    if (level < lastLevel) countMapped(lg, below, level + 1, mapped);
    else mapped.set(below, (mapped.get(below) ?? 0) + 1);
  }
}

function eachFrame(host: Host, body: (pfn: Pfn) => void): void {
  for (let pfn = host.layout.firstFrame; pfn < host.layout.totalFrames; pfn++) body(toPfn(pfn));
}

function describe(host: Host, pfn: Pfn): string {
  const kind = KIND_NAMES[host.frames.kind(pfn)] ?? '?';
  const owner = host.frames.owner(pfn);
  const whose = owner < host.guests.length ? ` of guest ${owner}` : '';
  return `frame ${pfn} (${kind}${whose})`;
}
