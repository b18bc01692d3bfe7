/** A violation: the invariant, the place, the expected and the actual value. */

import { FrameKind } from '../../shared/frames.ts';
import type { Host } from '../../shared/host.ts';
import { hex, type Pfn, toPfn } from '../hardware/address.ts';
import type { Entry } from '../hardware/entry.ts';
import type { Moment } from './moment.ts';

/** By number. */
export const INVARIANTS = {
  1: 'Isolation',
  2: 'References',
  3: 'Switcher',
  4: 'No stale translation',
  5: 'ACCESSED and DIRTY',
  6: 'Guest memory',
  7: 'Progress',
} as const;

export type Invariant = keyof typeof INVARIANTS;

/** Where it is; numbers of vCPUs are within their guest. */
export interface Place {
  readonly guest?: number;
  readonly vcpu?: number;
  readonly hostCpu?: number;
  /** −1 is a vCPU's own Switcher table. */
  readonly pgdir?: number;
  readonly vaddr?: number;
  /** The entry there, as two words. */
  readonly entry?: { readonly low: number; readonly high: number };
}

export interface Violation extends Place {
  readonly invariant: Invariant;
  /** The kind of violation, in a few words. */
  readonly title: string;
  readonly expected: string;
  readonly found: string;
  /** All of it in one line. */
  readonly text: string;
}

export type Check = (host: Host, moment?: Moment) => Violation[];

export function violation(
  invariant: Invariant,
  title: string,
  place: Place,
  expected: string,
  found: string,
): Violation {
  const where = describePlace(place);
  const text = `${title}${where && `, ${where}`}: expected ${expected}, found ${found}`;
  return { invariant, title, ...place, expected, found, text };
}

/** `guest 0, vCPU 1, host CPU 2, pgdir 3, 0x8048000`: as much as there is. */
export function describePlace({ guest, vcpu, hostCpu, pgdir, vaddr }: Place): string {
  const parts: string[] = [];
  if (guest !== undefined) parts.push(`guest ${guest}`);
  if (vcpu !== undefined) parts.push(`vCPU ${vcpu}`);
  if (hostCpu !== undefined) parts.push(`host CPU ${hostCpu}`);
  if (pgdir !== undefined) parts.push(pgdir < 0 ? 'its Switcher table' : `pgdir ${pgdir}`);
  if (vaddr !== undefined) parts.push(hex(vaddr));
  return parts.join(', ');
}

/** An entry as two unsigned words. */
export const wordsOf = ({ low, high }: Entry): { readonly low: number; readonly high: number } => ({
  low: low >>> 0,
  high: high >>> 0,
});

const KIND_NAMES = Object.fromEntries(
  Object.entries(FrameKind).map(([name, kind]) => [kind, name]),
);

export const kindName = (kind: number): string => KIND_NAMES[kind] ?? '?';

/** For people: a frame's number, kind and owner. */
export function describeFrame(host: Host, pfn: number): string {
  if (!host.frames.exists(pfn)) return `frame ${pfn}, which does not exist`;
  const kind = kindName(host.frames.kind(toPfn(pfn)));
  const owner = host.frames.owner(toPfn(pfn));
  const whose = owner < host.guests.length && kind !== 'Free' ? ` of guest ${owner}` : '';
  return `frame ${pfn} (${kind}${whose})`;
}

export function eachFrame(host: Host, body: (pfn: Pfn) => void): void {
  for (let pfn = host.layout.firstFrame; pfn < host.layout.totalFrames; pfn++) body(toPfn(pfn));
}
