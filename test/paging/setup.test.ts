import { describe, expect, test } from 'vitest';
import { Vma } from '../../shared/launcher-map.ts';
import { LguestData } from '../../shared/lguest-data.ts';
import { checkAll } from '../../src/check/invariants.ts';
import { toGpa, toGva } from '../../src/hardware/address.ts';
import { NO_ENTRY } from '../../src/hardware/entry.ts';
import { demandPage } from '../../src/paging/fault.ts';
import { dropWhatChanged } from '../../src/paging/policies/compare.ts';
import type { PagingPolicy } from '../../src/paging/policies/declared.ts';
import { allocatePrivateSwitcher } from '../../src/paging/private-switcher.ts';
import { guestSetPte } from '../../src/paging/set.ts';
import {
  freeGuestPagetable,
  initGuestPagetable,
  pageTableGuestDataInit,
} from '../../src/paging/setup.ts';
import { guestNewPagetable, letGoOfPgdir } from '../../src/paging/switch.ts';
import { mapSwitcherInGuest } from '../../src/paging/switcher.ts';
import { FORMS, KERNEL, P, RW, Scripted, TOP, USER, WRITE } from './scripted.ts';

const ENOMEM = -12;
/** Where a linear mapping has page 0x41. */
const VA_OF_PAGE = toGva(0x4_1000);
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

  test('without memory for the top level returns −ENOMEM', () => {
    const m = new Scripted({ pae });
    m.host.machine.failAllocationsAfter(0);
    expect(initGuestPagetable(m.lg)).toBe(ENOMEM);
    expect(m.state(/^(pgdir|tables|dead)/)).toEqual(['tables 0']);
  });

  test('without memory for the Switcher returns −ENOMEM and frees its tables', () => {
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

  test('freeing it leaves no table and no reference', () => {
    const m = new Scripted({ pae });
    initGuestPagetable(m.lg);
    for (let va = 0; va < 0x10_0000; va += 0x1000) demandPage(m.cpu(), toGva(va), WRITE);
    mapSwitcherInGuest(m.cpu(), 0);
    freeGuestPagetable(m.lg);
    expect(m.state(/^(pgdir|pgd|pmd|pte|ref|tables|dead)/)).toEqual(['tables 0']);
  });
});

describe.each(['guest-lock', 'pgdir-lock', 'lock-free'] as const)(
  'a linear mapping, %s',
  (discipline) => {
    /** Two vCPUs without page tables. */
    const linear = (policy: Partial<PagingPolicy> = {}): Scripted => {
      const m = new Scripted({ vcpus: 2, defects: [], discipline, policy });
      m.lg.kernelAddress = KERNEL;
      initGuestPagetable(m.lg);
      for (const cpu of m.lg.cpus) allocatePrivateSwitcher(cpu);
      const [first, second] = [m.cpu(0), m.cpu(1)];
      second.cpuPgd = first.cpuPgd;
      second.cr3 = first.cr3;
      second.linearPages = true;
      first.started = true;
      second.started = true;
      return m;
    };
    const VA = toGva(0x0040_0000);

    test('is not confused with the top level at address 0', () => {
      const m = linear();
      const atZero = toGpa(0);
      m.map(atZero, VA, 0x40, P | RW | USER);
      m.random = 1;
      guestNewPagetable(m.cpu(0), atZero);
      demandPage(m.cpu(1), VA_OF_PAGE, WRITE);
      demandPage(m.cpu(0), VA, WRITE);
      guestSetPte(m.cpu(0), atZero, VA_OF_PAGE, NO_ENTRY);
      expect(m.cpu(1).cpuPgd).not.toBe(m.cpu(0).cpuPgd);
      expect(m.state(new RegExp(`^pte ${m.cpu(1).cpuPgd}`))).toEqual(['pte 0 00041000 g41 63']);
      letGoOfPgdir(m.cpu(0));
      guestNewPagetable(m.cpu(1), atZero);
      expect(m.cpu(1).cpuPgd).toBe(m.cpu(0).cpuPgd);
      expect(checkAll(m.host)).toEqual([]);
    });

    test('is dropped when the host compares shadows for another vCPU', () => {
      const m = linear({ kernelChange: 'compare' });
      m.map(TOP, VA, 0x40, P | RW | USER);
      guestNewPagetable(m.cpu(0), TOP);
      demandPage(m.cpu(1), VA_OF_PAGE, WRITE);
      dropWhatChanged(m.cpu(0));
      expect(m.state(new RegExp(`^pte ${m.cpu(1).cpuPgd}`))).toEqual([]);
      expect(m.reason).toBe('');
    });

    test('is replaced by one shadow for two vCPUs on the same tables', () => {
      const m = linear();
      for (const id of [0, 1]) {
        m.random = id + 1;
        guestNewPagetable(m.cpu(id), TOP);
      }
      expect(m.cpu(1).cpuPgd).toBe(m.cpu(0).cpuPgd);
      expect(checkAll(m.host)).toEqual([]);
    });
  },
);

describe('LGUEST_INIT', () => {
  /** A guest with its kernel at `kernelAddress`. */
  function telling(kernelAddress: number): Scripted {
    const m = new Scripted({ switcherAddr: 0xff9f_0000 });
    initGuestPagetable(m.lg);
    m.cpu().lguestData = DATA;
    const at = LguestData.kernelAddress(DATA);
    m.set(at, { low: kernelAddress, high: 0 });
    return m;
  }

  test('reads the kernel’s address and returns the size of the Switcher', () => {
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
