/**
 * Each defect that takes several vCPUs, alone: its consequence occurs with its switch on, and not
 * with all off. One host CPU acts in the middle of another's operation.
 */

import { describe, expect, test } from 'vitest';
import { Reg } from '../../shared/host-cpu.ts';
import { Hypercall } from '../../shared/hypercall.ts';
import { Vma } from '../../shared/launcher-map.ts';
import { LguestData } from '../../shared/lguest-data.ts';
import { checkNothingLeft, checkReferences } from '../../src/check/references.ts';
import { DEFECTS, type DefectId } from '../../src/defects.ts';
import { Right } from '../../src/hardware/access.ts';
import { type Gva, NULL, toGpa, toGpfn, toGva } from '../../src/hardware/address.ts';
import { isPresent, makeEntry, NO_ENTRY, ptePfn } from '../../src/hardware/entry.ts';
import { close } from '../../src/host/launcher.ts';
import { writeSaved } from '../../src/host/switcher.ts';
import { findSpte } from '../../src/paging/entries.ts';
import { demandPage } from '../../src/paging/fault.ts';
import { guestPagetableClearAll } from '../../src/paging/flush.ts';
import { pinStackPages, stackIsMapped } from '../../src/paging/pin.ts';
import { guestSetPgd, guestSetPte } from '../../src/paging/set.ts';
import { claimPgdir, guestNewPagetable } from '../../src/paging/switch.ts';
import { percpuPagesAddr } from '../../src/paging/switcher.ts';
import {
  A,
  D,
  type HostCpuView,
  hypercall,
  KERNEL,
  OTHER_TOP,
  oopses,
  P,
  RW,
  Scripted,
  TOP,
  USER,
  VA,
  WRITE,
} from './scripted.ts';

import { hasToWait } from './several.ts';

/** A machine of four host CPUs whose guest has two vCPUs, both on TOP. */
interface Machine {
  readonly m: Scripted;
  readonly cpus: readonly [HostCpuView, HostCpuView, HostCpuView, HostCpuView];
}

