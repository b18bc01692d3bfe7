/** A stack check never walks tables that another vCPU frees (found by stress, seed 100177). */

import { expect, test } from 'vitest';
import { toGva } from '../../src/hardware/address.ts';
import { guestPagetableClearAll } from '../../src/paging/flush.ts';
import { pinStackPages } from '../../src/paging/pin.ts';
import { FORMS, KERNEL, P, RW, Scripted, TOP } from './scripted.ts';

test.each(FORMS)('dropping the tables waits for the walk $form', ({ pae }) => {
  const m = Scripted.booted({ pae, vcpus: 2, defects: [], discipline: 'lock-free' });
  m.map(TOP, KERNEL, 0x50, P | RW);
  const [a, b] = [m.hostCpu(0), m.hostCpu(1)];
  const cpu = a.cpu(0);
  cpu.stackPages = 1;
  cpu.esp1 = toGva(KERNEL + 0x1000);
  pinStackPages(cpu);
  b.host.words.wait = () => {
    throw new Error('it waits');
  };
  const { lg } = cpu;
  const entry = lg.entry.bind(lg);
  lg.entry = (at) => {
    lg.entry = entry;
    const found = entry(at);
    // In the middle of the walk.
    expect(() => guestPagetableClearAll(b.cpu(1))).toThrow('it waits');
    return found;
  };
  expect(() => pinStackPages(cpu)).not.toThrow();
  expect.assertions(2);
});
