import { describe, expect, test } from 'vitest';
import { toGva } from '../../src/hardware/address.ts';
import { Entry } from '../../src/hardware/entry.ts';
import { demandPage } from '../../src/paging/fault.ts';
import { guestPagetableClearAll } from '../../src/paging/flush.ts';
import { guestSetPte } from '../../src/paging/set.ts';
import { initGuestPagetable } from '../../src/paging/setup.ts';
import { guestNewPagetable } from '../../src/paging/switch.ts';
import { mapSwitcherInGuest } from '../../src/paging/switcher.ts';
import { FORMS, KERNEL, OTHER_TOP, P, RW, Scripted, TOP, VA, WRITE } from './scripted.ts';

const STACK = toGva(0xc001_2000);

describe.each(FORMS)('switching page tables $form', ({ pae }) => {
  /** With a kernel stack of one page, mapped in both top levels. */
  function withStack(): Scripted {
    const m = Scripted.booted({ pae });
    for (const top of [TOP, OTHER_TOP]) m.map(top, toGva(STACK - 1), 0x41, P | RW);
    m.cpu().esp1 = STACK;
    m.cpu().stackPages = 1;
    return m;
  }

  test('the first switch ends the linear mapping and drops its entries', () => {
    const m = new Scripted({ pae });
    initGuestPagetable(m.lg);
    demandPage(m.cpu(), toGva(0x5000), WRITE);
    m.random = 2;
    guestNewPagetable(m.cpu(), TOP);
    expect(m.state(/^(cpu|pgdir|pte|ref g)/)).toEqual([
      'cpu 0 pgd=2 linear=0',
      'pgdir 0 gpgdir=0 switcher=0 host=-1',
      'pgdir 2 gpgdir=1000 switcher=1 host=-1',
      'pte 2 ffc00000 s0 161',
    ]);
  });

  test('a blank one gets the stack and the Switcher', () => {
    const m = withStack();
    m.random = 3;
    guestNewPagetable(m.cpu(), OTHER_TOP);
    expect(m.state(/^pte 3/)).toEqual(['pte 3 c0011000 g41 63', 'pte 3 ffc00000 s0 161']);
    expect(m.state(/^cpu/)).toEqual(['cpu 0 pgd=3 linear=0']);
  });

  test('a cached one is found again, whatever is drawn', () => {
    const m = withStack();
    m.random = 3;
    guestNewPagetable(m.cpu(), OTHER_TOP);
    m.random = 1;
    guestNewPagetable(m.cpu(), TOP);
    expect(m.state(/^cpu|^pgdir/)).toEqual([
      'cpu 0 pgd=0 linear=0',
      'pgdir 0 gpgdir=1000 switcher=1 host=-1',
      'pgdir 3 gpgdir=2000 switcher=1 host=-1',
    ]);
  });

  test('a victim loses its user mappings and keeps the kernel’s', () => {
    const m = withStack();
    m.map(TOP, VA, 0x40, P | RW);
    demandPage(m.cpu(), VA, 0);
    m.map(TOP, KERNEL, 0x42, P | RW);
    demandPage(m.cpu(), KERNEL, 0);
    guestNewPagetable(m.cpu(), OTHER_TOP);
    expect(m.state(/^(pgdir|pte)/)).toEqual([
      'pgdir 0 gpgdir=2000 switcher=1 host=-1',
      'pte 0 c0000000 g42 21',
      'pte 0 ffc00000 s0 161',
    ]);
  });

  test('without memory for another one the current one stays in use', () => {
    const m = withStack();
    m.random = 1;
    m.host.machine.failAllocationsAfter(0);
    guestNewPagetable(m.cpu(), OTHER_TOP);
    expect(m.state(/^cpu|^pgdir|^dead/)).toEqual([
      'cpu 0 pgd=0 linear=0',
      'pgdir 0 gpgdir=2000 switcher=1 host=-1',
    ]);
  });

  test('without memory for the Switcher the guest dies', () => {
    const m = withStack();
    m.cpu().stackPages = 0;
    m.random = 1;
    m.host.machine.failAllocationsAfter(1);
    guestNewPagetable(m.cpu(), OTHER_TOP);
    expect(m.reason).toBe('out of memory allocating pte page');
  });

  test('U10: after a clear-all, a switch to a cached one maps the Switcher but not the stack', () => {
    const m = withStack();
    m.random = 3;
    guestNewPagetable(m.cpu(), OTHER_TOP);
    guestPagetableClearAll(m.cpu());
    guestNewPagetable(m.cpu(), TOP);
    expect(m.state(/^pte/)).toEqual([
      'pte 0 ffc00000 s0 161',
      'pte 3 c0011000 g41 63',
      'pte 3 ffc00000 s0 161',
    ]);
  });

  test('R11: evicts the pgdir that another vCPU runs on', () => {
    const m = Scripted.booted({ pae, vcpus: 2 });
    mapSwitcherInGuest(m.cpu(0), 0);
    m.map(TOP, VA, 0x40, P | RW);
    demandPage(m.cpu(0), VA, 0);
    m.cpu(1).cpuPgd = 0;
    guestNewPagetable(m.cpu(1), OTHER_TOP);
    // vCPU 0 still runs on pgdir 0, which now shadows another top level.
    expect(m.state(/^cpu|^pgdir|^pte 0 080/)).toEqual([
      'cpu 0 pgd=0 linear=0',
      'cpu 1 pgd=0 linear=0',
      'pgdir 0 gpgdir=2000 switcher=1 host=-1',
    ]);
  });

  test('R12: of two shadows of one top level, a change reaches only the first', () => {
    const m = Scripted.booted({ pae, vcpus: 2 });
    m.map(TOP, VA, 0x40, P | RW);
    demandPage(m.cpu(0), VA, 0);
    // As when two vCPUs load the same cr3 at once, and neither finds it cached.
    m.random = 1;
    guestNewPagetable(m.cpu(1), OTHER_TOP);
    m.lg.pgdirs[1]!.gpgdir = TOP;
    demandPage(m.cpu(1), VA, 0);
    guestSetPte(m.cpu(1), TOP, VA, new Entry(0, 0));
    expect(m.state(/^pte \d 080/)).toEqual(['pte 1 08048000 g40 21']);
  });

  test('R14: a vCPU that begins in linear mode wipes every table with its first switch', () => {
    const m = Scripted.booted({ pae, vcpus: 2 });
    m.map(TOP, VA, 0x40, P | RW);
    demandPage(m.cpu(0), VA, 0);
    m.cpu(1).linearPages = true;
    m.random = 1;
    guestNewPagetable(m.cpu(1), OTHER_TOP);
    expect(m.state(/^pte|^pgdir/)).toEqual([
      'pgdir 0 gpgdir=1000 switcher=0 host=-1',
      'pgdir 1 gpgdir=2000 switcher=1 host=-1',
      'pte 1 ffc00000 s0 161',
    ]);
    expect(() => mapSwitcherInGuest(m.cpu(0), 0)).toThrow('BUG_ON');
  });

  test('R14: a vCPU without initialisation starts on pgdir 0, not in linear mode', () => {
    const m = new Scripted({ pae, vcpus: 2 });
    initGuestPagetable(m.lg);
    expect(m.state(/^cpu/)).toEqual(['cpu 0 pgd=0 linear=1', 'cpu 1 pgd=0 linear=0']);
    expect(demandPage(m.cpu(0), toGva(0x48000), 0)).toBe(true);
    expect(demandPage(m.cpu(1), toGva(0x48000), 0)).toBe(false);
  });
});
