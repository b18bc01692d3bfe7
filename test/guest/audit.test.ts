/** The audit of the guest kernel's tables finds each kind of error. */

import { expect, test } from 'vitest';
import {
  BALLOON,
  FREE_PAGES,
  MEM_MAP,
  MMS,
  Mm,
  PAGE_OFFSET,
  SWAPPER_PG_DIR,
} from '../../src/guest/kernel/layout.ts';
import { makeWorkload } from '../../src/guest/workloads/catalogue.ts';
import { toGpa } from '../../src/hardware/address.ts';
import { Rig } from '../rig.ts';
import { audit, readGuest } from './at-rest.ts';

const { host } = (() => {
  const rig = new Rig({ program: makeWorkload({ name: 'kernel-churn', seed: 1 }) });
  rig.runAll(5000);
  return rig;
})();

const read = (gpa: number) => readGuest(host, gpa);
const PAGE_FLAGS = 0xfff;

/** The address of the last-level entry of an address. */
function pteAt(top: number, address: number): number {
  const table = read(top + (address >>> 22) * 4) & ~PAGE_FLAGS;
  return toGpa(table + ((address >>> 12) & 1023) * 4);
}

const top = read(toGpa(MMS + Mm.pgd));
/** A shared page that the workload writes, and an address above it in the same table. */
const written = (() => {
  for (let address = 0x0810_0000; ; address += 0x1000) {
    if ((read(pteAt(top, address)) & 3) === 3) return pteAt(top, address);
  }
})();
const beyond = pteAt(top, 0x083f_0000);

const withWords = (...words: [number, number][]) => audit(host, new Map(words)).join('\n');

test('the end of a run passes', () => {
  expect(audit(host)).toEqual([]);
});

test('finds an entry restored after its area was unmapped', () => {
  expect(withWords([beyond, read(written)])).toMatch(/the entry of 0x83f0000 is in no area/);
});

test('finds a restored entry of a free page', () => {
  const free = read(FREE_PAGES);
  expect(withWords([beyond, (free << 12) | 0x67])).toContain(`page ${free} is free and mapped`);
});

test('finds a page with more entries than its count', () => {
  const page = read(written) >>> 12;
  expect(withWords([MEM_MAP + page * 4, 2])).toContain(
    `page ${page} is mapped 1 times, and its count is 2`,
  );
});

test('finds an entry writable in a read-only area, and a page without a use', () => {
  expect(withWords([pteAt(top, 0x0804_8000), read(written)])).toContain('its area cannot');
  expect(withWords([written, 0])).toContain('was taken and is used for nothing');
});

test('finds a page in the balloon that the kernel maps, and another page that it does not map', () => {
  const swapper = read(SWAPPER_PG_DIR);
  const at = pteAt(swapper, PAGE_OFFSET + 0x30_0000);
  expect(withWords([at, 0])).toContain('page 768 is not mapped by the kernel');
  const free = read(FREE_PAGES);
  const rest = read(MEM_MAP + free * 4);
  const moved = withWords([FREE_PAGES, rest], [BALLOON, free], [MEM_MAP + free * 4, 0]);
  expect(moved).toContain(`page ${free} is in the balloon, and the kernel maps it`);
});