/** Whether the consequence occurs. */
const SPECIMENS: Partial<Record<DefectId, (machine: Machine) => boolean>> = {
  R1: ({ m, cpus: [a, b] }) => {
    m.map(TOP, VA, 0x40, P | RW | USER);
    demandPage(a.cpu(0), VA, 0);
    // Both write, and the guest has replaced the read page by a copy.
    m.map(TOP, VA, 0x41, P | RW | USER);
    const { map } = a.host.guests[0]!;
    meanwhile(map, 'getUserPage', () => demandPage(b.cpu(1), VA, WRITE));
    demandPage(a.cpu(0), VA, WRITE);
    return checkReferences(m.host).length > 0;
  },
  R2: ({ m, cpus: [a] }) => {
    const gpte = m.map(TOP, VA, 0x40, P | RW | USER);
    meanwhile(a.host.frames, 'getZeroedPage', () => m.set(gpte, NO_ENTRY));
    demandPage(a.cpu(0), VA, 0);
    return isPresent(m.get(gpte));
  },
  R3: ({ m, cpus: [a] }) => {
    // Only the shadow still holds the page.
    m.map(TOP, VA, 0x40, P | RW | USER);
    demandPage(a.cpu(0), VA, WRITE);
    m.setVma(0x40, Vma.None);
    let mappedWhenFreed = false;
    meanwhile(a.host.frames, 'put', (pfn) => {
      mappedWhenFreed = ptePfn(shadowOf(a, VA)) === pfn;
    });
    guestSetPte(a.cpu(0), TOP, VA, NO_ENTRY);
    return mappedWhenFreed;
  },
  R4: ({ m, cpus: [a, b] }) => {
    m.map(TOP, VA, 0x40, P | RW | USER);
    meanwhile(a.host.frames, 'getZeroedPage', () => demandPage(b.cpu(1), VA, 0));
    demandPage(a.cpu(0), VA, 0);
    close(m.host, m.lg);
    return checkNothingLeft(m.host).length > 0;
  },
  R5: ({ m, cpus: [a, b] }) => {
    m.map(TOP, VA, 0x40, P | RW | USER);
    demandPage(a.cpu(0), VA, 0);
    let reachable = false;
    meanwhile(a.host.frames, 'disown', () => {
      reachable = findSpte(b.cpu(1), 0, VA) !== NULL;
    });
    guestSetPgd(a.cpu(0), TOP, VA >>> m.lg.form.pgdirShift);
    return reachable;
  },
  R6: ({ m, cpus: [a, b] }) => {
    m.map(TOP, VA, 0x40, P | RW | USER | A | D);
    demandPage(a.cpu(0), VA, WRITE);
    b.enter(1);
    b.mmu.translate(VA, Right.UserWrite);
    // While the host waits for it, the CPU exits.
    a.host.words.wait = () => b.leave(1);
    guestSetPte(a.cpu(0), TOP, VA, NO_ENTRY);
    return b.mmu.lookUp(VA, Right.UserWrite) >= 0;
  },
  R7: ({ cpus: [a, b] }) => {
    guestNewPagetable(b.cpu(1), OTHER_TOP);
    guestPagetableClearAll(a.cpu(0));
    return oopses(() => b.enter(1));
  },
  R8: ({ m, cpus: [, b] }) => {
    m.map(TOP, KERNEL, 0x50, P | RW);
    const caller = b.cpu(1);
    caller.stackPages = 1;
    caller.esp1 = toGva(KERNEL + 0x1000);
    pinStackPages(caller);
    guestSetPgd(caller, TOP, KERNEL >>> m.lg.form.pgdirShift);
    b.enter(1);
    return !stackIsMapped(caller);
  },
  R9: ({ cpus: [a] }) => {
    writeSaved(a.cpu(0), Reg.ebx, 0xaaaa);
    writeSaved(a.cpu(1), Reg.ebx, 0xbbbb);
    a.enter(0);
    a.leave(0);
    a.enter(1);
    return a.host.cpus[0]!.register(Reg.ebx) !== 0xbbbb;
  },
  R10: ({ cpus: [a, b] }) => {
    a.enter(0);
    b.enter(1);
    // The hardware may drop cached entries at any time.
    a.mmu.flush();
    return oopses(() => a.leave(0));
  },
  R11: ({ m, cpus: [a, b] }) => {
    claimPgdir(a.cpu(0));
    m.random = a.cpu(0).cpuPgd;
    guestNewPagetable(b.cpu(1), OTHER_TOP);
    return m.lg.pgdirs[a.cpu(0).cpuPgd]!.gpgdir !== TOP;
  },
  R12: ({ m, cpus: [a, b] }) => {
    m.random = 1;
    const second = () => guestNewPagetable(b.cpu(1), OTHER_TOP);
    let waits = false;
    meanwhile(a.host.frames, 'getZeroedPage', () => {
      m.random = 2;
      waits = hasToWait(b, second);
    });
    guestNewPagetable(a.cpu(0), OTHER_TOP);
    expect(waits).toBe(!m.lg.defects.R12);
    if (waits) second();
    return m.lg.pgdirs.filter(({ gpgdir }) => gpgdir === OTHER_TOP).length > 1;
  },
  R13: ({ m, cpus: [a, b, c, d] }) => {
    c.enter(0);
    c.leave(0);
    // Both come from CPU 2, remove its pages, and map their own.
    const second = () => {
      b.enter(1);
      b.leave(1);
    };
    let waits = false;
    meanwhile(a.host.frames, 'put', () => {
      waits = hasToWait(b, second);
    });
    a.enter(0);
    a.leave(0);
    expect(waits).toBe(m.lg.sharesSwitcher && !m.lg.defects.R13);
    if (waits) second();
    d.enter(0);
    const atCpu1 = findSpte(m.cpu(), 0, percpuPagesAddr(m.lg, 1));
    return atCpu1 !== NULL && isPresent(m.lg.entry(atCpu1));
  },
  R14: ({ m, cpus: [a] }) => {
    m.random = 1;
    guestNewPagetable(a.cpu(0), OTHER_TOP);
    a.cpu(0).lguestData = toGpa(0x7000);
    hypercall(a.cpu(0), Hypercall.StartCpu, 1);
    return a.cpu(1).cr3 !== OTHER_TOP || a.cpu(1).cpuPgd !== a.cpu(0).cpuPgd;
  },
  R15: ({ m, cpus: [a] }) => {
    for (const id of [0, 1]) {
      const data = toGpa(0x7000 + id * 0x1000);
      m.set(LguestData.kernelAddress(data), makeEntry(KERNEL >>> 12, 0));
      hypercall(a.cpu(id), Hypercall.LguestInit, data);
    }
    return m.reason === 'already have lguest_data';
  },
  R16: ({ m, cpus: [a, b] }) => {
    a.enter(0);
    b.enter(1);
    const regsOfTheOther = percpuPagesAddr(m.lg, 0);
    return b.mmu.translate(regsOfTheOther, Right.SupervisorWrite) >= 0;
  },
  R17: ({ m, cpus: [a, b] }) => {
    const third = toGpa(0x9000);
    m.map(third, VA, 0x41, P | RW | USER);
    // TOP is cached, and no vCPU runs on it; it is the next to be evicted.
    m.random = 1;
    guestNewPagetable(a.cpu(0), OTHER_TOP);
    m.random = 0;
    meanwhile(a.cpu(0).lg.pgdirs[0]!.lock, 'acquire', () => {
      guestNewPagetable(b.cpu(1), third);
      demandPage(b.cpu(1), VA, 0);
    });
    guestSetPte(a.cpu(0), TOP, VA, makeEntry(0x40, P | RW | USER | A | D));
    return ptePfn(shadowOf(b, VA)) === m.lg.map.frame(toGpfn(0x40));
  },
  D1: ({ m, cpus: [a, b] }) => {
    m.map(TOP, KERNEL, 0x50, P | RW);
    a.enter(0);
    a.leave(0);
    a.cpu(0).stackPages = 1;
    a.cpu(0).esp1 = toGva(KERNEL + 0x1000);
    let reachable = true;
    meanwhile(b.cpu(1).lg.pgdirs[0]!, 'countVersion', () => {
      pinStackPages(a.cpu(0));
      a.enter(0);
      reachable = a.mmu.translate(KERNEL, Right.SupervisorWrite) >= 0;
      a.leave(0);
    });
    demandPage(b.cpu(1), KERNEL, 0);
    return !reachable;
  },
  D5: ({ m, cpus: [a, b] }) => {
    m.map(TOP, VA, 0x40, P | RW | USER | A | D);
    demandPage(a.cpu(0), VA, WRITE);
    b.enter(1);
    b.mmu.translate(VA, Right.UserWrite);
    // Cleaned by the guest, before its hypercall.
    m.map(TOP, VA, 0x40, P | RW | USER | A);
    a.host.words.wait = () => b.leave(1);
    demandPage(a.cpu(0), VA, 0);
    return b.mmu.lookUp(VA, Right.UserWrite) >= 0;
  },
};

