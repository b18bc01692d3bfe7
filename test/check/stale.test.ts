/** Invariant 4: translations that outlive their source. */

import { describe, expect, test } from 'vitest';
import { FrameKind } from '../../shared/frames.ts';
import { TLB_ENTRIES, TLB_ENTRY_WORDS } from '../../shared/host-cpu.ts';
import { Dead, type Lguest } from '../../shared/lguest.ts';
import {
  type GuestTableEntry,
  guestEntries,
  isSynchronised,
} from '../../src/check/guest-tables.ts';
import { checkStale } from '../../src/check/stale.ts';
import { KERNEL_LOCK, PAGE_OFFSET, PAGE_TABLE_LOCK } from '../../src/guest/kernel/layout.ts';
import { loadProgram } from '../../src/guest/load.ts';
import { Right } from '../../src/hardware/access.ts';
import { gpfnOf, toGpa, toGpfn, toPfn, toPtr, wordInFrame } from '../../src/hardware/address.ts';
import { makeEntry, NO_ENTRY, pgdIndex, ptePfn } from '../../src/hardware/entry.ts';
import { guestNewPagetable } from '../../src/paging/switch.ts';
import { A, D, FORMS, OTHER_TOP, P, RW, USER } from '../paging/scripted.ts';
import { Rig } from '../rig.ts';
import { PAGE, READ_VA, tampered, titles, VA } from './broken.ts';

describe.each(['nonpae', 'pae'] as const)('nested paging, %s', (paging) => {
  /** vCPU 0 is inside, and its TLB grants more than the guest's entry for a page does. */
  function behind(frameOf: (due: number, lg: Lguest) => number) {
    const rig = new Rig({
      program: loadProgram({ kind: 'builtin', name: 'touch' }),
      paging,
      virtualization: 'nested',
      vcpus: 2,
      discipline: 'guest-lock',
      defects: [],
    });
    const { host } = rig;
    const lg = host.guests[0]!;
    const vcpu = rig.vcpu();
    const used = () =>
      vcpu.cr3 === 0 ? undefined : guestEntries(lg, vcpu.cr3).find(isOfProgram(lg));
    expect(rig.runUntil(() => isSynchronised(lg) && used() !== undefined, 7)).toBe(true);
    const { vaddr, entry } = used()!;
    vcpu.quantum = 1000;
    rig.cpus[0]!.runner.takeUp(vcpu);
    rig.cpus[0]!.runner.step(vcpu);
    const cpu = host.cpus[0]!;
    const slot = toPtr(cpu.tlb + ((vaddr >>> 12) & (TLB_ENTRIES - 1)) * TLB_ENTRY_WORDS);
    const frame = frameOf(lg.map.frame(toGpfn(ptePfn(entry))), lg);
    host.words.poke(slot, vaddr | cpu.generation);
    const rights = Right.UserRead | Right.SupervisorRead | Right.UserFetch | Right.SupervisorFetch;
    host.words.poke(toPtr(slot + 1), (frame << 12) | rights | Right.SupervisorWrite);
    const wrong = () => titles(checkStale(host));
    const found = wrong();
    const lock = wordInFrame(lg.map.frame(gpfnOf(toGpa(PAGE_TABLE_LOCK))), PAGE_TABLE_LOCK);
    host.words.poke(lock, 1);
    return { found, meanwhile: wrong() };
  }

  /** A page that only its program may read. */
  const isOfProgram =
    (lg: Lguest) =>
    ({ level, vaddr, entry }: GuestTableEntry): boolean =>
      level === (lg.form.pae ? 2 : 1) && vaddr < PAGE_OFFSET && (entry.low & RW) === 0;

  test('a TLB may hold what the kernel has not flushed yet', () => {
    const both = behind((due) => due);
    expect(both).toEqual({ found: ['4 a stale TLB entry'], meanwhile: [] });
  });

  test('a TLB never leads to what the host does not grant', () => {
    const stale = ['4 a stale TLB entry'];
    const both = behind((_, { host }) => host.frames.allocate(FrameKind.GuestPage, 0));
    expect(both).toEqual({ found: stale, meanwhile: stale });
  });
});

