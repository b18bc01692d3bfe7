import { describe, expect, test } from 'vitest';
import { NO_PGDIR } from '../../shared/lg-cpu.ts';
import { toGva } from '../../src/hardware/address.ts';
import { demandPage } from '../../src/paging/fault.ts';
import { pinPage, pinStackPages } from '../../src/paging/pin.ts';
import { D, FORMS, P, RW, Scripted, SWITCHER, TOP } from './scripted.ts';

const STACK = toGva(0xc001_2000);

describe.each(FORMS)('pinning the stack $form', ({ pae }) => {
  test('maps its pages writable, from the top down', () => {
    const m = Scripted.booted({ pae });
    m.map(TOP, toGva(STACK - 0x1000), 0x41, P | RW);
    m.map(TOP, toGva(STACK - 0x2000), 0x42, P | RW);
    m.map(TOP, toGva(STACK - 0x3000), 0x43, P | RW);
    m.cpu().esp1 = STACK;
    m.cpu().stackPages = 2;
    pinStackPages(m.cpu());
    expect(m.state(/^pte 0 c00/)).toEqual(['pte 0 c0010000 g42 63', 'pte 0 c0011000 g41 63']);
    expect(m.reason).toBe('');
  });

  test('keeps a writable page, and upgrades another', () => {
    const m = Scripted.booted({ pae });
    const gpte = m.map(TOP, STACK, 0x41, P | RW);
    demandPage(m.cpu(), STACK, 0);
    expect(m.state(/^pte 0 c00/)).toEqual(['pte 0 c0012000 g41 21']);
    pinPage(m.cpu(), STACK);
    expect(m.state(/^pte 0 c00/)).toEqual(['pte 0 c0012000 g41 63']);
    // The guest write-protects its entry; the shadow is not checked against it while it suffices.
    m.map(TOP, STACK, 0x41, 0);
    pinPage(m.cpu(), STACK);
    expect(m.state(/^pte 0 c00|^ref g/)).toEqual(['pte 0 c0012000 g41 63', 'ref g41 1']);
    expect(m.get(gpte).low & D).toBe(0);
    expect(m.reason).toBe('');
  });

  test('does nothing while all shadows are in use by others', () => {
    const m = Scripted.booted({ pae, discipline: 'pgdir-lock', defects: [] });
    m.cpu().esp1 = STACK;
    m.cpu().stackPages = 2;
    m.cpu().cpuPgd = NO_PGDIR;
    pinStackPages(m.cpu());
    expect(m.reason).toBe('');
  });

  test('kills a guest whose stack is not mapped, or read-only', () => {
    const unmapped = Scripted.booted({ pae });
    pinPage(unmapped.cpu(), toGva(STACK - 1));
    expect(unmapped.reason).toBe('bad stack page 0xc0011fff');
    const readOnly = Scripted.booted({ pae });
    readOnly.map(TOP, STACK, 0x41, P);
    pinPage(readOnly.cpu(), STACK);
    expect(readOnly.reason).toBe('bad stack page 0xc0012000');
  });

  test('kills a guest that puts its stack into the Switcher', () => {
    const m = Scripted.booted({ pae });
    pinPage(m.cpu(), SWITCHER);
    expect(m.reason).toBe('bad stack page 0xffc00000');
  });

  test('returns after the guest is dead, and keeps the first reason', () => {
    const m = Scripted.booted({ pae });
    m.cpu().esp1 = STACK;
    m.cpu().stackPages = 2;
    m.map(TOP, toGva(STACK - 0x2000), 0x42, P | RW);
    pinStackPages(m.cpu());
    expect(m.reason).toBe('bad stack page 0xc0011fff');
    expect(m.state(/^pte 0 c00/)).toEqual(['pte 0 c0010000 g42 63']);
  });
});
