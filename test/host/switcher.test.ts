/** Entering and leaving the guest: the registers are accessed through the Switcher's mapping. */

import { describe, expect, test } from 'vitest';
import { Counter } from '../../shared/counters.ts';
import { Reg } from '../../shared/host-cpu.ts';
import { CHANGED_GDT, CHANGED_GDT_TLS, CHANGED_IDT } from '../../shared/lg-cpu.ts';
import { StatePage } from '../../shared/switcher-page.ts';
import { HostOops } from '../../src/errors.ts';
import { builtinPrograms } from '../../src/guest/programs.ts';
import { frameOf, frameStart, toPtr } from '../../src/hardware/address.ts';
import { NO_ENTRY } from '../../src/hardware/entry.ts';
import { enterGuest, leaveGuest, readSaved, writeSaved } from '../../src/host/switcher.ts';
import { Mmu } from '../../src/mmu/tlb.ts';
import { findSpte } from '../../src/paging/entries.ts';
import { percpuPagesAddr } from '../../src/paging/switcher.ts';
import { Rig } from '../rig.ts';

const program = builtinPrograms['touch']!();

function enterable(hostCpus = 2, vcpus = 2) {
  const rig = new Rig({ program, hostCpus, vcpus });
  const sides = rig.cpus.map(({ host }, i) => {
    const hostCpu = host.cpus[i]!;
    const mmu = new Mmu(host, hostCpu);
    return {
      host,
      hostCpu,
      mmu,
      enter: (id: number) => enterGuest(host, hostCpu, mmu, host.guests[0]!.cpus[id]!),
      leave: (id: number) => leaveGuest(host, hostCpu, mmu, host.guests[0]!.cpus[id]!),
    };
  });
  return { rig, sides };
}

describe('the registers', () => {
  test('of a vCPU are loaded from its regs page and saved there', () => {
    const { rig, sides } = enterable();
    const [cpu0] = sides;
    writeSaved(rig.vcpu(0), Reg.eax, 0x1234);
    cpu0!.enter(0);
    expect(cpu0!.hostCpu.register(Reg.eax)).toBe(0x1234);
    cpu0!.hostCpu.setRegister(Reg.eax, 0x5678);
    cpu0!.leave(0);
    expect(readSaved(rig.vcpu(0), Reg.eax)).toBe(0x5678);
  });

  test('follow a vCPU to another host CPU', () => {
    const { rig, sides } = enterable();
    sides[0]!.enter(0);
    sides[0]!.hostCpu.setRegister(Reg.edi, 77);
    sides[0]!.leave(0);
    sides[1]!.enter(0);
    expect(sides[1]!.hostCpu.register(Reg.edi)).toBe(77);
    expect(rig.vcpu(0).lg.pgdirs[rig.vcpu(0).cpuPgd]!.lastHostCpu).toBe(1);
  });

  test('are those of another vCPU when both share a page table on one CPU (R9)', () => {
    const { rig, sides } = enterable(1, 2);
    const [a, b] = [rig.vcpu(0), rig.vcpu(1)];
    b.cpuPgd = a.cpuPgd;
    writeSaved(a, Reg.ebx, 0xaaaa);
    writeSaved(b, Reg.ebx, 0xbbbb);
    sides[0]!.enter(0);
    sides[0]!.leave(0);
    sides[0]!.enter(1);
    expect(sides[0]!.hostCpu.register(Reg.ebx)).toBe(0xaaaa);
    sides[0]!.hostCpu.setRegister(Reg.ebx, 0xbeef);
    sides[0]!.leave(1);
    expect(readSaved(a, Reg.ebx)).toBe(0xbeef);
    expect(readSaved(b, Reg.ebx)).toBe(0xbbbb);
  });
});

describe('the host dies', () => {
  test('when a trap finds this CPU’s pages unmapped (R10)', () => {
    const { rig, sides } = enterable(2, 2);
    rig.vcpu(1).cpuPgd = rig.vcpu(0).cpuPgd;
    sides[0]!.enter(0);
    sides[1]!.enter(1);
    // The Switcher's entries are no longer in CPU 0's TLB.
    sides[0]!.mmu.flush();
    expect(() => sides[0]!.leave(0)).toThrow(HostOops);
  });

  test('not while the TLB still has them', () => {
    const { rig, sides } = enterable(2, 2);
    rig.vcpu(1).cpuPgd = rig.vcpu(0).cpuPgd;
    sides[0]!.enter(0);
    sides[1]!.enter(1);
    expect(() => sides[0]!.leave(0)).not.toThrow();
  });

  test('when the Switcher’s text is not mapped at entry', () => {
    const { rig, sides } = enterable(1, 1);
    const cpu = rig.vcpu(0);
    cpu.lg.setEntry(findSpte(cpu, cpu.cpuPgd, rig.host.switcherAddr), NO_ENTRY);
    expect(() => sides[0]!.enter(0)).toThrow(/fault in the Switcher/);
  });
});

