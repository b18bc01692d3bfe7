/** Invariant 1: frames and rights that a shadow or a TLB must not hold. */

import { describe, expect, test } from 'vitest';
import { FrameKind } from '../../shared/frames.ts';
import { checkIsolation, checkRights } from '../../src/check/isolation.ts';
import type { DefectId } from '../../src/defects.ts';
import { KERNEL_LOCK } from '../../src/guest/kernel/layout.ts';
import { Right } from '../../src/hardware/access.ts';
import { toGpa, toGva, toPfn, toPtr } from '../../src/hardware/address.ts';
import { makeEntry, PAGE_TABLE } from '../../src/hardware/entry.ts';
import { findSpte } from '../../src/paging/entries.ts';
import { mapSwitcherInGuest } from '../../src/paging/switcher.ts';
import { A, D, FORMS, P, RW, Scripted, SWITCHER, USER } from '../paging/scripted.ts';
import { forge, PAGE, SHARING, switcherEntry, tampered, titles, VA } from './broken.ts';

describe.each(FORMS)('$form', ({ pae }) => {
  test('finds a shadow entry of another guest’s frame', () => {
    const t = tampered(pae);
    const other = t.m.host.frames.allocate(FrameKind.GuestPage, 1);
    t.set(VA, other, P | RW | USER | A | D);
    const [violation, ...more] = checkIsolation(t.m.host);
    expect(more).toEqual([]);
    expect(violation).toMatchObject({ invariant: 1, guest: 0, pgdir: 0, vaddr: VA });
    expect(violation!.found).toContain(`frame ${other} (GuestPage)`);
  });

  test('finds the zero page mapped writable, a page table, and a free frame', () => {
    const t = tampered(pae);
    const { host } = t.m;
    t.set(VA, host.zeroPage, P | A | USER);
    expect(checkIsolation(host)).toEqual([]);
    const free = host.frames.allocate(FrameKind.GuestPage, 0);
    host.frames.disown(free);
    for (const frame of [host.zeroPage, t.m.cpu().root, free, 0xf_ffff]) {
      t.set(VA, frame, P | RW | USER | A | D);
      expect(titles(checkIsolation(host))).toEqual(['1 a translation leads where it must not']);
    }
  });

  test("finds another vCPU's regs page in a private table, and any regs page in a shared one (R16)", () => {
    const t = tampered(pae);
    t.enter(0, 0);
    const regs = makeEntry(t.m.cpu(1).regsPage, P | RW | A | D);
    t.m.lg.setEntry(switcherEntry(t, 0, 1), regs);
    expect(checkIsolation(t.m.host)).toMatchObject([
      { vcpu: 0, pgdir: -1, expected: 'the regs page of vCPU 0 alone' },
    ]);
    // The code as written does this.
    const m = Scripted.booted({ pae, vcpus: 2 });
    mapSwitcherInGuest(m.cpu(), 0);
    expect(checkIsolation(m.host)).toEqual([]);
    const u = tampered(pae);
    const upper = [u.m.lg.form.checkGpgdMask, PAGE_TABLE] as const;
    const slot = findSpte(u.m.cpu(), u.m.cpu().cpuPgd, toGva(SWITCHER + 0x1000), ...upper);
    u.m.lg.setEntry(slot, makeEntry(u.m.cpu().regsPage, P | RW | A | D));
    expect(checkIsolation(u.m.host)).toMatchObject([
      { pgdir: 0, expected: 'regs pages in the vCPUs’ own tables only' },
    ]);
  });

  test('a shared regs page is blamed on R16, not on the other defects that share the Switcher', () => {
    const shown = (vcpus: number, ...defects: DefectId[]) => {
      const m = Scripted.booted({ pae, vcpus, defects, discipline: 'guest-lock' });
      mapSwitcherInGuest(m.cpu(), 0);
      return checkIsolation(m.host).map(({ expected }) => expected);
    };
    expect(shown(2, 'R16')).toEqual(['regs pages in the vCPUs’ own tables only']);
    expect(shown(2, 'R16', 'R10')).toHaveLength(1);
    for (const id of SHARING) expect(shown(2, id)).toEqual([]);
    // No vCPU runs that could write it.
    expect(shown(1, 'R16')).toEqual([]);
  });

  test('finds a table that is no table', () => {
    const t = tampered(pae);
    const top = t.m.lg.pgdirs[0]!.pgdir;
    t.m.lg.setEntry(toPtr(top + 2 * t.m.lg.form.entryWords), makeEntry(t.m.host.zeroPage, P));
    expect(titles(checkIsolation(t.m.host))).toEqual(['1 what should be a page table is none']);
  });

  test('finds a forged TLB entry, and one that outlived the exit', () => {
    const t = tampered(pae);
    t.enter(0, 0);
    const other = t.m.host.frames.allocate(FrameKind.GuestPage, 1);
    forge(t, 0, VA, (other << 12) | Right.UserRead);
    expect(titles(checkIsolation(t.m.host))).toEqual(['1 the TLB leads where it must not']);
    t.m.host.cpus[0]!.cr3 = toPfn(0);
    expect(titles(checkIsolation(t.m.host))).toContain('1 the TLB was not flushed on the way out');
  });

  test('finds more rights than the guest grants, once its kernel has flushed everything', () => {
    const t = tampered(pae);
    t.m.set(t.gptes.va, makeEntry(PAGE, P | RW | A | D));
    const found = checkRights(t.m.host);
    expect(titles(found)).toEqual(['1 more rights than the guest gives']);
    expect(found[0]).toMatchObject({ expected: 'rwx for the kernel', vaddr: VA });
    t.m.set(toGpa(KERNEL_LOCK), makeEntry(0, 1));
    expect(checkRights(t.m.host)).toEqual([]);
  });
});
