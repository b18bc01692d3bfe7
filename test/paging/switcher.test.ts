import { describe, expect, test } from 'vitest';
import { HostOops } from '../../src/errors.ts';
import { initGuestPagetable } from '../../src/paging/setup.ts';
import { guestNewPagetable } from '../../src/paging/switch.ts';
import { mapSwitcherInGuest } from '../../src/paging/switcher.ts';
import { FORMS, OTHER_TOP, Scripted, TOP } from './scripted.ts';

const PAGES = /^pte \d ffc0[1-9]|^ref [rs]/;

describe.each(FORMS)('mapping the Switcher $form', ({ pae }) => {
  test('shows the regs page of the vCPU and the state page of the host CPU, read-only', () => {
    const m = Scripted.booted({ pae, hostCpus: 4 });
    mapSwitcherInGuest(m.cpu(), 2);
    expect(m.state(PAGES)).toEqual([
      'pte 0 ffc05000 r0 63',
      'pte 0 ffc06000 s6 61',
      'ref r0 1',
      'ref s0 1',
      'ref s6 1',
    ]);
  });

  test('on the same host CPU again does nothing', () => {
    const m = Scripted.booted({ pae });
    mapSwitcherInGuest(m.cpu(), 0);
    const before = m.state(/./);
    mapSwitcherInGuest(m.cpu(), 0);
    expect(m.state(/./)).toEqual(before);
  });

  test('removes the pages of the last host CPU, if it is known', () => {
    const m = Scripted.booted({ pae, hostCpus: 4 });
    mapSwitcherInGuest(m.cpu(), 3);
    mapSwitcherInGuest(m.cpu(), 1);
    expect(m.state(PAGES)).toEqual([
      'pte 0 ffc03000 r0 63',
      'pte 0 ffc04000 s4 61',
      'ref r0 1',
      'ref s0 1',
      'ref s4 1',
    ]);
  });

  test('removes those of every host CPU otherwise', () => {
    const m = Scripted.booted({ pae, hostCpus: 4 });
    mapSwitcherInGuest(m.cpu(), 3);
    m.lg.pgdirs[0]!.lastHostCpu = -1;
    mapSwitcherInGuest(m.cpu(), 0);
    expect(m.state(/^pte 0 ffc0/)).toEqual([
      'pte 0 ffc00000 s0 161',
      'pte 0 ffc01000 r0 63',
      'pte 0 ffc02000 s2 61',
    ]);
  });

  test('in a shadow without a Switcher is a BUG_ON', () => {
    const m = Scripted.booted({ pae });
    m.lg.pgdirs[0]!.switcherMapped = false;
    expect(() => mapSwitcherInGuest(m.cpu(), 0)).toThrow(HostOops);
    expect(() => mapSwitcherInGuest(m.cpu(), 0)).toThrow('BUG_ON in map_switcher_in_guest');
  });

  test('R9: a second vCPU on the same host CPU and pgdir gets the first one’s regs page', () => {
    const m = Scripted.booted({ pae, vcpus: 2 });
    m.cpu(1).cpuPgd = m.cpu(0).cpuPgd;
    mapSwitcherInGuest(m.cpu(0), 0);
    mapSwitcherInGuest(m.cpu(1), 0);
    expect(m.state(/^pte 0 ffc01/)).toEqual(['pte 0 ffc01000 r0 63']);
  });

  test('R13: never removes pages of a host CPU that last_host_cpu no longer names', () => {
    const m = Scripted.booted({ pae, vcpus: 2, hostCpus: 4 });
    m.cpu(1).cpuPgd = 0;
    mapSwitcherInGuest(m.cpu(0), 2);
    // Both vCPUs read last = 2; vCPU 0 goes to host CPU 0, vCPU 1 to 1, which writes last.
    mapSwitcherInGuest(m.cpu(0), 0);
    m.lg.pgdirs[0]!.lastHostCpu = 2;
    mapSwitcherInGuest(m.cpu(1), 1);
    mapSwitcherInGuest(m.cpu(0), 3);
    expect(m.state(/^pte 0 ffc0[1-9]|^ref r/)).toEqual([
      'pte 0 ffc01000 r0 63',
      'pte 0 ffc02000 s2 61',
      'pte 0 ffc07000 r0 63',
      'pte 0 ffc08000 s8 61',
      'ref r0 2',
    ]);
  });

  test('R13: mapping over a present entry never drops the old reference', () => {
    const m = Scripted.booted({ pae, vcpus: 2, hostCpus: 2 });
    m.cpu(1).cpuPgd = 0;
    mapSwitcherInGuest(m.cpu(0), 0);
    m.lg.pgdirs[0]!.lastHostCpu = 1;
    mapSwitcherInGuest(m.cpu(1), 0);
    expect(m.state(/^pte 0 ffc0[1-9]|^ref [rs][^0]|^ref r0/)).toEqual([
      'pte 0 ffc01000 r1 63',
      'pte 0 ffc02000 s2 61',
      'ref r0 1',
      'ref r1 1',
      'ref s2 2',
    ]);
  });
});

test('with PAE and NX the two pages are not executable, and the text is', () => {
  const m = Scripted.booted({ pae: true, nx: true });
  mapSwitcherInGuest(m.cpu(), 0);
  expect(m.state(/^pte/)).toEqual([
    'pte 0 ffc00000 s0 161',
    'pte 0 ffc01000 r0 8000000000000063',
    'pte 0 ffc02000 s2 8000000000000061',
  ]);
});

test('tables for all of the Switcher’s pages exist before a CPU runs', () => {
  // 1 + 2 × 64 pages from ff800000 on stay in one table; from ffbf0000 on they need two.
  for (const [switcherAddr, tables] of [
    [0xff80_0000, 2],
    [0xffbf_0000, 3],
  ] as const) {
    const m = new Scripted({ hostCpus: 64, switcherAddr });
    initGuestPagetable(m.lg);
    expect(m.state(/^tables/)).toEqual([`tables ${tables}`]);
    for (let i = 0; i < 64; i++) mapSwitcherInGuest(m.cpu(), i);
    expect(m.state(/^tables/)).toEqual([`tables ${tables}`]);
  }
});

test('two pgdirs have Switcher pages of their own', () => {
  const m = Scripted.booted({ vcpus: 2 });
  m.random = 1;
  guestNewPagetable(m.cpu(1), OTHER_TOP);
  mapSwitcherInGuest(m.cpu(0), 0);
  mapSwitcherInGuest(m.cpu(1), 1);
  expect(m.lg.pgdirs[0]!.gpgdir).toBe(TOP);
  expect(m.state(PAGES)).toEqual([
    'pte 0 ffc01000 r0 63',
    'pte 0 ffc02000 s2 61',
    'pte 1 ffc03000 r1 63',
    'pte 1 ffc04000 s4 61',
    'ref r0 1',
    'ref r1 1',
    'ref s0 2',
    'ref s2 1',
    'ref s4 1',
  ]);
});