describe.each(FORMS)('$form', ({ pae }) => {
  test('finds an entry that the guest has cleared, unless its kernel is still clearing', () => {
    const t = tampered(pae);
    t.m.set(t.gptes.va, NO_ENTRY);
    const found = checkStale(t.m.host);
    expect(titles(found)).toEqual(['4 a stale shadow entry']);
    expect(found[0]).toMatchObject({ guest: 0, pgdir: 0, vaddr: VA });
    t.m.set(toGpa(KERNEL_LOCK), makeEntry(0, 1));
    expect(checkStale(t.m.host)).toEqual([]);
    t.m.lg.die(Dead.PoweredOff, 'Power down');
    expect(titles(checkStale(t.m.host))).toEqual(['4 a stale shadow entry']);
  });

  test('does not judge an entry of a guest that the host killed', () => {
    const t = tampered(pae);
    t.m.set(t.gptes.va, NO_ENTRY);
    t.m.lg.die(Dead.Killed, 'by hand');
    expect(checkStale(t.m.host)).toEqual([]);
  });

  test('finds a page other than the guest’s entry names, the zero page too (U14)', () => {
    const t = tampered(pae);
    t.m.set(t.gptes.va, makeEntry(PAGE + 5, P | RW | USER | A | D));
    expect(titles(checkStale(t.m.host))).toEqual(['4 a stale shadow entry']);
    const u = tampered(pae);
    u.set(READ_VA, u.m.host.zeroPage, P | USER | A);
    expect(titles(checkStale(u.m.host))).toEqual(['4 a stale shadow entry']);
  });

  test('finds a TLB entry that outlived its shadow entry, or has more rights', () => {
    const t = tampered(pae);
    t.enter(0, 0);
    t.mmus[0]!.translate(VA, Right.UserWrite);
    const entry = t.get(VA);
    t.set(VA, entry.low >>> 12, P | USER | A | D);
    expect(titles(checkStale(t.m.host))).toEqual(['4 a stale TLB entry']);
    t.m.lg.setEntry(t.spte(VA), NO_ENTRY);
    expect(checkStale(t.m.host)).toMatchObject(
      [{ title: 'a stale TLB entry', hostCpu: 0, vaddr: VA, expected: /nothing/ }].map((v) => ({
        ...v,
        expected: expect.stringMatching(v.expected),
      })),
    );
  });

  test('finds a table removed from the shadow while a CPU could reach it (R6)', () => {
    const t = tampered(pae);
    t.enter(0, 0);
    const top = t.m.lg.pgdirs[0]!.pgdir;
    t.m.lg.setEntry(toPtr(top + pgdIndex(t.m.lg.form, VA) * t.m.lg.form.entryWords), NO_ENTRY);
    expect(titles(checkStale(t.m.host))).toContain(
      '4 CR3 leads to a table that is not the shadow’s',
    );
  });

  test('names a CR3 that leads to no table, and does not walk it', () => {
    const t = tampered(false);
    t.enter(0, 0);
    t.m.host.cpus[0]!.cr3 = toPfn(0xf_ffff);
    expect(titles(checkStale(t.m.host))).toContain(
      '4 CR3 leads to a table that is not the shadow’s',
    );
  });

  test('finds a vCPU on a shadow that now belongs to another top level (R11)', () => {
    const t = tampered(pae);
    t.enter(0, 0);
    t.m.cpu(0).cr3 = OTHER_TOP;
    const found = checkStale(t.m.host);
    expect(titles(found)).toEqual(['4 a vCPU runs on another top level’s shadow']);
    expect(found[0]).toMatchObject({ vcpu: 0, hostCpu: 0, pgdir: 0 });
  });

  test('finds two shadows of one top level (R12)', () => {
    const t = tampered(pae);
    t.m.random = 1;
    guestNewPagetable(t.m.cpu(0), OTHER_TOP);
    expect(checkStale(t.m.host)).toEqual([]);
    t.m.lg.pgdirs[1]!.gpgdir = t.m.lg.pgdirs[0]!.gpgdir;
    expect(titles(checkStale(t.m.host))).toEqual(['4 two shadows of one top level']);
  });
});
