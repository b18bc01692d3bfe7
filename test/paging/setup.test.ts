import { describe, expect, test } from 'vitest';
import { toGpa, toGva } from '../../shared/address.ts';
import { Vma } from '../../shared/launcher-map.ts';
import { LguestData } from '../../shared/lguest-data.ts';
import { demandPage } from '../../src/paging/fault.ts';
import {
  freeGuestPagetable,
  initGuestPagetable,
  pageTableGuestDataInit,
} from '../../src/paging/setup.ts';
import { mapSwitcherInGuest } from '../../src/paging/switcher.ts';
import { FORMS, Scripted, WRITE } from './scripted.ts';

const ENOMEM = -12;
/** A page for lguest_data. */
const DATA = toGpa(0x5000);

describe.each(FORMS)('setting up $form', ({ pae }) => {
  test('makes a first shadow with the Switcher in it, and a linear mapping', () => {
    const m = new Scripted({ pae });
    expect(initGuestPagetable(m.lg)).toBe(0);
    expect(m.state(/^(cpu|pgdir|pte|tables)/)).toEqual([
      'cpu 0 pgd=0 linear=1',
      'pgdir 0 gpgdir=0 switcher=1 host=-1',
      'pte 0 ffc00000 s0 161',
      `tables ${pae ? 3 : 2}`,
    ]);
  });

  test('without memory for the top level answers −ENOMEM', () => {
    const m = new Scripted({ pae });
    m.host.machine.failAllocationsAfter(0);
    expect(initGuestPagetable(m.lg)).toBe(ENOMEM);
    expect(m.state(/^(pgdir|tables|dead)/)).toEqual(['tables 0']);
  });

  test('without memory for the Switcher answers −ENOMEM and gives its tables back', () => {
    const m = new Scripted({ pae });
    m.host.machine.failAllocationsAfter(pae ? 2 : 1);
    expect(initGuestPagetable(m.lg)).toBe(ENOMEM);
    expect(m.state(/^(pgdir|pgd|tables|ref)/)).toEqual([
      'pgdir 0 gpgdir=0 switcher=0 host=-1',
      'tables 1',
    ]);
    freeGuestPagetable(m.lg);
    expect(m.state(/^tables/)).toEqual(['tables 0']);
  });

  test('taking down leaves no table and no reference', () => {
    const m = new Scripted({ pae });
    initGuestPagetable(m.lg);
    for (let va = 0; va < 0x10_0000; va += 0x1000) demandPage(m.cpu(), toGva(va), WRITE);
    mapSwitcherInGuest(m.cpu(), 0);
    freeGuestPagetable(m.lg);
    expect(m.state(/^(pgdir|pgd|pmd|pte|ref|tables|dead)/)).toEqual(['tables 0']);
  });
});

describe('LGUEST_INIT', () => {
  /** A guest that says its kernel is at `kernelAddress`. */
  function telling(kernelAddress: number): Scripted {
    const m = new Scripted({ switcherAddr: 0xff9f_0000 });
    initGuestPagetable(m.lg);
    m.cpu().lguestData = DATA;
    const at = LguestData.kernelAddress(DATA);
    m.set(at, { low: kernelAddress, high: 0 });
    return m;
  }

  test('learns the kernel’s address and says how much the Switcher takes', () => {
    const m = telling(0xc000_0000);
    pageTableGuestDataInit(m.cpu());
    expect(m.lg.kernelAddress).toBe(0xc000_0000);
    expect(m.get(LguestData.reserveMem(DATA)).low).toBe(0x61_0000);
    expect(m.reason).toBe('');
  });

  test('kills a guest whose kernel reaches into the Switcher', () => {
    const m = telling(0xff9f_0000);
    pageTableGuestDataInit(m.cpu());
    expect(m.reason).toBe('bad kernel address 0xff9f0000');
  });

  test('kills a guest whose lguest_data cannot be read or written', () => {
    for (const state of [Vma.None, Vma.ReadOnly]) {
      const m = telling(0xc000_0000);
      m.setVma(DATA >>> 12, state);
      pageTableGuestDataInit(m.cpu());
      expect(m.reason).toBe('bad guest page 00005000');
    }
  });
});
