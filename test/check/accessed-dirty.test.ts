/** Invariant 5: ACCESSED and DIRTY missing in the guest’s own tables. */

import { describe, expect, test } from 'vitest';
import { checkAccessedDirty } from '../../src/check/accessed-dirty.ts';
import { toGpa } from '../../src/hardware/address.ts';
import { makeEntry } from '../../src/hardware/entry.ts';
import { A, D, FORMS, P, RW, USER } from '../paging/scripted.ts';
import { PAGE, READ_VA, tampered, titles } from './broken.ts';

describe.each(FORMS)('$form', ({ pae }) => {
  test('finds DIRTY missing under a writable entry, and ACCESSED under any', () => {
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
