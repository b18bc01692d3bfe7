import { describe, expect, test } from 'vitest';
import { Vma } from '../../shared/launcher-map.ts';
import { frameStart, toGpfn, toGva, toPtr } from '../../src/hardware/address.ts';
import { demandPage } from '../../src/paging/fault.ts';
import { FORMS, P, RW, Scripted, TOP, WRITE } from '../paging/scripted.ts';

const VA = toGva(0x0804_8000);

describe.each(FORMS)('the state as text $form', ({ pae }) => {
  test('shows a stray store anywhere in guest memory or in a shadow table', () => {
    const m = Scripted.booted({ pae });
    const before = m.state(/./);
    const frame = frameStart(m.lg.map.frame(toGpfn(0xff)));
    m.host.words.store(toPtr(frame + 1023), 0xbad);
    m.host.words.store(toPtr(m.lg.pgdirs[0]!.pgdir + 2), 0x40);
    const stray = ['mem ffffc bad', pae ? 'pgd 0 1 40' : 'pgd 0 2 40'];
    expect(m.state(/./)).toEqual([...before, ...stray].sort());
    m.host.words.store(toPtr(frame + 1023), 0);
    m.host.words.store(toPtr(m.lg.pgdirs[0]!.pgdir + 2), 0);
    expect(m.state(/./)).toEqual(before);
  });

  test('marks a frame as old once the guest page has another one, without a change of entries', () => {
    const m = Scripted.booted({ pae });
    m.map(TOP, VA, 0x40, P | RW);
    demandPage(m.cpu(), VA, WRITE);
    expect(m.state(/g40/)).toEqual(['pte 0 08048000 g40 63', 'ref g40 1']);
    m.setVma(0x40, Vma.CopyOnWrite);
    expect(m.state(/g40/)).toEqual(['pte 0 08048000 g40-old 63', 'ref g40-old 1']);
  });

  test('counts the references of several old frames of one guest page together', () => {
    const m = Scripted.booted({ pae });
    for (let i = 0; i < 3; i++) {
      const va = toGva(VA + i * 0x1000);
      m.map(TOP, va, 0x40, P | RW);
      demandPage(m.cpu(), va, WRITE);
      m.state(/./);
      m.setVma(0x40, Vma.None);
      m.setVma(0x40, Vma.ReadWrite);
    }
    expect(m.state(/g40/)).toEqual([
      'pte 0 08048000 g40-old 63',
      'pte 0 08049000 g40-old 63',
      'pte 0 0804a000 g40-old 63',
      'ref g40-old 3',
    ]);
  });

  test('shows no memory where the Launcher maps none, and its contents once it maps some', () => {
    const m = Scripted.booted({ pae });
    m.host.words.store(frameStart(m.lg.map.frame(toGpfn(0x40))), 5);
    expect(m.state(/^mem 40/)).toEqual(['mem 40000 5']);
    m.setVma(0x40, Vma.None);
    expect(m.state(/^mem 40/)).toEqual([]);
    m.setVma(0x40, Vma.ReadWrite);
    expect(m.state(/^mem 40/)).toEqual([]);
    m.host.words.store(frameStart(m.lg.map.frame(toGpfn(0x40))), 5);
    expect(m.state(/^mem 40/)).toEqual(['mem 40000 5']);
  });
});
