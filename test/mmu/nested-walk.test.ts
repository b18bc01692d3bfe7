/** The two-dimensional walk: its number of references, its faults, and the bits it sets. */

import { expect, test } from 'vitest';
import { builtinPrograms } from '../../src/guest/programs.ts';
import { errorCodeOf, Fault, isFault, Right } from '../../src/hardware/access.ts';
import { gpfnOf, NO_FRAME, toGpa, toGpfn, toGva, wordInFrame } from '../../src/hardware/address.ts';
import {
  type Entry,
  makeEntry,
  PAGE_ACCESSED,
  PAGE_DIRTY,
  PAGE_TABLE,
} from '../../src/hardware/entry.ts';
import { Mmu } from '../../src/mmu/tlb.ts';
import { repairViolation } from '../../src/nested/table.ts';
import { Rig } from '../rig.ts';

const TOP = toGpa(0x10_0000);
const TABLE = 0x101;
const PAGE = toGpfn(0x123);
const VA = toGva(0x0040_3000);

/** A guest that maps VA to PAGE in its own tables, with an empty host table. */
function mapped(paging: 'nonpae' | 'pae') {
  const rig = new Rig({ program: builtinPrograms['touch']!(), paging, virtualization: 'nested' });
  const { host } = rig.cpus[0]!;
  const [cpu] = host.guests[0]!.cpus;
  const { lg } = cpu!;
  const put = (gpa: number, entry: Entry): void => {
    const frame = lg.map.frameForHost(gpfnOf(toGpa(gpa)), true);
    lg.setEntry(wordInFrame(frame, gpa), entry);
  };
  const wide = paging === 'pae';
  if (wide) {
    put(TOP, makeEntry(0x102, 1));
    put(0x10_2000 + 2 * 8, makeEntry(TABLE, PAGE_TABLE));
  } else {
    put(TOP + 4, makeEntry(TABLE, PAGE_TABLE));
  }
  const at = TABLE * 4096 + 3 * (wide ? 8 : 4);
  put(at, makeEntry(PAGE, 7));
  const leaf = () => lg.entry(wordInFrame(lg.map.frame(toGpfn(TABLE)), at)).low & 0xfff;
  const mmu = new Mmu(host, host.cpus[0]!);
  const enter = () => mmu.loadNested(lg.nestedRoot, TOP, lg.form, lg.nx, false);
  const hostCpu = host.cpus[0]!;
  return { rig, cpu: cpu!, mmu, hostCpu, enter, leaf };
}

/** Translate, and supply each page the host's table lacks; returns how often. */
function translated({ cpu, mmu, hostCpu, enter }: ReturnType<typeof mapped>, right: Right) {
  for (let violations = 0; ; violations++) {
    const entered = enter();
    hostCpu.nestedReferences = 0;
    const at = isFault(entered) ? entered : mmu.translate(VA, right);
    if (!isFault(at)) return { at, violations };
    expect(errorCodeOf(at) & Fault.Nested).not.toBe(0);
    repairViolation(cpu, hostCpu.violation, (errorCodeOf(at) & Fault.Write) !== 0);
  }
}

test.each(['nonpae', 'pae'] as const)('makes 2 + 12 references with %s', (paging) => {
  const guest = mapped(paging);
  const { at, violations } = translated(guest, Right.UserRead);
  // A page for each table that is in memory, the top one with PAE as well, and the page itself.
  expect(violations).toBe(paging === 'pae' ? 4 : 3);
  expect(guest.hostCpu.nestedReferences).toBe(12);
  expect(at >>> 10).toBe(guest.cpu.lg.map.frame(PAGE));
});

test('sets ACCESSED, and DIRTY for a write, in the guest’s own entries', () => {
  const guest = mapped('nonpae');
  translated(guest, Right.UserRead);
  expect(guest.leaf() & (PAGE_ACCESSED | PAGE_DIRTY)).toBe(PAGE_ACCESSED);
  expect(guest.mmu.lookUp(VA, Right.UserWrite)).toBeLessThan(0);
  translated(guest, Right.UserWrite);
  expect(guest.leaf() & PAGE_DIRTY).toBe(PAGE_DIRTY);
});

test('an address that the guest’s tables do not map is the guest’s fault', () => {
  const guest = mapped('nonpae');
  translated(guest, Right.UserRead);
  const fault = guest.mmu.translate(toGva(VA + 0x1000), Right.UserWrite);
  expect(errorCodeOf(fault)).toBe(Fault.Write | Fault.User);
});

test('with paging off an address is guest-physical, and four references away', () => {
  const { rig, cpu, mmu, hostCpu } = mapped('pae');
  const { lg } = cpu;
  repairViolation(cpu, PAGE, false);
  mmu.loadNested(lg.nestedRoot, TOP, lg.form, lg.nx, true);
  hostCpu.nestedReferences = 0;
  const at = mmu.translate(toGva(PAGE * 4096), Right.SupervisorRead);
  expect(at >>> 10).toBe(lg.map.frame(PAGE));
  expect(hostCpu.nestedReferences).toBe(4);
  expect(rig.violations()).toEqual([]);
});

test('an access to a page that the guest does not have kills it', () => {
  const { cpu } = mapped('nonpae');
  repairViolation(cpu, toGpfn(cpu.lg.pfnLimit), true);
  expect(cpu.lg.reason).toMatch(/^no memory at 0x/);
  expect(cpu.lg.map.frame(PAGE)).not.toBe(NO_FRAME);
});
