import { describe, expect, test } from 'vitest';
import { Vma } from '../../shared/launcher-map.ts';
import { toGpa, toGva } from '../../src/hardware/address.ts';
import { Entry } from '../../src/hardware/entry.ts';
import { demandPage } from '../../src/paging/fault.ts';
import { initGuestPagetable } from '../../src/paging/setup.ts';
import {
  A,
  BY_USER,
  D,
  FORMS,
  GLOBAL,
  P,
  PSE,
  RW,
  Scripted,
  SWITCHER,
  TOP,
  USER,
  VA,
  WRITE,
} from './scripted.ts';

describe.each(FORMS)('demand_page $form', ({ pae }) => {
  const booted = () => Scripted.booted({ pae });

  test('never pages the Switcher', () => {
    const m = booted();
    expect(demandPage(m.cpu(), SWITCHER, 0)).toBe(false);
    expect(m.reason).toBe('');
  });

  test('fakes a linear mapping while the guest has no tables', () => {
    const m = new Scripted({ pae });
    initGuestPagetable(m.lg);
    expect(demandPage(m.cpu(), toGva(0x0005_d123), WRITE)).toBe(true);
    expect(demandPage(m.cpu(), toGva(0x0005_e000), 0)).toBe(true);
    expect(m.state(/^pte 0 000/)).toEqual(['pte 0 0005d000 g5d 63', 'pte 0 0005e000 g5e 21']);
    expect(demandPage(m.cpu(), toGva(256 << 12), 0)).toBe(false);
    expect(m.reason).toBe('bad page table entry');
  });

  test('maps a page that was read as read-only, so that a write faults', () => {
    const m = booted();
    const gpte = m.map(TOP, VA, 0x40, P | RW | USER);
    expect(demandPage(m.cpu(), VA, BY_USER)).toBe(true);
    expect(m.state(/^pte 0 08048/)).toEqual(['pte 0 08048000 g40 25']);
    expect(m.get(gpte)).toEqual(new Entry(0x40000 | P | RW | USER | A, 0));
    expect(demandPage(m.cpu(), VA, WRITE | BY_USER)).toBe(true);
    expect(m.state(/^pte 0 08048|^ref g40/)).toEqual(['pte 0 08048000 g40 67', 'ref g40 1']);
    expect(m.get(gpte)).toEqual(new Entry(0x40000 | P | RW | USER | A | D, 0));
  });

  test('drops the GLOBAL flag', () => {
    const m = booted();
    m.map(TOP, VA, 0x40, P | RW | USER | GLOBAL);
    demandPage(m.cpu(), VA, WRITE);
    expect(m.state(/^pte 0 08048/)).toEqual(['pte 0 08048000 g40 67']);
  });

  test('leaves to the guest its own faults: absent, read-only, kernel-only', () => {
    const m = booted();
    expect(demandPage(m.cpu(), VA, 0)).toBe(false);
    m.map(TOP, VA, 0x40, RW | USER);
    expect(demandPage(m.cpu(), VA, 0)).toBe(false);
    m.map(TOP, VA, 0x40, P | USER);
    expect(demandPage(m.cpu(), VA, WRITE)).toBe(false);
    m.map(TOP, VA, 0x40, P | RW);
    expect(demandPage(m.cpu(), VA, BY_USER)).toBe(false);
    expect(m.state(/^pte 0 08048|^ref g|^dead/)).toEqual([]);
  });

  test('kills for a large page and for a page outside the guest', () => {
    for (const [page, flags] of [
      [0x40, P | PSE],
      [0x100, P],
    ] as const) {
      const m = booted();
      m.map(TOP, VA, page, flags);
      expect(demandPage(m.cpu(), VA, 0)).toBe(false);
      expect(m.reason).toBe('bad page table entry');
    }
  });

  test('kills for invalid flags above, and for a table outside the guest', () => {
    const level = pae ? 'page middle directory' : 'page directory';
    for (const bad of [0x11087, 0x10167, 0x100067]) {
      const m = booted();
      m.map(TOP, VA, 0x40, P);
      m.set(m.upperAt(TOP, VA), new Entry(bad, 0));
      expect(demandPage(m.cpu(), VA, 0)).toBe(false);
      expect(m.reason).toBe(`bad ${level} entry`);
    }
  });

  test('kills when the Launcher has no page there', () => {
    const m = booted();
    m.map(TOP, VA, 0x40, P | RW);
    m.setVma(0x40, Vma.None);
    expect(demandPage(m.cpu(), VA, 0)).toBe(true);
    expect(m.reason).toBe('failed to get page 64');
    // An invalid page number without flags: no frame is released there.
    expect(m.state(/^pte 0 08048/)).toEqual(['pte 0 08048000 ? 0']);
  });

  test('breaks copy-on-write for a write only', () => {
    const m = booted();
    m.map(TOP, VA, 0x40, P | RW);
    m.setVma(0x40, Vma.CopyOnWrite);
    demandPage(m.cpu(), VA, 0);
    expect(m.state(/^pte 0 08048|^ref [gz]/)).toEqual(['pte 0 08048000 zero 21', 'ref zero 1']);
    demandPage(m.cpu(), VA, WRITE);
    expect(m.state(/^pte 0 08048|^ref [gz]/)).toEqual(['pte 0 08048000 g40 63', 'ref g40 1']);
  });

  test('kills when a table’s address is outside guest memory', () => {
    const m = booted();
    m.lg.pgdirs[0]!.gpgdir = toGpa(0x100000);
    expect(demandPage(m.cpu(), VA, 0)).toBe(false);
    const at = pae ? '0x100000' : '0x100080';
    expect(m.reason).toBe(`bad read address ${at} len ${pae ? 8 : 4}`);
  });

  test('kills when there is no memory for a table', () => {
    const m = booted();
    m.map(TOP, VA, 0x40, P | RW);
    m.host.machine.failAllocationsAfter(0);
    expect(demandPage(m.cpu(), VA, 0)).toBe(false);
    expect(m.reason).toBe('out of memory allocating pte page');
    if (!pae) return;
    const other = booted();
    other.map(TOP, VA, 0x40, P | RW);
    other.host.machine.failAllocationsAfter(1);
    expect(demandPage(other.cpu(), VA, 0)).toBe(false);
    expect(other.reason).toBe('out of memory allocating pmd page');
  });

  test('U7: a stricter upper level makes a fault “fixed” forever', () => {
    const m = booted();
    m.map(TOP, VA, 0x40, P | RW | USER, P | USER);
    expect(demandPage(m.cpu(), VA, WRITE | BY_USER)).toBe(true);
    expect(m.state(pae ? /^pmd 0 080/ : /^pgd 0 20 /)).toEqual([
      pae ? 'pmd 0 08000000 5' : 'pgd 0 20 5',
    ]);
    expect(demandPage(m.cpu(), VA, WRITE | BY_USER)).toBe(true);
    expect(m.get(m.upperAt(TOP, VA)).low & A).toBe(0);
  });

  test('U12: a dirty, read-only page is taken for writing', () => {
    const m = booted();
    m.map(TOP, VA, 0x40, P | D);
    m.setVma(0x40, Vma.CopyOnWrite);
    demandPage(m.cpu(), VA, 0);
    expect(m.state(/^pte 0 08048|^ref [gz]/)).toEqual(['pte 0 08048000 g40 61', 'ref g40 1']);
    m.map(TOP, VA, 0x41, P | D);
    m.setVma(0x41, Vma.ReadOnly);
    demandPage(m.cpu(), VA, 0);
    expect(m.reason).toBe('failed to get page 65');
  });
});

test('with PAE, NX is lost on the way into the shadow', () => {
  const m = Scripted.booted({ pae: true, nx: true });
  const gpte = m.map(TOP, VA, 0x40, P | RW);
  m.set(gpte, new Entry(m.get(gpte).low, 0x8000_0000));
  demandPage(m.cpu(), VA, WRITE);
  expect(m.state(/^pte 0 08048/)).toEqual(['pte 0 08048000 g40 63']);
  expect(m.get(gpte).high).toBe(0x8000_0000 | 0);
});

test('with PAE, a top-level entry may carry PRESENT alone', () => {
  const m = Scripted.booted({ pae: true });
  m.map(TOP, VA, 0x40, P);
  m.set(TOP, new Entry(m.get(TOP).low | RW, 0));
  expect(demandPage(m.cpu(), VA, 0)).toBe(false);
  expect(m.reason).toBe('bad page directory entry');
});
