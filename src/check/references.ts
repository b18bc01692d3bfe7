/**
 * Invariant 2: a frame's count is one for its owner plus one for each shadow entry that maps it,
 * and no frame is left after the guest is freed. Every allocated frame has a user, and a table is
 * linked in one place.
 */

import { FrameKind } from '../../shared/frames.ts';
import type { Host } from '../../shared/host.ts';
import { NO_FRAME, toGpfn } from '../hardware/address.ts';
import { Moment } from './moment.ts';
import {
  describeFrame,
  eachFrame,
  kindName,
  type Place,
  type Violation,
  violation,
} from './violation.ts';

/**
 * Counts and owners. At rest, or with all CPUs at safe points. `retired`: tables that are
 * unlinked and wait to be freed.
 */
export function checkReferences(
  host: Host,
  moment = new Moment(),
  retired: ReadonlySet<number> = new Set(),
): Violation[] {
  const violations = overPuts(host);
  const wrong = (...said: [what: string, place: Place, expected: string, found: string]): void =>
    void violations.push(violation(2, ...said));
  const mapped = new Map<number, number>();
  const held = new Set<number>(retired);
  for (const lg of host.guests) {
    for (const { frame } of moment.shadow(lg).entries)
      mapped.set(frame, (mapped.get(frame) ?? 0) + 1);
    for (const { frame, pgdir, vaddr } of moment.shadow(lg).tables) {
      if (held.has(frame)) {
        const [place, found] = [{ guest: lg.index, pgdir, vaddr }, describeFrame(host, frame)];
        wrong('a page table hangs in two places', place, 'one entry for each table', found);
      }
      held.add(frame);
    }
    for (let page = 0; page < lg.pfnLimit; page++) held.add(lg.map.frame(toGpfn(page)));
    for (const { regsPage } of lg.cpus) if (regsPage !== NO_FRAME) held.add(regsPage);
  }
  eachFrame(host, (pfn) => {
    const kind = host.frames.kind(pfn);
    const entries = mapped.get(pfn) ?? 0;
    const references = host.frames.references(pfn);
    // Put together only when something is wrong: there are many frames.
    const of = (): string => describeFrame(host, pfn);
    const owner = host.frames.owner(pfn);
    const place = kind !== FrameKind.Free && owner < host.guests.length ? { guest: owner } : {};
    if (kind === FrameKind.Free) {
      if (entries > 0) {
        wrong('a free frame is mapped', place, 'none', `${entries} entries that map ${of()}`);
      }
      if (held.has(pfn)) wrong('a free frame with references', place, 'none', of());
      return;
    }
    if (references !== entries) {
      const expected = `${entries} for ${of()}, as many as shadow entries map it`;
      wrong('a wrong count of references', place, expected, `${references}`);
    }
    const guests = kind !== FrameKind.Zero && kind !== FrameKind.Switcher;
    if (guests && host.frames.isOwned(pfn) && !held.has(pfn)) {
      wrong('an allocated frame without a user', place, 'someone who will free it', of());
    }
  });
  return violations;
}

/** Where the harm begins, if a frame was given back more often than it was taken. */
function overPuts(host: Host): Violation[] {
  const { overPuts: all } = host.machine;
  const listed = all.list();
  return listed.map(({ frame, kind, owner, hostCpu, vcpu }, i) => {
    const who = vcpu === undefined ? undefined : host.vcpus[vcpu];
    const guest = who?.lg.index ?? (owner < host.guests.length ? owner : undefined);
    const place = {
      ...(guest !== undefined && { guest }),
      ...(who && { vcpu: who.id }),
      ...(hostCpu < host.cpus.length && { hostCpu }),
    };
    const whose = owner < host.guests.length ? `guest ${owner}’s` : 'the host’s';
    const then =
      kind === FrameKind.Free
        ? 'free already'
        : `${whose} (${kindName(kind)}), freed under its owner`;
    const more = i === listed.length - 1 && all.count > listed.length;
    const found =
      `frame ${frame}, ${then} and now ${describeFrame(host, frame)}` +
      (more ? `, and ${all.count - listed.length} more` : '');
    return violation(
      2,
      'a reference too many was given back',
      place,
      'as many as were taken',
      found,
    );
  });
}

/**
 * After all guests are freed: all frames but the host's own are free, and those have no references.
 */
export function checkNothingLeft(host: Host): Violation[] {
  const violations = overPuts(host);
  eachFrame(host, (pfn) => {
    const kind = host.frames.kind(pfn);
    const hostsOwn = kind === FrameKind.Zero || kind === FrameKind.Switcher;
    const references = host.frames.references(pfn);
    const found = `${describeFrame(host, pfn)} with ${references} references`;
    if (kind !== FrameKind.Free && !hostsOwn) {
      violations.push(violation(2, 'a frame was not freed', {}, 'all guests’ frames free', found));
    } else if (references > 0 || (references < 0 && kind !== FrameKind.Free)) {
      violations.push(violation(2, 'references are left', {}, 'none', found));
    }
  });
  return violations;
}
