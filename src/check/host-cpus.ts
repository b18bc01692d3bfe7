/** The state of guests in host CPUs: TLBs, and the tables below CR3. */

import type { Host } from '../../shared/host.ts';
import {
  CR4_PAE,
  EFER_NXE,
  type HostCpu,
  TLB_ENTRIES,
  TLB_ENTRY_WORDS,
} from '../../shared/host-cpu.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import { ANY_WRITE } from '../hardware/access.ts';
import {
  frameStart,
  type Gva,
  PAGE_SHIFT,
  PAGE_WORDS,
  type Pfn,
  type Ptr,
  toGva,
  toPfn,
  toPtr,
} from '../hardware/address.ts';
import { Entry, isPresent, PAGE_DIRTY } from '../hardware/entry.ts';
import { isTable, rightsOf } from './shadow.ts';

export interface Inside {
  readonly cpu: HostCpu;
  readonly vcpu: LgCpu;
}

/** The host's own CR3: it has no tables here. */
const HOST_CR3 = 0;

/** The vCPU that a host CPU is inside of; its CR3 is the host's while it is outside. */
export function vcpuInside(host: Host, cpu: HostCpu): LgCpu | undefined {
  if (cpu.cr3 === HOST_CR3) return undefined;
  return host.vcpus[(cpu.runningVcpu || cpu.lastVcpu) - 1];
}

/** The CPUs that are inside a guest. */
export function insiders(host: Host): Inside[] {
  return host.cpus.flatMap((cpu) => {
    const vcpu = vcpuInside(host, cpu);
    return vcpu === undefined ? [] : [{ cpu, vcpu }];
  });
}

export interface Translation {
  readonly vaddr: Gva;
  readonly frame: Pfn;
  /** Bits of `Right`; writing is there only once DIRTY is set. */
  readonly rights: number;
}

/** The TLB's entries of the current generation. */
export function tlbEntries(host: Host, cpu: HostCpu): Translation[] {
  const { words } = host;
  const found: Translation[] = [];
  for (let i = 0; i < TLB_ENTRIES; i++) {
    const at = cpu.tlb + i * TLB_ENTRY_WORDS;
    const key = words.peek(toPtr(at));
    if (key === 0 || (key & 0xfff) !== cpu.generation) continue;
    const value = words.peek(toPtr(at + 1));
    found.push({
      vaddr: toGva(key & -4096),
      frame: toPfn(value >>> PAGE_SHIFT),
      rights: value & 0xfff,
    });
  }
  return found;
}

/** The current translation of an address from CR3, or from the PDPTE registers with PAE. */
export function translateFrom(host: Host, cpu: HostCpu, vaddr: Gva): Translation | undefined {
  const { words, frames } = host;
  const pae = (cpu.cr4 & CR4_PAE) !== 0;
  const read = (at: Ptr): Entry => (pae ? words.load64(at) : new Entry(words.load(at), 0));
  const way: Entry[] = [];
  let table = cpu.cr3;
  if (pae) {
    const pdpte = words.peek(cpu.pdpte(vaddr >>> 30));
    if ((pdpte & 1) === 0) return undefined;
    table = toPfn(pdpte >>> PAGE_SHIFT);
  }
  const levels = pae ? [21, 12] : [22, 12];
  for (const shift of levels) {
    if (!frames.exists(table)) return undefined;
    const index = (vaddr >>> shift) & (pae ? 511 : 1023);
    const entry = read(toPtr(frameStart(table) + index * (pae ? 2 : 1)));
    if (!isPresent(entry)) return undefined;
    way.push(entry);
    table = toPfn(entry.low >>> PAGE_SHIFT);
  }
  const rights = rightsOf(way, (cpu.cr4 & EFER_NXE) !== 0);
  const dirty = (way.at(-1)!.low & PAGE_DIRTY) !== 0;
  return { vaddr, frame: table, rights: dirty ? rights : rights & ~ANY_WRITE };
}

/** The tables below CR3, without the top one; an invalid one is reported and not walked. */
export function tablesFrom(host: Host, { cpu, vcpu }: Inside): Pfn[] {
  const { words } = host;
  const pae = (cpu.cr4 & CR4_PAE) !== 0;
  const step = pae ? 2 : 1;
  const presentIn = (at: Ptr, entries: number): Pfn[] => {
    const found: Pfn[] = [];
    for (let i = 0; i < entries; i++) {
      const low = words.load(toPtr(at + i * step));
      if (low & 1) found.push(toPfn(low >>> PAGE_SHIFT));
    }
    return found;
  };
  if (!pae) {
    const top = toPfn(cpu.cr3);
    return host.frames.exists(top) ? presentIn(frameStart(top), PAGE_WORDS) : [top];
  }
  const middles = presentIn(cpu.pdpte(0), 4);
  return middles.flatMap((middle) =>
    isTable(vcpu.lg, middle)
      ? [middle, ...presentIn(frameStart(middle), PAGE_WORDS / 2)]
      : [middle],
  );
}
