/**
 * Invariant 4: no stale translation. A shadow maps what the guest's own tables map, once its kernel
 * has told everything; the TLB and CR3 of a CPU inside a guest agree with the shadow; and every
 * vCPU is on the shadow of its own top level.
 */

import type { Host } from '../../shared/host.ts';
import type { Lguest } from '../../shared/lguest.ts';
import { NOBODYS } from '../../shared/pgdir.ts';
import { ANY_WRITE, Right } from '../hardware/access.ts';
import type { Pfn } from '../hardware/address.ts';
import { guestFrame, guestLookUp, isShadowed, isSynchronised, judgingTop } from './guest-tables.ts';
import { type Inside, insiders, tablesFrom, tlbEntries } from './host-cpus.ts';
import { rightsName } from './isolation.ts';
import { Moment } from './moment.ts';
import type { Shadow } from './shadow.ts';
import { describeFrame, type Violation, violation, wordsOf } from './violation.ts';
import { wayOf } from './ways.ts';

/** Shadow against guest, TLB and CR3 against shadow. At rest, or with all CPUs at safe points. */
export function checkStale(host: Host, moment = new Moment()): Violation[] {
  return [
    ...host.guests.filter(isShadowed).flatMap((lg) => staleEntries(host, lg, moment)),
    ...host.guests.flatMap(doubleShadows),
    ...insiders(host).flatMap((inside) => [
      ...wrongShadow(inside),
      ...staleTables(host, inside, moment),
      ...staleTlb(host, inside, moment),
    ]),
  ];
}

function staleEntries(host: Host, lg: Lguest, moment: Moment): Violation[] {
  const violations: Violation[] = [];
  for (const { pgdir, vaddr, entry, frame } of moment.shadow(lg).entries) {
    if (vaddr >= host.switcherAddr) continue;
    const own = guestLookUp(lg, judgingTop(lg, pgdir, vaddr), vaddr);
    // Pages outside the guest are invariant 1's.
    if (own !== undefined && own.page >= lg.pfnLimit) continue;
    const due = own && guestFrame(lg, own.page);
    if (due === frame) continue;
    const place = { guest: lg.index, pgdir, vaddr, entry: wordsOf(entry) };
    const expected = own
      ? `guest page ${own.page}, which is ${describeFrame(host, due!)}`
      : 'nothing, as in the guest’s tables';
    violations.push(
      violation(4, 'a stale shadow entry', place, expected, describeFrame(host, frame)),
    );
  }
  return violations;
}

/** R12: only one of them hears of changes. */
function doubleShadows(lg: Lguest): Violation[] {
  const shadows = [...lg.pgdirs.entries()].filter(
    ([, { pgdir, gpgdir }]) => pgdir !== 0 && gpgdir !== NOBODYS,
  );
  return shadows.flatMap(([i, { gpgdir }]) => {
    const first = shadows.find(([, other]) => other.gpgdir === gpgdir)![0];
    if (first === i) return [];
    const place = { guest: lg.index, pgdir: i };
    const found = `pgdirs ${first} and ${i} for 0x${gpgdir.toString(16)}`;
    return [violation(4, 'two shadows of one top level', place, 'one', found)];
  });
}

/** R11: its shadow was taken for another top level. */
function wrongShadow({ cpu, vcpu }: Inside): Violation[] {
  const shadow = vcpu.lg.pgdirs[vcpu.cpuPgd];
  if (vcpu.linearPages || shadow?.gpgdir === vcpu.cr3) return [];
  const place = { guest: vcpu.lg.index, vcpu: vcpu.id, hostCpu: cpu.index, pgdir: vcpu.cpuPgd };
  const expected = `a shadow of its top level 0x${vcpu.cr3.toString(16)}`;
  const found = `one of 0x${(shadow?.gpgdir ?? 0).toString(16)}`;
  return [violation(4, 'a vCPU runs on another top level’s shadow', place, expected, found)];
}

/** A root is a copy: tables that are no longer in its pgdir may be free. */
function staleTables(host: Host, inside: Inside, moment: Moment): Violation[] {
  const { cpu, vcpu } = inside;
  if (!vcpu.lg.isShadow) return [];
  const allowed = new Set<number>([vcpu.rootPmd, vcpu.switcherTable]);
  for (const { pgdir, frame } of moment.shadow(vcpu.lg).tables) {
    if (pgdir === vcpu.cpuPgd) allowed.add(frame);
  }
  const place = { guest: vcpu.lg.index, vcpu: vcpu.id, hostCpu: cpu.index, pgdir: vcpu.cpuPgd };
  return tablesFrom(host, inside)
    .filter((frame) => !allowed.has(frame))
    .map((frame) =>
      violation(
        4,
        'CR3 leads to a table that is not the shadow’s',
        place,
        `tables of pgdir ${vcpu.cpuPgd}`,
        describeFrame(host, frame),
      ),
    );
}

function staleTlb(host: Host, inside: Inside, moment: Moment): Violation[] {
  const violations: Violation[] = [];
  const { cpu, vcpu } = inside;
  const { lg } = vcpu;
  const way = wayOf(lg);
  // The guest's kernel flushes after it has changed its tables, and the host does not hear of it.
  const isBehind = way.byHardware && !isSynchronised(lg);
  for (const { vaddr, frame, rights } of tlbEntries(host, cpu)) {
    const now = way.translate(inside, vaddr);
    if (now?.frame === frame && (rights & ~now.rights) === 0) continue;
    if (isBehind && isGiven(moment.shadow(lg), frame, rights)) continue;
    const place = { guest: lg.index, vcpu: vcpu.id, hostCpu: cpu.index, vaddr };
    const say = (f: number, r: number): string => `${describeFrame(host, f)}, ${rightsName(r)}`;
    const expected = now ? say(now.frame, now.rights) : 'nothing, as in the shadow';
    violations.push(violation(4, 'a stale TLB entry', place, expected, say(frame, rights)));
  }
  return violations;
}

/** Whether the host's own table has a frame, to be written if the TLB says so. */
function isGiven({ entries }: Shadow, frame: Pfn, rights: number): boolean {
  const due = rights & ANY_WRITE ? Right.SupervisorWrite : Right.SupervisorRead;
  return entries.some((entry) => entry.frame === frame && (entry.rights & due) !== 0);
}
