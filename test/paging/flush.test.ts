import { describe, expect, test } from 'vitest';
import { toGva } from '../../src/hardware/address.ts';
import { demandPage } from '../../src/paging/fault.ts';
import {
  guestPa,
  guestPagetableClearAll,
  guestPagetableFlushUser,
} from '../../src/paging/flush.ts';
import { initGuestPagetable } from '../../src/paging/setup.ts';
import { guestNewPagetable } from '../../src/paging/switch.ts';
import { mapSwitcherInGuest } from '../../src/paging/switcher.ts';
import { FORMS, KERNEL, OTHER_TOP, P, RW, Scripted, TOP, VA } from './scripted.ts';

const STACK = toGva(0xc001_2000);

describe.each(FORMS)('flushing $form', ({ pae }) => {
  function mapped(vcpus = 1): Scripted {
    const m = Scripted.booted({ pae, vcpus });
    for (const [va, page] of [
      [VA, 0x40],
      [KERNEL, 0x42],
    ] as const) {
      m.map(TOP, va, page, P | RW);
      demandPage(m.cpu(), va, 0);
    }
    return m;
  }

  test('the user part keeps the kernel’s, and frees its tables', () => {
    const m = mapped();
    const tables = () => Number(m.state(/^tables/)[0]?.split(' ')[1]);
    const before = tables();
    guestPagetableFlushUser(m.cpu());
    expect(m.state(/^pte|^ref g/)).toEqual([
      'pte 0 c0000000 g42 21',
      'pte 0 ffc00000 s0 161',
      'ref g42 1',
    ]);
    expect(before - tables()).toBe(pae ? 2 : 1);
  });

  test('everything keeps the Switcher and the stack', () => {
    const m = mapped();
    m.map(TOP, toGva(STACK - 1), 0x41, P | RW);
    m.cpu().esp1 = STACK;
    m.cpu().stackPages = 1;
    mapSwitcherInGuest(m.cpu(), 0);
    guestPagetableClearAll(m.cpu());
    expect(m.state(/^pte|^ref [gr]|^pgdir/)).toEqual([
      'pgdir 0 gpgdir=1000 switcher=1 host=-1',
      'pte 0 c0011000 g41 63',
      'pte 0 ffc00000 s0 161',
      'ref g41 1',
    ]);
  });

  test('everything kills the guest when there is no memory for the Switcher', () => {
    const m = mapped();
    m.host.machine.failAllocationsAfter(0);
    guestPagetableClearAll(m.cpu());
    expect(m.reason).toBe('out of memory allocating pte page');
  });

  test('R7: a clear-all leaves the sibling’s shadow without a Switcher', () => {
    const m = mapped(2);
    m.random = 1;
    guestNewPagetable(m.cpu(1), OTHER_TOP);
    mapSwitcherInGuest(m.cpu(1), 1);
    guestPagetableClearAll(m.cpu(0));
    expect(m.state(/^pte 1/)).toEqual([]);
    expect(() => mapSwitcherInGuest(m.cpu(1), 1)).toThrow('BUG_ON in map_switcher_in_guest');
  });
});

test('U11: with PAE a kernel address inside a top-level entry leaves its user mappings unflushed', () => {
  const m = Scripted.booted({ pae: true });
  m.lg.kernelAddress = toGva(0xd000_0000);
  const shared = toGva(0xc000_0000);
  m.map(TOP, shared, 0x40, P | RW);
  demandPage(m.cpu(), shared, 0);
  guestPagetableFlushUser(m.cpu());
  expect(m.state(/^pte 0 c0/)).toEqual(['pte 0 c0000000 g40 21']);

  const other = Scripted.booted();
  other.lg.kernelAddress = toGva(0xd000_0000);
  other.map(TOP, shared, 0x40, P | RW);
  demandPage(other.cpu(), shared, 0);
  guestPagetableFlushUser(other.cpu());
  expect(other.state(/^pte 0 c0/)).toEqual([]);
});

describe('U8: the stack is mapped before the Switcher', () => {
  // Where both share the top-level entry, it is made with the guest's flags.
  const switcherAddr = 0xffe0_0000;
  const stack = toGva(0xffc1_0000);

  test('and without PAE gives it the flags of its own top-level entry', () => {
    const m = Scripted.booted({ switcherAddr });
    m.map(TOP, toGva(stack - 1), 0x41, P | RW, P | RW);
    m.cpu().esp1 = stack;
    m.cpu().stackPages = 1;
    expect(m.state(/^pgd 0 3ff/)).toEqual(['pgd 0 3ff 67']);
    guestPagetableClearAll(m.cpu());
    expect(m.state(/^pgd 0 3ff/)).toEqual(['pgd 0 3ff 3']);
  });
});

describe.each(FORMS)('guest_pa $form', ({ pae }) => {
  test('is the address itself while the mapping is linear', () => {
    const m = new Scripted({ pae });
    initGuestPagetable(m.lg);
    expect(guestPa(m.cpu(), toGva(0xdead_beef))).toBe(0xdead_beef);
  });

  test('walks the guest’s tables, whatever the rights', () => {
    const m = Scripted.booted({ pae });
    m.map(TOP, VA, 0x40, P);
    expect(guestPa(m.cpu(), toGva(VA + 0x123))).toBe(0x40123);
  });

  test('kills for a missing top level, and returns −1', () => {
    const m = Scripted.booted({ pae });
    expect(guestPa(m.cpu(), VA)).toBe(0xffff_ffff);
    expect(m.reason).toBe('Bad address 0x8048000');
  });

  test('kills for a missing page, and returns an address nevertheless', () => {
    const m = Scripted.booted({ pae });
    m.map(TOP, VA, 0x40, RW);
    expect(guestPa(m.cpu(), VA)).toBe(0x40000);
    expect(m.reason).toBe('Bad address 0x8048000');
  });
});

test('U3: with PAE guest_pa kills for a missing middle level and walks on into the BUG_ON', () => {
  const m = Scripted.booted({ pae: true });
  m.upperAt(TOP, VA);
  expect(() => guestPa(m.cpu(), VA)).toThrow('BUG_ON in gpte_addr');
  expect(m.reason).toBe('Bad address 0x8048000');
});
