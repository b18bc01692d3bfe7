/** Each defect that one vCPU can show, alone: its consequence occurs on, and not off. */

import { describe, expect, test } from 'vitest';
import { FrameKind } from '../../shared/frames.ts';
import { Vma } from '../../shared/launcher-map.ts';
import { checkIsolation } from '../../src/check/isolation.ts';
import { checkReferences } from '../../src/check/references.ts';
import { DEFECTS, type DefectId } from '../../src/defects.ts';
import { frameOf, frameStart, type Ptr, toGpa, toGva, toPtr } from '../../src/hardware/address.ts';
import { Entry, flagsOf, makeEntry, PAGE_NX_HIGH, pgdIndex } from '../../src/hardware/entry.ts';
import { guestSetStack } from '../../src/host/interrupts.ts';
import { demandPage } from '../../src/paging/fault.ts';
import {
  guestPa,
  guestPagetableClearAll,
  guestPagetableFlushUser,
} from '../../src/paging/flush.ts';
import { pinStackPages } from '../../src/paging/pin.ts';
import { copyRoot, mapPrivateSwitcher } from '../../src/paging/private-switcher.ts';
import { guestSetPgd, guestSetPte } from '../../src/paging/set.ts';
import { guestNewPagetable } from '../../src/paging/switch.ts';
import { mapSwitcherInGuest } from '../../src/paging/switcher.ts';
import {
  A,
  D,
  KERNEL,
  OTHER_TOP,
  oopses,
  P,
  RW,
  Scripted,
  SWITCHER,
  TOP,
  USER,
  VA,
  WRITE,
} from './scripted.ts';

interface Specimen {
  readonly pae?: boolean;
  readonly switcherAddr?: number;
  /** Whether the consequence occurs. */
  readonly shows: (m: Scripted) => boolean;
}

const gpte = (flags: number, page = 0x40): Entry => makeEntry(page, flags);

/** VA has been read, so the tables down to it exist. */
function read(m: Scripted, flags = P | RW | USER): void {
  m.map(TOP, VA, 0x40, flags);
  demandPage(m.cpu(), VA, 0);
}

/** Two shadows, on the second of which the guest runs, and a stack that both map. */
function twoShadows(m: Scripted): void {
  for (const top of [TOP, OTHER_TOP]) m.map(top, KERNEL, 0x50, P | RW);
  m.cpu().stackPages = 1;
  m.cpu().esp1 = toGva(KERNEL + 0x1000);
  pinStackPages(m.cpu());
  m.random = 1;
  guestNewPagetable(m.cpu(), OTHER_TOP);
}

const stackIsMapped = (m: Scripted): boolean =>
  m.state(new RegExp(`^pte ${m.cpu().cpuPgd} c0000000 g50 63$`)).length === 1;

/** Prepare an entry to the guest; returns the top-level entry that maps the Switcher. */
function wayIn(m: Scripted): Ptr {
  const { lg } = m;
  const cpu = m.cpu();
  if (lg.sharesSwitcher) {
    mapSwitcherInGuest(cpu, 0);
  } else {
    mapPrivateSwitcher(cpu, 0);
    copyRoot(cpu);
  }
  const top = lg.sharesSwitcher ? lg.pgdirs[cpu.cpuPgd]!.pgdir : frameStart(cpu.root);
  return toPtr(top + pgdIndex(lg.form, m.host.switcherAddr) * lg.form.entryWords);
}

