import { describe, expect, test } from 'vitest';
import { FrameKind } from '../../shared/frames.ts';
import { Vma } from '../../shared/launcher-map.ts';
import {
  frameOf,
  frameStart,
  toGpa,
  toGpfn,
  toGva,
  toPfn,
  toPtr,
} from '../../src/hardware/address.ts';
import { Entry } from '../../src/hardware/entry.ts';
import { demandPage } from '../../src/paging/fault.ts';
import { guestSetPgd, guestSetPmd, guestSetPte } from '../../src/paging/set.ts';
import { freeGuestPagetable } from '../../src/paging/setup.ts';
import { guestNewPagetable } from '../../src/paging/switch.ts';
import { mapSwitcherInGuest } from '../../src/paging/switcher.ts';
import {
  A,
  D,
  FORMS,
  KERNEL,
  OTHER_TOP,
  P,
  RW,
  Scripted,
  SWITCHER,
  TOP,
  USER,
  VA,
} from './scripted.ts';

const LOW_USER_PAGES = /^(pte \d 080|ref [gz])/;

/** The guest's entry as passed by the hypercall, for page 0x40. */
const gpte = (flags: number, page = 0x40): Entry => new Entry((page << 12) | flags, 0);

describe.each(FORMS)('setting an entry $form', ({ pae }) => {
  const booted = (vcpus = 1) => Scripted.booted({ pae, vcpus });

  /** With VA read once, so that the tables down to it exist. */
  function mapped(): Scripted {
    const m = booted();
    m.map(TOP, VA, 0x40, P | RW | USER);
    demandPage(m.cpu(), VA, 0);
    return m;
  }

  test('drops the old one, to be faulted in again', () => {
    const m = mapped();
    expect(m.state(LOW_USER_PAGES)).toEqual(['pte 0 08048000 g40 25', 'ref g40 1']);
    guestSetPte(m.cpu(), TOP, VA, gpte(P | RW | USER, 0x41));
    expect(m.state(LOW_USER_PAGES)).toEqual([]);
  });

  test('installs a DIRTY one at once, writable', () => {
    const m = mapped();
    guestSetPte(m.cpu(), TOP, VA, gpte(P | RW | USER | A | D, 0x41));
    expect(m.state(LOW_USER_PAGES)).toEqual(['pte 0 08048000 g41 67', 'ref g41 1']);
  });

  test('does nothing where the shadow has no table', () => {
    const m = mapped();
    guestSetPte(m.cpu(), TOP, toGva(0x4000_0000), gpte(P | A));
    guestSetPte(m.cpu(), OTHER_TOP, VA, gpte(P | A));
    expect(m.state(LOW_USER_PAGES)).toEqual(['pte 0 08048000 g40 25', 'ref g40 1']);
  });

  test('changes every shadow when the address is the kernel’s', () => {
    const m = booted();
    m.map(TOP, KERNEL, 0x40, P | RW);
    demandPage(m.cpu(), KERNEL, 0);
    m.random = 1;
    m.map(OTHER_TOP, KERNEL, 0x40, P | RW);
    guestNewPagetable(m.cpu(), OTHER_TOP);
    demandPage(m.cpu(), KERNEL, 0);
    guestSetPte(m.cpu(), TOP, KERNEL, gpte(P | A, 0x41));
    expect(m.state(/^pte \d c0/)).toEqual(['pte 0 c0000000 g41 21', 'pte 1 c0000000 g41 21']);
  });

  test('kills a guest that reaches into the Switcher', () => {
    const m = booted();
    guestSetPte(m.cpu(), TOP, SWITCHER, gpte(P));
    expect(m.reason).toBe('attempt to set pte into Switcher pages');
  });

  test('U4: installs ACCESSED without DIRTY writable, over a page taken for reading', () => {
    const m = mapped();
    m.setVma(0x41, Vma.CopyOnWrite);
    guestSetPte(m.cpu(), TOP, VA, gpte(P | RW | USER | A, 0x41));
    expect(m.state(LOW_USER_PAGES)).toEqual(['pte 0 08048000 zero 27', 'ref zero 1']);
  });

  test('U5: a refused entry leaves the old one in place, released', () => {
    const m = mapped();
    guestSetPte(m.cpu(), TOP, VA, gpte(P | A, 0x100));
    expect(m.reason).toBe('bad page table entry');
    expect(m.state(LOW_USER_PAGES)).toEqual(['pte 0 08048000 g40 25']);
    freeGuestPagetable(m.lg);
    // Once more: the page is free, and still mapped by the guest.
    expect(m.state(LOW_USER_PAGES)).toEqual([]);
    const frame = m.lg.map.frame(toGpfn(0x40));
    expect(m.host.frames.kind(frame)).toBe(FrameKind.Free);
    const told = [{ frame, kind: FrameKind.GuestPage, owner: 0 }];
    expect(m.host.machine.overPuts.list()).toMatchObject(told);
  });

  test('U5: so does a page that the Launcher has discarded meanwhile', () => {
    const m = mapped();
    const frame = m.lg.map.frame(toGpfn(0x40));
    m.setVma(0x40, Vma.None);
    expect(m.state(LOW_USER_PAGES)).toEqual(['pte 0 08048000 g40-old 25', 'ref g40-old 1']);
    guestSetPte(m.cpu(), TOP, VA, gpte(P | A, 0x100));
    expect(m.state(LOW_USER_PAGES)).toEqual(['pte 0 08048000 g40-old 25']);
    freeGuestPagetable(m.lg);
    expect(m.state(LOW_USER_PAGES)).toEqual([]);
    expect(m.host.machine.overPuts.list()).toMatchObject([{ frame, kind: FrameKind.Free }]);
  });

  test('U6: a non-present entry takes a reference that is never dropped', () => {
    const m = mapped();
    guestSetPte(m.cpu(), TOP, VA, gpte(RW | A, 0x41));
    expect(m.state(LOW_USER_PAGES)).toEqual(['pte 0 08048000 g41 22', 'ref g41 1']);
    freeGuestPagetable(m.lg);
    expect(m.state(LOW_USER_PAGES)).toEqual(['ref g41 1']);
  });

  test('U6: a swap entry whose page number is outside the guest kills it', () => {
    const m = mapped();
    guestSetPte(m.cpu(), TOP, VA, gpte(A, 0x1234));
    expect(m.reason).toBe('bad page table entry');
  });
});

