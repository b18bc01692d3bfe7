/**
 * Invariant 3: while vCPU v runs on host CPU h, the Switcher's text is mapped at its place, h's
 * first page is v's regs page, its second is h's state page, read-only, and no other CPU's pages
 * are mapped; a vCPU or pgdir at rest maps what its record says. Where vCPUs share the Switcher's
 * tables, pages of other CPUs may be mapped too: see mayShow.
 */

import { FrameKind } from '../../shared/frames.ts';
import type { Host } from '../../shared/host.ts';
import type { Lguest } from '../../shared/lguest.ts';
import { ANY_USER, ANY_WRITE, Right } from '../hardware/access.ts';
import { PAGE_SIZE, toGva } from '../hardware/address.ts';
import { type Inside, insiders, translateFrom } from './host-cpus.ts';
import { rightsName } from './isolation.ts';
import { Moment } from './moment.ts';
import type { ShadowEntry } from './shadow.ts';
import { describeFrame, type Place, type Violation, violation } from './violation.ts';
import { wayOf } from './ways.ts';

/** The Switcher in use, and at rest. At rest, or with all CPUs at safe points. */
export function checkSwitcher(host: Host, moment = new Moment()): Violation[] {
  // Into a guest of nested paging the processor switches by itself.
  const users = insiders(host).filter(({ vcpu }) => !wayOf(vcpu.lg).byHardware);
  return [...users.flatMap((inside) => inUse(host, inside)), ...atRest(host, moment)];
}

function inUse(host: Host, inside: Inside): Violation[] {
  const { cpu, vcpu } = inside;
  const violations: Violation[] = [];
  const mine = 1 + cpu.index * 2;
  const regs = { frame: vcpu.regsPage, name: 'its regs page', writable: true };
  const state = { frame: host.switcherPages[mine + 1]!, name: 'the state page', writable: false };
  const text = { frame: host.switcherPages[0]!, name: 'the text', writable: false };
  for (let page = 0; page < host.switcherPages.length; page++) {
    const vaddr = toGva(host.switcherAddr + page * PAGE_SIZE);
    const place = { guest: vcpu.lg.index, vcpu: vcpu.id, hostCpu: cpu.index, vaddr };
    const seen = translateFrom(host, cpu, vaddr);
    const due = page === 0 ? text : page === mine ? regs : page === mine + 1 ? state : undefined;
    if (due === undefined) {
      const other = (page - 1) >> 1;
      if (seen === undefined || mayShow(host, vcpu.lg, vcpu.cpuPgd, other)) continue;
      const found = describeFrame(host, seen.frame);
      violations.push(
        violation(3, 'another CPU’s pages are in the Switcher', place, 'nothing', found),
      );
      continue;
    }
    const expected = `${due.name}, frame ${due.frame}`;
    if (seen?.frame !== due.frame) {
      const found = seen === undefined ? 'nothing' : describeFrame(host, seen.frame);
      violations.push(violation(3, 'a wrong page in the Switcher', place, expected, found));
      continue;
    }
    const needed = page === 0 ? Right.SupervisorFetch : due.writable ? Right.SupervisorWrite : 0;
    const refused = due.writable ? ANY_USER : ANY_USER | ANY_WRITE;
    if ((seen.rights & needed) === needed && !(seen.rights & refused)) continue;
    violations.push(
      violation(
        3,
        'wrong rights in the Switcher',
        place,
        `${expected}, ${due.writable ? 'to be written' : 'not to be written'} by the kernel alone`,
        rightsName(seen.rights),
      ),
    );
  }
  return violations;
}

function atRest(host: Host, moment: Moment): Violation[] {
  const violations: Violation[] = [];
  const last = host.switcherAddr + host.switcherPages.length * PAGE_SIZE;
  for (const lg of host.guests) {
    for (const shown of moment.shadow(lg).entries) {
      const { pgdir, vcpu, vaddr } = shown;
      const shownCpu = ((vaddr - host.switcherAddr) / PAGE_SIZE - 1) >> 1;
      if (vaddr < host.switcherAddr || vaddr >= last) continue;
      const place = { guest: lg.index, ...(vcpu && { vcpu: vcpu.id }), pgdir, vaddr };
      const of = vcpu ? vcpu.switcherHostCpu : lg.pgdirs[pgdir]!.lastHostCpu;
      // A pgdir without a record of its CPU may map any CPU's, until the next CPU removes all.
      const any = vcpu === undefined && (of < 0 || mayShow(host, lg, pgdir, shownCpu));
      const wrong = wrongPage(host, shown, any ? undefined : of, place);
      if (wrong !== undefined) violations.push(wrong);
    }
  }
  return violations;
}

/**
 * Whether a pgdir that vCPUs share may map a host CPU's pages beside those of the last one: while
 * that CPU is inside, where removing them would be R10, and afterwards until the next CPU that maps
 * its own removes them all. With R13 that CPU removes only those of the last one.
 */
function mayShow(host: Host, lg: Lguest, pgdir: number, hostCpu: number): boolean {
  if (!lg.sharesSwitcher) return false;
  if (!lg.defects.R13) return true;
  return insiders(host).some(
    ({ cpu, vcpu }) => cpu.index === hostCpu && vcpu.lg.index === lg.index && vcpu.cpuPgd === pgdir,
  );
}

/** `of`: the host CPU whose pages alone may be there; undefined for any. */
function wrongPage(
  host: Host,
  { vaddr, frame }: ShadowEntry,
  of: number | undefined,
  place: Place,
): Violation | undefined {
  const page = (vaddr - host.switcherAddr) / PAGE_SIZE;
  const cpu = (page - 1) >> 1;
  const found = describeFrame(host, frame);
  if (page > 0 && of !== undefined && cpu !== of) {
    const expected = of < 0 ? 'no CPU’s pages' : `the pages of host CPU ${of} alone`;
    return violation(3, 'the last host CPU is another one', place, expected, found);
  }
  const isRegs = page > 0 && page % 2 === 1;
  if (isRegs && host.frames.exists(frame) && host.frames.kind(frame) === FrameKind.Regs) {
    return undefined;
  }
  if (!isRegs && frame === host.switcherPages[page]) return undefined;
  const expected = isRegs ? 'a regs page' : `frame ${host.switcherPages[page]}`;
  return violation(3, 'a wrong page in the Switcher', place, expected, found);
}
