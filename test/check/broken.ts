/** A guest under the guest lock that has used one page, for tests to corrupt. */

import type { LgCpu } from '../../shared/lg-cpu.ts';
import type { Violation } from '../../src/check/violation.ts';
import type { DefectId } from '../../src/defects.ts';
import { Right } from '../../src/hardware/access.ts';
import { frameStart, type Gva, type Ptr, toGva, toPtr } from '../../src/hardware/address.ts';
import { type Entry, makeEntry, pteIndex } from '../../src/hardware/entry.ts';
import { enterGuest } from '../../src/host/switcher.ts';
import { Mmu } from '../../src/mmu/tlb.ts';
import { findSpte } from '../../src/paging/entries.ts';
import { demandPage } from '../../src/paging/fault.ts';
import { BY_USER, P, RW, Scripted, SWITCHER, TOP, USER, WRITE } from '../paging/scripted.ts';

export const VA = toGva(0x0804_8000);
/** Read, never written. */
export const READ_VA = toGva(0x0804_9000);
export const PAGE = 0x40;

export interface Tampered {
  readonly m: Scripted;
  readonly mmus: readonly Mmu[];
  /** Addresses of the guest's own entries. */
  readonly gptes: { readonly va: ReturnType<Scripted['map']>; readonly readVa: number };
  /** Address of the shadow's entry. */
  spte(va: Gva): Ptr;
  /** Replace the frame or the flags of a shadow entry. */
  set(va: Gva, frame: number, flags: number): void;
  get(va: Gva): Entry;
  enter(vcpu: number, hostCpu: number): LgCpu;
}

/** Two vCPUs on one top level, two host CPUs, both outside. */
export function tampered(pae = false): Tampered {
  const m = Scripted.booted({ pae, nx: pae, vcpus: 2, defects: [], discipline: 'guest-lock' });
  const [first, second] = m.lg.cpus;
  second!.cpuPgd = first!.cpuPgd;
  second!.cr3 = first!.cr3;
  const va = m.map(TOP, VA, PAGE, P | RW | USER);
  const readVa = m.map(TOP, READ_VA, PAGE + 1, P | RW | USER);
  demandPage(m.cpu(), VA, WRITE | BY_USER);
  demandPage(m.cpu(), READ_VA, BY_USER);
  const mmus = m.host.cpus.map((cpu) => new Mmu(m.host, cpu));
  const spte = (at: Gva): Ptr => findSpte(m.cpu(), m.cpu().cpuPgd, at);
  return {
    m,
    mmus,
    spte,
    gptes: { va, readVa },
    set: (at, frame, flags) => m.lg.setEntry(spte(at), makeEntry(frame, flags)),
    get: (at) => m.lg.entry(spte(at)),
    enter: (vcpu, hostCpu) => {
      const cpu = m.cpu(vcpu);
      enterGuest(m.host, m.host.cpus[hostCpu]!, mmus[hostCpu]!, cpu);
      m.host.cpus[hostCpu]!.runningVcpu = cpu.number + 1;
      return cpu;
    },
  };
}

/** The word of a vCPU's own Switcher table for one of the Switcher's pages. */
export const switcherEntry = ({ m }: Tampered, vcpu: number, page: number) =>
  toPtr(
    frameStart(m.cpu(vcpu).switcherTable) +
      (pteIndex(m.lg.form, SWITCHER) + page) * m.lg.form.entryWords,
  );

/** Change a TLB's entry for an address. */
export function forge({ m, mmus }: Tampered, hostCpu: number, va: number, value: number): void {
  const cpu = m.host.cpus[hostCpu]!;
  mmus[hostCpu]!.translate(toGva(va), Right.SupervisorRead);
  const slot = cpu.tlb + ((va >>> 12) & 511) * 2;
  m.host.words.poke(toPtr(slot + 1), value);
}

/** Defects under which vCPUs share the Switcher, but for R16, which is the sharing itself. */
export const SHARING = ['U2', 'U8', 'R7', 'R9', 'R10', 'R13'] as const;

/** Two vCPUs on one pgdir, three host CPUs, one defect. */
export function sharing(pae: boolean, id: DefectId) {
  const m = Scripted.booted({
    pae,
    vcpus: 2,
    hostCpus: 3,
    defects: [id],
    discipline: 'guest-lock',
  });
  m.cpu(1).cpuPgd = m.cpu(0).cpuPgd;
  m.cpu(1).cr3 = m.cpu(0).cr3;
  return { m, cpus: [m.hostCpu(0), m.hostCpu(1), m.hostCpu(2)] as const };
}

/** Invariant number and title of each violation. */
export const titles = (violations: readonly Violation[]): string[] =>
  violations.map(({ invariant, title }) => `${invariant} ${title}`);
