/** Invariant 3: Switcher pages of another vCPU or host CPU. */

import { describe, expect, test } from 'vitest';
import { checkSwitcher } from '../../src/check/switcher.ts';
import type { DefectId } from '../../src/defects.ts';
import { makeEntry, NO_ENTRY } from '../../src/hardware/entry.ts';
import { mapSwitcherInGuest } from '../../src/paging/switcher.ts';
import { A, D, FORMS, P, RW, Scripted } from '../paging/scripted.ts';
import { SHARING, sharing, switcherEntry, tampered, titles } from './broken.ts';

describe.each(FORMS)('$form', ({ pae }) => {
  test('finds another vCPU’s regs page (R9), and a missing one (R10)', () => {
    const t = tampered(pae);
    t.enter(0, 0);
    t.m.lg.setEntry(switcherEntry(t, 0, 1), makeEntry(t.m.cpu(1).regsPage, P | RW | A | D));
    const found = checkSwitcher(t.m.host);
    expect(titles(found)).toEqual(['3 a wrong page in the Switcher']);
    expect(found[0]).toMatchObject({ hostCpu: 0, vcpu: 0, guest: 0 });
    t.m.lg.setEntry(switcherEntry(t, 0, 1), NO_ENTRY);
    expect(checkSwitcher(t.m.host)).toMatchObject([{ found: 'nothing' }]);
  });

  test('finds a writable state page', () => {
    const t = tampered(pae);
    t.enter(0, 0);
    const state = t.m.host.switcherPages[2]!;
    t.m.lg.setEntry(switcherEntry(t, 0, 2), makeEntry(state, P | RW | A | D));
    expect(titles(checkSwitcher(t.m.host))).toEqual(['3 wrong rights in the Switcher']);
  });

  test("finds another host CPU’s pages beside the CPU's own (R13)", () => {
    const t = tampered(pae);
    t.enter(0, 0);
    t.m.lg.setEntry(switcherEntry(t, 0, 3), makeEntry(t.m.cpu(0).regsPage, P | RW | A | D));
    expect(titles(checkSwitcher(t.m.host))).toEqual([
      '3 another CPU’s pages are in the Switcher',
      '3 the last host CPU is another one',
    ]);
  });

  test('two vCPUs inside on one shared pgdir: each sees its own pages, under every defect', () => {
    for (const id of [...SHARING, 'R16'] as const) {
      const { m, cpus } = sharing(pae, id);
      cpus[0].enter(0);
      // R10 would remove them.
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

  test('pages left after the exit: the next entry removes them, or they are R13’s', () => {
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

  test('one host CPU for two vCPUs in turn: finds the other’s registers (R9)', () => {
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

  test('as written: finds a wrong last_host_cpu', () => {
    const m = Scripted.booted({ pae });
    mapSwitcherInGuest(m.cpu(), 0);
    expect(checkSwitcher(m.host)).toEqual([]);
    m.lg.pgdirs[0]!.lastHostCpu = 1;
    const title = '3 the last host CPU is another one';
    expect(titles(checkSwitcher(m.host))).toEqual([title, title]);
  });
});
