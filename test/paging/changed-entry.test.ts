/** A guest entry that changes between the host's reading it and updating it. */

import { expect, test } from 'vitest';
import type { DefectId } from '../../src/defects.ts';
import { makeEntry } from '../../src/hardware/entry.ts';
import { demandPage } from '../../src/paging/fault.ts';
import { A, FORMS, P, RW, Scripted, TOP, USER, VA } from './scripted.ts';

/** A sibling clears the entry just as the host allocates for its shadow. */
function clearedMeanwhile(pae: boolean, defects: readonly DefectId[]) {
  const m = Scripted.booted({ pae, discipline: 'lock-free', defects });
  const gpte = m.map(TOP, VA, 0x40, P | RW | USER);
  const { frames } = m.host;
  const getZeroedPage = frames.getZeroedPage.bind(frames);
  frames.getZeroedPage = (kind, owner) => {
    m.set(gpte, makeEntry(0, 0));
    return getZeroedPage(kind, owner);
  };
  const fixed = demandPage(m.cpu(), VA, 0);
  return { fixed, gpte: m.get(gpte).low, shadow: m.state(/^pte \d 08048/) };
}

test.each(FORMS)('as written the cleared entry is written back (R2) $form', ({ pae }) => {
  const { fixed, gpte } = clearedMeanwhile(pae, ['R2']);
  expect([fixed, gpte & (P | A)]).toEqual([true, P | A]);
});

test.each(FORMS)('repaired it stays cleared, and the fault is the guest’s $form', ({ pae }) => {
  const end = clearedMeanwhile(pae, []);
  expect(end).toEqual({ fixed: false, gpte: 0, shadow: [] });
});