describe('copy_in_guest_info', () => {
  const stateWord = (rig: Rig, hostCpu: number, word: number): number => {
    const page = rig.host.switcherPages[1 + hostCpu * 2 + 1]!;
    return rig.host.words.load(toPtr(frameStart(page) + word));
  };

  test('copies everything to a CPU that the vCPU was not on before', () => {
    const { rig, sides } = enterable(2, 1);
    rig.vcpu(0).setGdt(4, 0xfeed);
    sides[0]!.enter(0);
    sides[0]!.leave(0);
    sides[1]!.enter(0);
    expect(stateWord(rig, 1, StatePage.gdt + 4)).toBe(0xfeed);
    expect(rig.vcpu(0).changed).toBe(0);
  });

  test.each([
    ['IDT', CHANGED_IDT],
    ['GDT', CHANGED_GDT],
    ['TLS', CHANGED_GDT_TLS],
  ])('copies the %s when that has changed, and nothing else', (what, flag) => {
    const { rig, sides } = enterable(1, 1);
    const cpu = rig.vcpu(0);
    sides[0]!.enter(0);
    sides[0]!.leave(0);
    cpu.setIdt(0x80 * 2, 0x0061_3000);
    cpu.setIdt(0x80 * 2 + 1, 0xc000_ef00);
    cpu.setGdt(4, 0xfeed);
    cpu.setTls(0, 0x7715);
    cpu.changed = flag;
    sides[0]!.enter(0);
    expect(stateWord(rig, 0, StatePage.idt + 0x80 * 2) !== 0).toBe(what === 'IDT');
    expect(stateWord(rig, 0, StatePage.gdt + 4) === 0xfeed).toBe(what === 'GDT');
    expect(stateWord(rig, 0, StatePage.gdt + 12) === 0x7715).toBe(what !== 'IDT');
  });

  test('copies nothing but the stack when nothing has changed', () => {
    const { rig, sides } = enterable(1, 1);
    const cpu = rig.vcpu(0);
    sides[0]!.enter(0);
    sides[0]!.leave(0);
    cpu.setGdt(4, 0xfeed);
    cpu.esp1 = 0xc000_8000 as typeof cpu.esp1;
    sides[0]!.enter(0);
    expect(stateWord(rig, 0, StatePage.gdt + 4)).toBe(0);
    expect(stateWord(rig, 0, StatePage.sp1)).toBe(0xc000_8000);
    expect(cpu.lg.counters.get(Counter.CopiesAll)).toBe(1);
  });

  test('lets no interrupt gate enter the guest directly', () => {
    const { rig, sides } = enterable(1, 1);
    const cpu = rig.vcpu(0);
    cpu.setIdt(0x80 * 2 + 1, 0xc000_ee00);
    cpu.setIdt(14 * 2 + 1, 0xc000_8f00);
    cpu.setIdt(3 * 2 + 1, 0xc000_ef00);
    sides[0]!.enter(0);
    expect(stateWord(rig, 0, StatePage.idt + 0x80 * 2 + 1)).toBe(0);
    expect(stateWord(rig, 0, StatePage.idt + 14 * 2 + 1)).toBe(0);
    expect(stateWord(rig, 0, StatePage.idt + 3 * 2 + 1)).toBe(0xc000_ef00);
  });
});

test('the second of a CPU’s pages is read-only for the guest', () => {
  const { rig, sides } = enterable(1, 1);
  sides[0]!.enter(0);
  const cpu = rig.vcpu(0);
  const pages = percpuPagesAddr(cpu.lg, 0);
  const spte = cpu.lg.entry(findSpte(cpu, cpu.cpuPgd, (pages + 4096) as typeof pages));
  expect(spte.low & 0xfff).toBe(0x61);
  expect(frameOf(toPtr((spte.low >>> 12) * 1024))).toBe(rig.host.switcherPages[2]);
});