/** Methods whose interruption has not happened yet. */
const outstanding = new Set<string>();

/** Runs `body` before the first call of a method. */
function meanwhile<T extends object, K extends keyof T>(
  of: T,
  method: K,
  body: T[K] extends (...args: infer A) => unknown ? (...args: A) => void : never,
): void {
  const original = (of[method] as (...args: unknown[]) => unknown).bind(of);
  outstanding.add(String(method));
  Object.assign(of, {
    [method]: (...args: unknown[]) => {
      outstanding.delete(String(method));
      Object.assign(of, { [method]: original });
      (body as (...args: unknown[]) => void)(...args);
      return original(...args);
    },
  });
}

function shadowOf(view: HostCpuView, va: Gva) {
  const { lg } = view.cpu(0);
  const spte = findSpte(view.cpu(0), 0, va);
  return spte === NULL ? NO_ENTRY : lg.entry(spte);
}

function machine(defects: readonly DefectId[]): Machine {
  const m = Scripted.booted({ vcpus: 2, hostCpus: 4, discipline: 'lock-free', defects });
  m.cpu(0).started = true;
  const second = m.cpu(1);
  second.cpuPgd = m.cpu(0).cpuPgd;
  second.cr3 = m.cpu(0).cr3;
  return { m, cpus: [m.hostCpu(0), m.hostCpu(1), m.hostCpu(2), m.hostCpu(3)] };
}

/** Of R13, which is about Switcher pages in the pgdir, also without private ones (R16). */
const offBeside = (id: DefectId): readonly (readonly DefectId[])[] =>
  id === 'R13' ? [[], ['R16']] : [[]];

describe.each(Object.entries(SPECIMENS))('%s', (name, shows) => {
  const id = name as DefectId;

  /** Every planned interruption must have happened. */
  function consequence(defects: readonly DefectId[]): boolean {
    outstanding.clear();
    const found = shows(machine(defects));
    expect([...outstanding]).toEqual([]);
    return found;
  }

  test(`on: ${DEFECTS[id].consequence}`, () => {
    expect(consequence([id])).toBe(true);
  });

  test.each(offBeside(id).map((beside) => ({ beside })))(
    'off beside $beside: it does not occur',
    ({ beside }) => {
      expect(consequence(beside)).toBe(false);
    },
  );
});
