/** All checks together, on machines that no test has corrupted. */

import { describe, expect, test } from 'vitest';
import { tlbEntries } from '../../src/check/host-cpus.ts';
import { checkAll, heldTo } from '../../src/check/invariants.ts';
import { Right } from '../../src/hardware/access.ts';
import { leaveGuest } from '../../src/host/switcher.ts';
import { FORMS, Scripted } from '../paging/scripted.ts';
import { READ_VA, tampered, titles, VA } from './broken.ts';

describe.each(FORMS)('$form', ({ pae }) => {
  test('an uncorrupted machine holds all invariants, outside and inside the guest', () => {
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
});

test('the code as written is not held to what its defects break', () => {
  const m = Scripted.booted();
  const found = [4, 5, 1].map((invariant) => ({
    invariant: invariant as 1 | 4 | 5,
    guest: 0,
    expected: '',
    found: '',
    text: '',
    title: invariant === 1 ? 'a translation leads where it must not' : 'x',
  }));
  expect(heldTo(m.host, found).map(({ invariant }) => invariant)).toEqual([1]);
  const repaired = Scripted.booted({ defects: ['U4'] });
  expect(heldTo(repaired.host, found)).toEqual(found);
});
