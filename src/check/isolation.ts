/**
 * Invariant 1: a shadow entry maps only frames of its own guest, or the Switcher where the
 * Switcher is; the zero page, which is everybody's, never for writing; a regs page only for
 * the vCPU whose it is; and nothing with more rights than the guest's own entry gives. The
 * same holds for the TLB of a CPU inside a guest, and of one outside it is empty.
 */

import { FrameKind } from '../../shared/frames.ts';
import type { Host } from '../../shared/host.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import type { Lguest } from '../../shared/lguest.ts';
import { ANY_USER, ANY_WRITE } from '../hardware/access.ts';
import type { Gva, Pfn } from '../hardware/address.ts';
import { isAsWritten } from './as-written.ts';
import { guestLookUp, isShadowed, judgingTop } from './guest-tables.ts';
import { tlbEntries, vcpuInside } from './host-cpus.ts';
import { Moment } from './moment.ts';
import { isTable } from './shadow.ts';
import { describeFrame, type Violation, violation, wordsOf } from './violation.ts';

/** Isolation of entries, tables and TLBs. At rest, or with all CPUs at safe points. */
export function checkIsolation(host: Host, moment = new Moment()): Violation[] {
  return [...host.guests.flatMap((lg) => ofGuest(host, lg, moment)), ...ofTlbs(host)];
}

function ofGuest(host: Host, lg: Lguest, moment: Moment): Violation[] {
  const violations: Violation[] = [];
  for (const { pgdir, vcpu, vaddr, frame } of moment.shadow(lg).tables) {
    if (isTable(lg, frame)) continue;
    const place = { guest: lg.index, ...(vcpu && { vcpu: vcpu.id }), pgdir, vaddr };
    violations.push(
      violation(
        1,
        'what should be a page table is none',
        place,
        'a page table of the guest',
        describeFrame(host, frame),
      ),
    );
  }
  for (const { pgdir, vcpu, vaddr, entry, frame, rights } of moment.shadow(lg).entries) {
    const expected = forbidden(lg, vcpu, vaddr, frame, (rights & ANY_WRITE) !== 0);
    if (expected === undefined) continue;
    const found = `${describeFrame(host, frame)}, flags 0x${(entry.low & 0xfff).toString(16)}`;
    const place = { guest: lg.index, ...(vcpu && { vcpu: vcpu.id }), pgdir, vaddr };
    violations.push(violation(1, FOREIGN, { ...place, entry: wordsOf(entry) }, expected, found));
  }
  return violations;
}

const FOREIGN = 'a translation leads where it must not';

/** What would be allowed there, if this is not. `vcpu`: whose table it is, if one's own. */
function forbidden(
  lg: Lguest,
  vcpu: LgCpu | undefined,
  vaddr: Gva,
  frame: Pfn,
  writable: boolean,
): string | undefined {
  const { frames, switcherAddr } = lg.host;
  const kind = frames.exists(frame) ? frames.kind(frame) : FrameKind.Free;
  const own = frames.exists(frame) && frames.owner(frame) === lg.index;
  if (vaddr < switcherAddr) {
    const allowed = kind === FrameKind.Zero ? !writable : kind === FrameKind.GuestPage && own;
    return allowed ? undefined : 'a page of the guest, or the zero page read-only';
  }
  if (kind === FrameKind.Switcher) return writable ? 'the Switcher’s page read-only' : undefined;
  if (kind !== FrameKind.Regs || !own) return 'the Switcher’s pages and a regs page of the guest';
  if (vcpu !== undefined) {
    return frame === vcpu.regsPage ? undefined : `the regs page of vCPU ${vcpu.id} alone`;
  }
  return mayShareRegs(lg) ? undefined : 'regs pages in the vCPUs’ own tables only';
}

/**
 * R16 is that vCPUs which share a pgdir can write one another's regs pages. Other defects
 * need the Switcher in the pgdirs to be there at all; that is not theirs. The code as written
 * was made for one vCPU.
 */
const mayShareRegs = (lg: Lguest): boolean =>
  lg.sharesSwitcher && (!lg.defects.R16 || lg.cpus.length === 1 || isAsWritten(lg));

function ofTlbs(host: Host): Violation[] {
  const violations: Violation[] = [];
  for (const cpu of host.cpus) {
    const vcpu = vcpuInside(host, cpu);
    const own = vcpu?.switcherTable ? vcpu : undefined;
    for (const { vaddr, frame, rights } of tlbEntries(host, cpu)) {
      const expected = vcpu
        ? forbidden(vcpu.lg, own, vaddr, frame, (rights & ANY_WRITE) !== 0)
        : 'nothing, since it is outside of all guests';
      if (expected === undefined) continue;
      const place = { ...(vcpu && { guest: vcpu.lg.index, vcpu: vcpu.id }), hostCpu: cpu.index };
      const title = vcpu
        ? 'the TLB leads where it must not'
        : 'the TLB was not flushed on the way out';
      violations.push(
        violation(1, title, { ...place, vaddr }, expected, describeFrame(host, frame)),
      );
    }
  }
  return violations;
}

/**
 * The rights, compared with those that the guest's own tables give now, where these are what
 * the host was told. Which page it is is invariant 4's.
 */
export function checkRights(host: Host, moment = new Moment()): Violation[] {
  const violations: Violation[] = [];
  for (const lg of host.guests.filter(isShadowed)) {
    for (const { pgdir, vaddr, entry, rights } of moment.shadow(lg).entries) {
      if (vaddr >= host.switcherAddr) continue;
      const own = guestLookUp(lg, judgingTop(lg, pgdir, vaddr), vaddr);
      if (own === undefined) continue;
      const place = { guest: lg.index, pgdir, vaddr, entry: wordsOf(entry) };
      if (own.page >= lg.pfnLimit) {
        const found = `guest page ${own.page}`;
        violations.push(
          violation(1, 'a page outside the guest', place, `a page below ${lg.pfnLimit}`, found),
        );
      } else if (rights & ~own.rights) {
        const title = 'more rights than the guest gives';
        violations.push(violation(1, title, place, rightsName(own.rights), rightsName(rights)));
      }
    }
  }
  return violations;
}

/** `rwx`, and whose. */
export function rightsName(rights: number): string {
  const letters = ['r', 'w', 'x'].map((letter, i) => ((rights >>> (2 * i)) & 3 ? letter : '-'));
  return `${letters.join('')} for ${rights & ANY_USER ? 'user and kernel' : 'the kernel'}`;
}