describe.each(FORMS)('setting a top-level entry $form', ({ pae }) => {
  const { entries, user, switcher } = pae
    ? { entries: 4, user: 0, switcher: 3 }
    : { entries: 1024, user: 0x20, switcher: 1023 };

  test('drops the tables below it', () => {
    const m = Scripted.booted({ pae });
    m.map(TOP, VA, 0x40, P | RW);
    demandPage(m.cpu(), VA, 0);
    guestSetPgd(m.cpu(), TOP, user);
    expect(m.state(/^(pte 0 080|pmd 0 080|pgd 0 (0|20) |ref g)/)).toEqual([]);
  });

  test('kills for an index past the end', () => {
    const m = Scripted.booted({ pae });
    guestSetPgd(m.cpu(), TOP, entries + 1);
    expect(m.reason).toBe(`Attempt to set pgd ${entries + 1}/${entries}`);
  });

  test('maps the Switcher again after dropping it', () => {
    const m = Scripted.booted({ pae });
    mapSwitcherInGuest(m.cpu(), 1);
    guestSetPgd(m.cpu(), TOP, switcher);
    expect(m.state(/^(pte 0 ffc|pgdir)/)).toEqual([
      'pgdir 0 gpgdir=1000 switcher=1 host=-1',
      'pte 0 ffc00000 s0 161',
    ]);
    mapSwitcherInGuest(m.cpu(), 0);
    expect(m.state(/^pte 0 ffc/)).toHaveLength(3);
  });

  test('U2: repairs the Switcher of another than the current shadow in the wrong place', () => {
    const m = Scripted.booted({ pae });
    m.random = 1;
    guestNewPagetable(m.cpu(), OTHER_TOP);
    guestSetPgd(m.cpu(), TOP, switcher);
    expect(m.state(/^(pte 0|pgdir 0)/)).toEqual(['pgdir 0 gpgdir=1000 switcher=1 host=-1']);
    guestNewPagetable(m.cpu(), TOP);
    expect(() => mapSwitcherInGuest(m.cpu(), 0)).toThrow('null dereference');
  });

  test('R8: the repair is for vCPU 0, whichever vCPU called', () => {
    const m = Scripted.booted({ pae, vcpus: 2 });
    m.random = 1;
    // vCPU 1 runs on pgdir 1, and its own Switcher entry is dropped.
    guestNewPagetable(m.cpu(1), OTHER_TOP);
    guestSetPgd(m.cpu(), OTHER_TOP, switcher);
    expect(m.state(/^pte 1/)).toEqual([]);
    expect(() => mapSwitcherInGuest(m.cpu(1), 0)).toThrow('null dereference');
  });
});

test('U1: without PAE the index just past the end releases the entries of the next frame', () => {
  const m = Scripted.booted();
  m.map(TOP, VA, 0x40, P | RW);
  demandPage(m.cpu(), VA, 0);
  // The next frame begins with an entry that seems to lead to VA's table.
  const top = m.lg.pgdirs[0]!.pgdir;
  const table = m.host.words.load(toPtr(top + 0x20)) >>> 12;
  const next = frameStart(toPfn(frameOf(top) + 1));
  m.host.words.store(next, (table << 12) | P);
  guestSetPgd(m.cpu(), TOP, 1024);
  expect(m.reason).toBe('');
  expect(m.host.words.load(next)).toBe(0);
  expect(m.state(/^ref g/)).toEqual([]);
});

test('U1: with PAE the index just past the end is inside the page, and zero', () => {
  const m = Scripted.booted({ pae: true });
  const before = m.state(/./);
  guestSetPgd(m.cpu(), TOP, 4);
  expect(m.state(/./)).toEqual(before);
});

test('setting a middle-level entry drops everything, for vCPU 0 (R8)', () => {
  const m = Scripted.booted({ pae: true, vcpus: 2 });
  m.map(TOP, VA, 0x40, P | RW);
  demandPage(m.cpu(), VA, 0);
  m.random = 1;
  guestNewPagetable(m.cpu(1), OTHER_TOP);
  guestSetPmd(m.cpu());
  expect(m.state(/^pte /)).toEqual(['pte 0 ffc00000 s0 161']);
  expect(() => mapSwitcherInGuest(m.cpu(1), 0)).toThrow('BUG_ON');
});

test('an unknown top level matches no shadow', () => {
  const m = Scripted.booted();
  m.map(TOP, VA, 0x40, P | RW);
  demandPage(m.cpu(), VA, 0);
  guestSetPgd(m.cpu(), toGpa(0x9000), VA >>> m.lg.form.pgdirShift);
  expect(m.state(/^(pgdir|pte 0 080)/)).toEqual([
    'pgdir 0 gpgdir=1000 switcher=1 host=-1',
    'pte 0 08048000 g40 21',
  ]);
});