const SPECIMENS: Readonly<Partial<Record<DefectId, Specimen>>> = {
  U1: {
    // The frame behind the top level begins with a plausible entry.
    shows: (m) => {
      const { frames, words } = m.host;
      const top = frameOf(m.lg.pgdirs[0]!.pgdir);
      const table = frames.allocate(FrameKind.PageTable, 0);
      const next = frameStart((top + 1) as typeof top);
      words.store(next, (table << 12) | P);
      guestSetPgd(m.cpu(), TOP, 1024);
      const released = frames.kind(table) === FrameKind.Free;
      if (!released) frames.disown(table);
      return released;
    },
  },
  U2: {
    shows: (m) => {
      twoShadows(m);
      guestSetPgd(m.cpu(), TOP, m.lg.form.ptrsPerPgd - 1);
      guestNewPagetable(m.cpu(), TOP);
      return oopses(() => wayIn(m));
    },
  },
  U3: {
    pae: true,
    shows: (m) => {
      m.set(toGpa(TOP), makeEntry(0x60, P));
      return oopses(() => guestPa(m.cpu(), VA));
    },
  },
  U4: {
    shows: (m) => {
      read(m);
      guestSetPte(m.cpu(), TOP, VA, gpte(P | RW | USER | A, 0x41));
      return m.state(/^pte 0 08048000 g41 27$/).length === 1;
    },
  },
  U5: {
    shows: (m) => {
      read(m);
      guestSetPte(m.cpu(), TOP, VA, gpte(P | A, 0x1000));
      return checkReferences(m.host).length > 0;
    },
  },
  U6: {
    shows: (m) => {
      read(m);
      guestSetPte(m.cpu(), TOP, VA, gpte(A));
      return checkReferences(m.host).length > 0;
    },
  },
  U7: {
    // The level above is read-only, so the fault is the guest's own.
    shows: (m) => {
      m.map(TOP, VA, 0x40, P | RW | USER, P | USER | A);
      return demandPage(m.cpu(), VA, WRITE);
    },
  },
  U8: {
    // The guest's stack and the Switcher share a top-level entry, with fewer rights from the guest.
    switcherAddr: 0xff9f_0000,
    shows: (m) => {
      const stack = toGva(0xff9e_0000);
      m.map(TOP, stack, 0x50, P | RW, P | RW);
      m.cpu().stackPages = 1;
      m.cpu().esp1 = toGva(stack + 0x1000);
      guestPagetableClearAll(m.cpu());
      return (flagsOf(m.lg.entry(wayIn(m))) & USER) === 0;
    },
  },
  U9: {
    shows: (m) => {
      m.map(TOP, KERNEL, 0x50, P | RW);
      guestSetStack(m.cpu(), 0x69, KERNEL + 0x1000, 3);
      return m.state(/^pte 0 c0000000/).length > 0;
    },
  },
  U10: {
    shows: (m) => {
      twoShadows(m);
      guestPagetableClearAll(m.cpu());
      guestNewPagetable(m.cpu(), TOP);
      return !stackIsMapped(m);
    },
  },
  U11: {
    pae: true,
    shows: (m) => {
      m.lg.kernelAddress = toGva(0xd000_0000);
      const user = toGva(0xc800_0000);
      m.map(TOP, user, 0x40, P | RW | USER);
      demandPage(m.cpu(), user, 0);
      guestPagetableFlushUser(m.cpu());
      return m.state(/^pte 0 c8000000/).length > 0;
    },
  },
  U12: {
    shows: (m) => {
      m.setVma(0x40, Vma.ReadOnly);
      m.map(TOP, VA, 0x40, P | USER | A | D);
      demandPage(m.cpu(), VA, 0);
      return m.reason === 'failed to get page 64';
    },
  },
  U13: {
    pae: true,
    shows: (m) => {
      const at = m.map(TOP, VA, 0x40, P | RW | USER);
      m.set(at, new Entry(m.get(at).low, PAGE_NX_HIGH));
      demandPage(m.cpu(), VA, 0);
      return m.state(/^pte 0 08048000 g40 25$/).length === 1;
    },
  },
  U14: {
    // Two addresses of one page: read by one, then written by the other.
    shows: (m) => {
      const other = toGva(VA + 0x1000);
      m.setVma(0x40, Vma.CopyOnWrite);
      for (const va of [VA, other]) m.map(TOP, va, 0x40, P | RW | USER);
      demandPage(m.cpu(), VA, 0);
      demandPage(m.cpu(), other, WRITE);
      return m.state(/^pte 0 08048000 zero/).length === 1;
    },
  },
};

describe.each(Object.entries(SPECIMENS))(
  '%s',
  (name, { pae = false, switcherAddr = SWITCHER, shows }) => {
    const id = name as DefectId;
    const machine = (defects: readonly DefectId[]): Scripted =>
      Scripted.booted({ pae, nx: pae, switcherAddr, defects });

    test(`on: ${DEFECTS[id].consequence}`, () => {
      expect(shows(machine([id]))).toBe(true);
    });

    test('off: it does not occur', () => {
      const m = machine([]);
      expect(shows(m)).toBe(false);
      expect([...checkIsolation(m.host), ...checkReferences(m.host)]).toEqual([]);
    });
  },
);

test('U7 off: sets the ACCESSED flag of the level above too, like the processor', () => {
  const m = Scripted.booted({ defects: [] });
  m.map(TOP, VA, 0x40, P | RW | USER, P | RW | USER);
  demandPage(m.cpu(), VA, 0);
  expect(m.get(m.upperAt(TOP, VA)).low & A).toBe(A);
});

test('U4 off: the DIRTY flag is visible', () => {
  const m = Scripted.booted({ defects: [] });
  read(m);
  const at = m.map(TOP, VA, 0x41, P | RW | USER | A);
  guestSetPte(m.cpu(), TOP, VA, m.get(at));
  expect(m.state(/^pte 0 08048/)).toEqual(['pte 0 08048000 g41 25']);
  expect(demandPage(m.cpu(), VA, WRITE)).toBe(true);
  expect(m.get(at).low & D).toBe(D);
});
