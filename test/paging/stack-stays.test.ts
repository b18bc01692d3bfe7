/** The entry of a stack in use never disappears, whichever operation removes entries. */

import { describe, expect, test } from 'vitest';
import type { DisciplineName } from '../../shared/discipline.ts';
import { checkAll } from '../../src/check/invariants.ts';
import type { DefectId } from '../../src/defects.ts';
import { Selector } from '../../src/guest/processor.ts';
import { Fault, Right } from '../../src/hardware/access.ts';
import { type Gva, toGpfn, toGva } from '../../src/hardware/address.ts';
import { Entry, PAGE_TABLE, ptePfn } from '../../src/hardware/entry.ts';
import { guestSetStack } from '../../src/host/interrupts.ts';
import { demandPage } from '../../src/paging/fault.ts';
import { pinStackPages } from '../../src/paging/pin.ts';
import { dropWhatChanged } from '../../src/paging/policies/compare.ts';
import type { PagingPolicy } from '../../src/paging/policies/declared.ts';
import { guestSetPte } from '../../src/paging/set.ts';
import { claimPgdir, letGoOfPgdir } from '../../src/paging/switch.ts';
import {
  A,
  D,
  FORMS,
  type HostCpuView,
  KERNEL,
  P,
  RW,
  Scripted,
  TOP,
  USER,
  WRITE,
} from './scripted.ts';
import { hasToWait } from './several.ts';

/** The stack's one page, in the kernel and in the program's addresses. */
const STACK = toGva(KERNEL + 0x12_0000);
const LOW_STACK = toGva(0x0060_0000);

interface Machine {
  readonly m: Scripted;
  /** vCPU 0 is on the first; vCPU 1, whose stack it is, enters on the second. */
  readonly cpus: readonly [HostCpuView, HostCpuView];
}

interface Options {
  readonly pae: boolean;
  readonly defects?: readonly DefectId[];
  readonly discipline?: DisciplineName;
  readonly policy?: Partial<PagingPolicy>;
}

function machine({ discipline = 'lock-free', defects = [], ...rest }: Options): Machine {
  const m = Scripted.booted({ vcpus: 2, hostCpus: 2, discipline, defects, ...rest });
  m.cpu(0).started = true;
  const second = m.cpu(1);
  second.cpuPgd = m.cpu(0).cpuPgd;
  second.cr3 = m.cpu(0).cr3;
  return { m, cpus: [m.hostCpu(0), m.hostCpu(1)] };
}

/** Set vCPU 1's stack. */
function hasStack({ m }: Machine, stack: Gva): void {
  m.cpu(1).esp1 = toGva(stack + 0x1000);
  m.cpu(1).stackPages = 1;
}

/** Pin it, and enter with vCPU 1. */
function goesIn({ cpus: [, b] }: Machine): void {
  pinStackPages(b.cpu(1));
  b.enter(1);
}

function inside(it: Machine, stack: Gva): void {
  hasStack(it, stack);
  goesIn(it);
}

/** Whether vCPU 1, inside, can push while `body`, on the first host CPU, waits for it. */
function pushes({ cpus: [a, b] }: Machine, stack: Gva, body: () => void): boolean {
  const seen: boolean[] = [];
  a.host.words.wait = () => {
    b.mmu.flush();
    seen.push(b.mmu.translate(stack, Right.SupervisorWrite) >= 0);
    b.leave(1);
  };
  body();
  expect(seen).toHaveLength(1);
  return seen[0]!;
}

type Cas = HostCpuView['host']['guests'][number]['compareExchangeEntry'];

/** A fault's entry is mapped and dropped again; `body` runs in between. */
function whileTakenBack({ m, cpus: [a] }: Machine, body: () => void): () => boolean {
  const { lg } = a.cpu(0);
  const original: Cas = lg.compareExchangeEntry.bind(lg);
  const frame = frameOf(m, 0x50);
  const does: string[] = [];
  const compareExchangeEntry: Cas = (at, expected, entry) => {
    if (does.length === 0 && ptePfn(entry) === frame) {
      does.push('put in');
      m.lg.pgdirs[0]!.countChange();
    } else if (does.length === 1 && ptePfn(expected) === frame) {
      does.push('taken back');
      body();
    }
    return original(at, expected, entry);
  };
  Object.assign(lg, { compareExchangeEntry });
  return () => does.length === 2;
}

