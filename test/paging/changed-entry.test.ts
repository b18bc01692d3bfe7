/** A guest entry that changes between the host's reading it and updating it. */

import { expect, test } from 'vitest';
import { toGva } from '../../shared/address.ts';
import { withGuest } from '../../shared/discipline.ts';
import { makeEntry } from '../../shared/entry.ts';
import { demandPage } from '../../src/paging/fault.ts';
import { initGuestPagetable } from '../../src/paging/setup.ts';
import { guestNewPagetable } from '../../src/paging/switch.ts';
import { A, FORMS, P, RW, Scripted, TOP, USER } from './scripted.ts';

const VA = toGva(0x0804_8000);

/** A sibling clears the entry just when the host takes memory for its shadow. */
function clearedMeanwhile(pae: boolean, discipline: 'as-written' | 'guest-lock') {
  const m = new Scripted({ pae, discipline, defects: [] });
  const cpu = m.cpu();
  const gpte = m.map(TOP, VA, 0x40, P | RW | USER);
  const fixed = withGuest(cpu, () => {
    initGuestPagetable(m.lg);
    cpu.linearPages = false;
    guestNewPagetable(cpu, TOP);
    const { frames } = m.host;
    const getZeroedPage = frames.getZeroedPage.bind(frames);
    frames.getZeroedPage = (kind, owner) => {
      m.set(gpte, makeEntry(0, 0));
      return getZeroedPage(kind, owner);
    };
    return demandPage(cpu, VA, 0);
  });
  return { fixed, gpte: m.get(gpte).low, shadow: m.state(/^pte \d 08048/) };
}

test.each(FORMS)('as written it comes back to life (R2) $form', ({ pae }) => {
  const { fixed, gpte } = clearedMeanwhile(pae, 'as-written');
  expect([fixed, gpte & (P | A)]).toEqual([true, P | A]);
});

test.each(FORMS)('repaired it stays cleared, and the fault is the guest’s $form', ({ pae }) => {
  const end = clearedMeanwhile(pae, 'guest-lock');
  expect(end).toEqual({ fixed: false, gpte: 0, shadow: [] });
});
