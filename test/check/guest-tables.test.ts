/** A guest's own tables, read from outside. */

import { expect, test } from 'vitest';
import { LINEAR, NOBODYS } from '../../shared/pgdir.ts';
import { guestEntries } from '../../src/check/guest-tables.ts';
import { bootLitmus } from '../../src/explore/litmus/boot.ts';
import { readLitmus } from '../../src/explore/litmus/read.ts';
import { frameStart, PAGE_WORDS, toGpfn } from '../../src/hardware/address.ts';

test.each(['nonpae', 'pae'] as const)(
  'a pgdir without a top level has no guest tables, %s',
  (paging) => {
    const litmus = readLitmus('R12-first-top-level-of-two');
    const { host } = bootLitmus(litmus, { paging, discipline: 'guest-lock', defects: [] });
    const [lg] = host.guests;
    // An address past the end wraps to page 0.
    const zero = frameStart(lg!.map.frame(toGpfn(0)));
    host.words.fill(zero, PAGE_WORDS, 0x1067);
    expect([...guestEntries(lg!, LINEAR)]).toEqual([]);
    expect([...guestEntries(lg!, NOBODYS)]).toEqual([]);
  },
);