const frameOf = (m: Scripted, page: number): number => m.lg.map.frame(toGpfn(page));

/** Run `body` before the first exchange of an entry. */
function beforeExchange({ cpus: [a] }: Machine, body: () => void): () => boolean {
  const { lg } = a.cpu(0);
  const original = lg.exchangeEntry.bind(lg);
  let happened = false;
  Object.assign(lg, {
    exchangeEntry: (...args: Parameters<typeof original>) => {
      if (!happened) body();
      happened = true;
      return original(...args);
    },
  });
  return () => happened;
}

describe.each(FORMS)('$form', ({ pae }) => {
  const told = new Entry((0x50 << 12) | P | RW, 0);
  const modes = [
    { defects: [], stays: true },
    { defects: ['D4'], stays: false },
  ] as const;

  test.each(modes)('the guest sets its entry again: $defects', ({ defects, stays }) => {
    const it = machine({ pae, defects });
    it.m.map(TOP, STACK, 0x50, P | RW | A | D);
    inside(it, STACK);
    it.m.map(TOP, STACK, 0x50, P | RW);
    const tell = () => guestSetPte(it.cpus[0].cpu(0), TOP, STACK, told);
    expect(pushes(it, STACK, tell)).toBe(stays);
  });

  /** vCPU 1 sets its stack there; true if it has to wait for vCPU 0. */
  const moves = ({ cpus: [, b] }: Machine): boolean =>
    hasToWait(b, () => {
      guestSetStack(b.cpu(1), Selector.KernelData, STACK + 0x1000, 1);
    });

  test.each(modes)('the page becomes a stack while its entry is changed: $defects', (mode) => {
    const it = machine({ pae, defects: mode.defects });
    const [a, b] = it.cpus;
    it.m.map(TOP, STACK, 0x50, P | RW | A | D);
    demandPage(b.cpu(1), STACK, WRITE);
    it.m.map(TOP, STACK, 0x50, P | RW);
    let waits = false;
    const happened = beforeExchange(it, () => {
      waits = moves(it);
    });
    guestSetPte(a.cpu(0), TOP, STACK, told);
    expect([happened(), waits]).toEqual([true, mode.stays]);
  });

  test.each(modes)('the page becomes a stack while a fault drops it: $defects', (mode) => {
    const it = machine({ pae, defects: mode.defects });
    it.m.map(TOP, STACK, 0x50, P | RW | A | D);
    let waits = false;
    const happened = whileTakenBack(it, () => {
      waits = moves(it);
    });
    demandPage(it.cpus[0].cpu(0), STACK, WRITE);
    expect([happened(), waits]).toEqual([true, mode.stays]);
  });

  test.each(modes)('the fault that mapped it drops it: $defects', ({ defects, stays }) => {
    const it = machine({ pae, defects });
    it.m.map(TOP, STACK, 0x50, P | RW | A | D);
    hasStack(it, STACK);
    const happened = whileTakenBack(it, () => goesIn(it));
    const fault = () => demandPage(it.cpus[0].cpu(0), STACK, WRITE);
    expect([pushes(it, STACK, fault), happened()]).toEqual([stays, true]);
  });

  test.each(modes)('a concurrent fault had mapped it, too: $defects', ({ defects, stays }) => {
    const it = machine({ pae, defects, policy: { prefault: 4 } });
    const beside = toGva(STACK + 0x1000);
    it.m.map(TOP, STACK, 0x50, P | RW | A | D);
    it.m.map(TOP, beside, 0x51, P | RW | A | D);
    hasStack(it, STACK);
    const happened = whileTakenBack(it, () => goesIn(it));
    const fault = () => demandPage(it.cpus[0].cpu(0), beside, WRITE);
    expect([pushes(it, STACK, fault), happened()]).toEqual([stays, true]);
  });

  test.each(modes)('a read fault after it was cleaned: $defects', ({ defects, stays }) => {
    const it = machine({ pae, defects });
    it.m.map(TOP, STACK, 0x50, P | RW | A | D);
    inside(it, STACK);
    // By the guest, before its hypercall.
    it.m.map(TOP, STACK, 0x50, P | RW | USER);
    const [a, b] = it.cpus;
    const pushed: boolean[] = [];
    const pushAndLeave = (): void => {
      b.mmu.flush();
      pushed.push(b.mmu.translate(STACK, Right.SupervisorWrite) >= 0);
      b.leave(1);
    };
    // A CPU that removes a right waits until vCPU 1 has left.
    a.host.words.wait = pushAndLeave;
    expect(demandPage(a.cpu(0), STACK, Fault.Protection | Fault.User)).toBe(true);
    if (stays) pushAndLeave();
    expect(pushed).toEqual([stays]);
    expect(checkAll(it.m.host)).toEqual([]);
  });

  describe.each(['guest-lock', 'pgdir-lock', 'lock-free'] as const)(
    'compared, %s',
    (discipline) => {
      const compared = (defects: readonly DefectId[]): Machine =>
        machine({ pae, defects, discipline, policy: { kernelChange: 'compare' } });

      test.each(modes)('its entry is clean: $defects', ({ defects, stays }) => {
        const it = compared(defects);
        it.m.map(TOP, STACK, 0x50, P | RW);
        inside(it, STACK);
        const gpte = it.m.map(TOP, STACK, 0x50, P | RW);
        const compare = () => dropWhatChanged(it.cpus[0].cpu(0));
        expect(pushes(it, STACK, compare)).toBe(stays);
        expect((it.m.get(gpte).low & (A | D)) === (A | D)).toBe(stays);
      });

      test.each(modes)('the entry above it differs: $defects', ({ defects, stays }) => {
        const it = compared(defects);
        it.m.map(TOP, LOW_STACK, 0x50, P | RW | A | D);
        inside(it, LOW_STACK);
        it.m.map(TOP, LOW_STACK, 0x50, P | RW | A | D, PAGE_TABLE & ~USER);
        const compare = () => dropWhatChanged(it.cpus[0].cpu(0));
        // Without PAE the entry above is in the top level, of which the vCPU has a copy.
        expect(pushes(it, LOW_STACK, compare)).toBe(stays || !pae);
        expect(checkAll(it.m.host)).toEqual([]);
      });

      test('no vCPU switches to unused tables during the comparison', () => {
        const it = compared([]);
        const [a, b] = it.cpus;
        it.m.map(TOP, LOW_STACK, 0x50, P | RW | A | D);
        inside(it, LOW_STACK);
        b.leave(1);
        letGoOfPgdir(b.cpu(1));
        letGoOfPgdir(a.cpu(0));
        it.m.map(TOP, LOW_STACK, 0x50, P | RW);
        let waits = false;
        const happened = beforeExchange(it, () => {
          waits = hasToWait(b, () => void claimPgdir(b.cpu(1)));
        });
        dropWhatChanged(a.cpu(0));
        expect([happened(), waits]).toEqual([true, true]);
      });

      test('unused tables are not searched for it', () => {
        const it = compared([]);
        const [a] = it.cpus;
        it.m.map(TOP, LOW_STACK, 0x50, P | RW | A | D);
        inside(it, LOW_STACK);
        it.cpus[1].leave(1);
        letGoOfPgdir(a.cpu(0));
        // By now the table is a page of the program's.
        const word = it.m.map(TOP, LOW_STACK, 0x50, P | RW);
        dropWhatChanged(a.cpu(0));
        expect(it.m.get(word).low & 0xfff).toBe(P | RW);
        expect(it.m.reason).toBe('');
      });
    },
  );
});
