/** Each checker, on a machine in which memory was tampered with by hand, and on a clean one. */

import { describe, expect, test } from 'vitest';
import { Right } from '../../shared/access.ts';
import { frameStart, toGpa, toGva, toPfn, toPtr } from '../../shared/address.ts';
import type { DefectId } from '../../shared/defects.ts';
import { makeEntry, NO_ENTRY, PAGE_TABLE, pgdIndex, pteIndex } from '../../shared/entry.ts';
import { FrameKind } from '../../shared/frames.ts';
import { Vma } from '../../shared/launcher-map.ts';
import { Dead } from '../../shared/lguest.ts';
import { checkAccessedDirty } from '../../src/check/accessed-dirty.ts';
import { checkFinalMemory, checkGuestMemory } from '../../src/check/guest-memory.ts';
import { tlbEntries } from '../../src/check/host-cpus.ts';
import { checkAll, heldTo } from '../../src/check/invariants.ts';
import { checkIsolation, checkRights } from '../../src/check/isolation.ts';
import { checkReferences } from '../../src/check/references.ts';
import { checkStale } from '../../src/check/stale.ts';
import { checkSwitcher } from '../../src/check/switcher.ts';
import { KERNEL_LOCK } from '../../src/guest/kernel/layout.ts';
import { leaveGuest } from '../../src/host/switcher.ts';
import { findSpte } from '../../src/paging/entries.ts';
import { guestNewPagetable } from '../../src/paging/switch.ts';
import { mapSwitcherInGuest } from '../../src/paging/switcher.ts';
import { A, D, FORMS, OTHER_TOP, P, RW, Scripted, SWITCHER, USER } from '../paging/scripted.ts';
import { PAGE, READ_VA, type Tampered, tampered, titles, VA } from './broken.ts';

/** The word of a vCPU's own Switcher table for one of the Switcher's pages. */
const switcherEntry = ({ m }: Tampered, vcpu: number, page: number) =>
  toPtr(
    frameStart(m.cpu(vcpu).switcherTable) +
      (pteIndex(m.lg.form, SWITCHER) + page) * m.lg.form.entryWords,
  );

/** Change what a TLB holds for an address. */
function forge({ m, mmus }: Tampered, hostCpu: number, va: number, value: number): void {
  const cpu = m.host.cpus[hostCpu]!;
  mmus[hostCpu]!.translate(toGva(va), Right.SupervisorRead);
  const slot = cpu.tlb + ((va >>> 12) & 511) * 2;
  m.host.words.poke(toPtr(slot + 1), value);
}

/** Defects that have vCPUs share the Switcher, but for R16, which is the sharing itself. */
const SHARING = ['U2', 'U8', 'R7', 'R9', 'R10', 'R13'] as const;

/** Two vCPUs on one pgdir, three host CPUs, one defect. */
function sharing(pae: boolean, id: DefectId) {
  const m = Scripted.booted({
    ...{ pae, vcpus: 2, hostCpus: 3, defects: [id], discipline: 'guest-lock' },
  });
  m.cpu(1).cpuPgd = m.cpu(0).cpuPgd;
  m.cpu(1).cr3 = m.cpu(0).cr3;
  return { m, cpus: [m.hostCpu(0), m.hostCpu(1), m.hostCpu(2)] as const };
}

