/** A vCPU whose shadow another one took is given a shadow again before anything else. */

import { expect, test } from 'vitest';
import { toGva } from '../../shared/address.ts';
import { withGuest } from '../../shared/discipline.ts';
import { exclusively } from '../../src/host/exclusive.ts';
import { demandPage } from '../../src/paging/fault.ts';
import { initGuestPagetable } from '../../src/paging/setup.ts';
import { guestNewPagetable } from '../../src/paging/switch.ts';
import { OTHER_TOP, P, RW, Scripted, TOP, USER } from '../paging/scripted.ts';

const VA = toGva(0x0804_8000);

test.each([false, true])(
  'a fault is answered from the vCPU\u2019s own tables (R11), PAE %s',
  (pae) => {
    const m = new Scripted({ pae, vcpus: 2, defects: [], discipline: 'guest-lock' });
    const [a, b] = [m.cpu(0), m.cpu(1)];
    m.map(TOP, VA, 0x40, P | RW | USER);
    m.map(OTHER_TOP, VA, 0x41, P | RW | USER);
    withGuest(a, () => initGuestPagetable(m.lg));
    for (const cpu of [a, b]) {
      cpu.linearPages = false;
      cpu.started = true;
    }
    exclusively(a, () => guestNewPagetable(a, TOP));
    expect([a.cpuPgd, a.cr3]).toEqual([0, TOP]);

    // The dice give b the shadow that a is on.
    b.cpuPgd = 1;
    withGuest(b, () => guestNewPagetable(b, OTHER_TOP));
    expect(m.lg.pgdirs[0]!.gpgdir).toBe(OTHER_TOP);

    m.random = 2;
    expect(exclusively(a, () => demandPage(a, VA, 0))).toBe(true);
    expect(m.state(/^pte \d 08048000/)).toEqual(['pte 2 08048000 g40 25']);
    expect(a.cpuPgd).toBe(2);
    expect(m.lg.pgdirs[2]!.gpgdir).toBe(TOP);
  },
);