describe.each(FORMS)('$form', ({ pae }) => {
  test('a machine that nobody tampered with breaks nothing, outside and inside', () => {
    const t = tampered(pae);
    expect(titles(checkAll(t.m.host))).toEqual([]);
    t.enter(0, 0);
    t.enter(1, 1);
    t.mmus[0]!.translate(VA, Right.UserWrite);
    t.mmus[1]!.translate(READ_VA, Right.UserRead);
    expect(tlbEntries(t.m.host, t.m.host.cpus[0]!).length).toBeGreaterThan(2);
    expect(titles(checkAll(t.m.host))).toEqual([]);
    leaveGuest(t.m.host, t.m.host.cpus[0]!, t.mmus[0]!, t.m.cpu(0));
    expect(titles(checkAll(t.m.host))).toEqual([]);
  });

  describe('isolation', () => {
    test('a shadow entry that leads to another guest’s frame', () => {
      const t = tampered(pae);
      const other = t.m.host.frames.allocate(FrameKind.GuestPage, 1);
      t.set(VA, other, P | RW | USER | A | D);
      const [violation, ...more] = checkIsolation(t.m.host);
      expect(more).toEqual([]);
      expect(violation).toMatchObject({ invariant: 1, guest: 0, pgdir: 0, vaddr: VA });
      expect(violation!.found).toContain(`frame ${other} (GuestPage)`);
    });

    test('the zero page for writing, a page table, a free frame', () => {
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

    test('the regs page of another vCPU in a private table, and any in a shared one (R16)', () => {
      const t = tampered(pae);
      t.enter(0, 0);
      const regs = makeEntry(t.m.cpu(1).regsPage, P | RW | A | D);
      t.m.lg.setEntry(switcherEntry(t, 0, 1), regs);
      expect(checkIsolation(t.m.host)).toMatchObject([
        { vcpu: 0, pgdir: -1, expected: 'the regs page of vCPU 0 alone' },
      ]);
      // As written that is how it is.
      const m = Scripted.booted({ pae, vcpus: 2 });
      mapSwitcherInGuest(m.cpu(), 0);
      expect(checkIsolation(m.host)).toEqual([]);
      const u = tampered(pae);
      const upper = { pgdFlags: u.m.lg.form.checkGpgdMask, pmdFlags: PAGE_TABLE };
      const slot = findSpte(u.m.cpu(), u.m.cpu().cpuPgd, toGva(SWITCHER + 0x1000), upper);
      u.m.lg.setEntry(slot, makeEntry(u.m.cpu().regsPage, P | RW | A | D));
      expect(checkIsolation(u.m.host)).toMatchObject([
        { pgdir: 0, expected: 'regs pages in the vCPUs’ own tables only' },
      ]);
    });

    test('a shared regs page is R16’s, and not that of others who share the Switcher', () => {
      const shown = (vcpus: number, ...defects: DefectId[]) => {
        const m = Scripted.booted({ pae, vcpus, defects, discipline: 'guest-lock' });
        mapSwitcherInGuest(m.cpu(), 0);
        return checkIsolation(m.host).map(({ expected }) => expected);
      };
      expect(shown(2, 'R16')).toEqual(['regs pages in the vCPUs’ own tables only']);
      expect(shown(2, 'R16', 'R10')).toHaveLength(1);
      for (const id of SHARING) expect(shown(2, id)).toEqual([]);
      // There is nobody to write it.
      expect(shown(1, 'R16')).toEqual([]);
    });

    test('a table that is none', () => {
      const t = tampered(pae);
      const top = t.m.lg.pgdirs[0]!.pgdir;
      t.m.lg.setEntry(toPtr(top + 2 * t.m.lg.form.entryWords), makeEntry(t.m.host.zeroPage, P));
      expect(titles(checkIsolation(t.m.host))).toEqual(['1 what should be a page table is none']);
    });

    test('a forged TLB entry, and one that stayed after the way out', () => {
      const t = tampered(pae);
      t.enter(0, 0);
      const other = t.m.host.frames.allocate(FrameKind.GuestPage, 1);
      forge(t, 0, VA, (other << 12) | Right.UserRead);
      expect(titles(checkIsolation(t.m.host))).toEqual(['1 the TLB leads where it must not']);
      t.m.host.cpus[0]!.cr3 = toPfn(0);
      expect(titles(checkIsolation(t.m.host))).toContain(
        '1 the TLB was not flushed on the way out',
      );
    });

    test('more rights than the guest gives, when its kernel has told everything', () => {
      const t = tampered(pae);
      t.m.set(t.gptes.va, makeEntry(PAGE, P | RW | A | D));
      const found = checkRights(t.m.host);
      expect(titles(found)).toEqual(['1 more rights than the guest gives']);
      expect(found[0]).toMatchObject({ expected: 'rwx for the kernel', vaddr: VA });
      t.m.set(toGpa(KERNEL_LOCK), makeEntry(0, 1));
      expect(checkRights(t.m.host)).toEqual([]);
    });
  });

  describe('references', () => {
    test('one too many, and one too few', () => {
      const t = tampered(pae);
      const frame = toPfn(t.get(VA).low >>> 12);
      t.m.host.frames.get(frame);
      expect(checkReferences(t.m.host)).toMatchObject([{ invariant: 2, guest: 0, found: '2' }]);
      t.m.host.frames.put(frame);
      t.m.host.frames.put(frame);
      expect(checkReferences(t.m.host)).toMatchObject([{ found: '0' }]);
    });

    test('a page table in nobody’s hands, unless it waits to be freed', () => {
      const t = tampered(pae);
      const { host } = t.m;
      const lost = host.frames.allocate(FrameKind.PageTable, 0);
      expect(titles(checkReferences(host))).toEqual(['2 a frame in nobody’s hands']);
      expect(checkReferences(host, new Set([lost]))).toEqual([]);
    });

    test('a page table in two places', () => {
      const t = tampered(pae);
      const top = t.m.lg.pgdirs[0]!.pgdir;
      const { entryWords } = t.m.lg.form;
      const entry = t.m.lg.entry(toPtr(top + pgdIndex(t.m.lg.form, VA) * entryWords));
      t.m.lg.setEntry(toPtr(top + 2 * entryWords), entry);
      expect(titles(checkReferences(t.m.host))).toContain('2 a page table hangs in two places');
    });

    test('a free frame that is mapped', () => {
      const t = tampered(pae);
      const free = t.m.host.frames.allocate(FrameKind.GuestPage, 0);
      t.m.host.frames.disown(free);
      t.set(READ_VA, free, P | A);
      expect(titles(checkReferences(t.m.host))).toContain('2 a free frame is mapped');
    });
  });

  describe('the Switcher', () => {
    test('another vCPU’s regs page (R9), and none (R10)', () => {
      const t = tampered(pae);
      t.enter(0, 0);
      t.m.lg.setEntry(switcherEntry(t, 0, 1), makeEntry(t.m.cpu(1).regsPage, P | RW | A | D));
      const found = checkSwitcher(t.m.host);
      expect(titles(found)).toEqual(['3 a wrong page in the Switcher']);
      expect(found[0]).toMatchObject({ hostCpu: 0, vcpu: 0, guest: 0 });
      t.m.lg.setEntry(switcherEntry(t, 0, 1), NO_ENTRY);
      expect(checkSwitcher(t.m.host)).toMatchObject([{ found: 'nothing' }]);
    });

    test('a state page that can be written', () => {
      const t = tampered(pae);
      t.enter(0, 0);
      const state = t.m.host.switcherPages[2]!;
      t.m.lg.setEntry(switcherEntry(t, 0, 2), makeEntry(state, P | RW | A | D));
      expect(titles(checkSwitcher(t.m.host))).toEqual(['3 wrong rights in the Switcher']);
    });

    test('another host CPU’s pages beside one’s own (R13)', () => {
      const t = tampered(pae);
      t.enter(0, 0);
      t.m.lg.setEntry(switcherEntry(t, 0, 3), makeEntry(t.m.cpu(0).regsPage, P | RW | A | D));
      expect(titles(checkSwitcher(t.m.host))).toEqual([
        '3 another CPU’s pages are in the Switcher',
        '3 the last host CPU is another one',
      ]);
    });

    test('two vCPUs inside on one shared pgdir: each one’s pages are there, whatever is wrong', () => {
      for (const id of [...SHARING, 'R16'] as const) {
        const { m, cpus } = sharing(pae, id);
        cpus[0].enter(0);
        // R10 is that these would be gone.
        if (id !== 'R10') cpus[1].enter(1);
        expect(titles(checkSwitcher(m.host))).toEqual([]);
      }
      const { m, cpus } = sharing(pae, 'R10');
      cpus[0].enter(0);
      cpus[1].enter(1);
      expect(checkSwitcher(m.host)).toMatchObject(
        [1, 2].map(() => ({ title: 'a wrong page in the Switcher', hostCpu: 0, found: 'nothing' })),
      );
    });

    test('pages that stay when their CPU is out: the next removes them, or they are R13’s', () => {
      const left = (id: DefectId) => {
        const { m, cpus } = sharing(pae, id);
        cpus[0].enter(0);
        cpus[1].enter(1);
        cpus[0].leave(0);
        const beside = titles(checkSwitcher(m.host));
        cpus[2].enter(0);
        cpus[1].leave(1);
        return [beside, titles(checkSwitcher(m.host))];
      };
      expect(left('R7')).toEqual([[], []]);
      const [beside, later] = left('R13');
      for (const found of [beside!, later!]) {
        expect(new Set(found)).toEqual(
          new Set([
            '3 another CPU’s pages are in the Switcher',
            '3 the last host CPU is another one',
          ]),
        );
      }
    });

    test('one host CPU for two vCPUs in turn: the other’s registers (R9)', () => {
      const found = (id: DefectId) => {
        const { m, cpus } = sharing(pae, id);
        cpus[0].enter(0);
        cpus[0].leave(0);
        cpus[0].enter(1);
        return titles(checkSwitcher(m.host));
      };
      expect(found('R9')).toEqual(['3 a wrong page in the Switcher']);
      for (const id of SHARING.filter((other) => other !== 'R9')) expect(found(id)).toEqual([]);
    });

    test('as written: a last_host_cpu that does not tell the truth', () => {
      const m = Scripted.booted({ pae });
      mapSwitcherInGuest(m.cpu(), 0);
      expect(checkSwitcher(m.host)).toEqual([]);
      m.lg.pgdirs[0]!.lastHostCpu = 1;
      const title = '3 the last host CPU is another one';
      expect(titles(checkSwitcher(m.host))).toEqual([title, title]);
    });
  });

  describe('stale translations', () => {
    test('an entry that the guest has cleared, unless its kernel is still at it', () => {
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

    test('an entry of a guest that the host killed is not judged', () => {
      const t = tampered(pae);
      t.m.set(t.gptes.va, NO_ENTRY);
      t.m.lg.die(Dead.Killed, 'by hand');
      expect(checkStale(t.m.host)).toEqual([]);
    });

    test('another page than the guest’s entry names, the zero page too (U14)', () => {
      const t = tampered(pae);
      t.m.set(t.gptes.va, makeEntry(PAGE + 5, P | RW | USER | A | D));
      expect(titles(checkStale(t.m.host))).toEqual(['4 a stale shadow entry']);
      const u = tampered(pae);
      u.set(READ_VA, u.m.host.zeroPage, P | USER | A);
      expect(titles(checkStale(u.m.host))).toEqual(['4 a stale shadow entry']);
    });

    test('a TLB entry that outlived its shadow entry, or has more rights', () => {
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

    test('a table that went out of the shadow while a CPU could reach it (R6)', () => {
      const t = tampered(pae);
      t.enter(0, 0);
      const top = t.m.lg.pgdirs[0]!.pgdir;
      t.m.lg.setEntry(toPtr(top + pgdIndex(t.m.lg.form, VA) * t.m.lg.form.entryWords), NO_ENTRY);
      expect(titles(checkStale(t.m.host))).toContain(
        '4 CR3 leads to a table that is not the shadow’s',
      );
    });

    test('a vCPU on a shadow that became another top level’s (R11)', () => {
      const t = tampered(pae);
      t.enter(0, 0);
      t.m.cpu(0).cr3 = OTHER_TOP;
      const found = checkStale(t.m.host);
      expect(titles(found)).toEqual(['4 a vCPU runs on another top level’s shadow']);
      expect(found[0]).toMatchObject({ vcpu: 0, hostCpu: 0, pgdir: 0 });
    });

    test('two shadows of one top level (R12)', () => {
      const t = tampered(pae);
      t.m.random = 1;
      guestNewPagetable(t.m.cpu(0), OTHER_TOP);
      expect(checkStale(t.m.host)).toEqual([]);
      t.m.lg.pgdirs[1]!.gpgdir = t.m.lg.pgdirs[0]!.gpgdir;
      expect(titles(checkStale(t.m.host))).toEqual(['4 two shadows of one top level']);
    });
  });

  describe('ACCESSED and DIRTY', () => {
    test('DIRTY missing under a writable entry, ACCESSED under any', () => {
      const t = tampered(pae);
      t.m.set(t.gptes.va, makeEntry(PAGE, P | RW | USER | A));
      expect(titles(checkAccessedDirty(t.m.host))).toEqual(['5 DIRTY is lost']);
      t.m.set(t.gptes.va, makeEntry(PAGE, P | RW | USER | A | D));
      t.m.set(toGpa(t.gptes.readVa), makeEntry(PAGE + 1, P | RW | USER));
      expect(checkAccessedDirty(t.m.host)).toMatchObject([
        { title: 'ACCESSED is lost', vaddr: READ_VA },
      ]);
    });
  });

  describe('guest memory', () => {
    test('a frame that was written after it was freed', () => {
      const t = tampered(pae);
      const { host } = t.m;
      const frame = host.frames.allocate(FrameKind.GuestPage, 0);
      host.frames.disown(frame);
      for (const word of [0, 500, 1023]) {
        host.words.poke(toPtr(frameStart(frame) + word), 0xdead);
        const found = checkGuestMemory(host);
        expect(titles(found)).toEqual(['6 a free frame was written']);
        expect(found[0]!.found).toContain(`0xdead in word ${word} of frame ${frame}`);
        host.words.poke(toPtr(frameStart(frame) + word), 0x6b6b_6b6b);
      }
    });

    test('a frame that was never used and is written, and the page of zeroes', () => {
      const t = tampered(pae);
      const { host } = t.m;
      host.words.poke(toPtr(frameStart(toPfn(host.layout.totalFrames - 1)) + 7), 1);
      host.words.poke(toPtr(frameStart(host.zeroPage) + 9), 1);
      expect(titles(checkGuestMemory(host)).sort()).toEqual([
        '6 a free frame was written',
        '6 the zero page was written',
      ]);
    });

    test('a frame behind two pages', () => {
      const t = tampered(pae);
      const map = t.m.host.layout.regions.launcherMap.at;
      t.m.host.words.store(toPtr(map + 3), t.m.host.words.load(toPtr(map + 4)));
      expect(checkGuestMemory(t.m.host)).toMatchObject([
        { title: 'a wrong frame behind a guest page', expected: 'a frame for each page' },
      ]);
      t.m.host.words.store(toPtr(map + 3), (t.m.cpu().root << 2) | Vma.ReadWrite);
      expect(checkGuestMemory(t.m.host)).toMatchObject([{ expected: 'a page of the guest' }]);
    });
  });
});

test('memory that differs from what the program leaves alone', () => {
  const memory = { physical: 'a', user: 'b', pagesWritten: 1, userPages: 1 };
  expect(checkFinalMemory(0, memory, { user: 'b' })).toEqual([]);
  expect(checkFinalMemory(2, memory, { user: 'c' })).toMatchObject([
    { invariant: 6, guest: 2, expected: 'c', found: 'b' },
  ]);
});

test('the code as written, with all its defects, is not held to what they are', () => {
  const m = Scripted.booted();
  const found = [4, 5, 1].map((invariant) => ({
    ...{ invariant: invariant as 1 | 4 | 5, guest: 0, expected: '', found: '', text: '' },
    title: invariant === 1 ? 'a translation leads where it must not' : 'x',
  }));
  expect(heldTo(m.host, found).map(({ invariant }) => invariant)).toEqual([1]);
  const repaired = Scripted.booted({ defects: ['U4'] });
  expect(heldTo(repaired.host, found)).toEqual(found);
});
