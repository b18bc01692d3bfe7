/** The paging code, driven by hand: by guest memory, cached page tables and host CPUs. */

import { enterGuest, leaveGuest } from '../../src/host/switcher.ts';
import { Mmu } from '../../src/mmu/tlb.ts';
import { guestPagetableFlushUser } from '../../src/paging/flush.ts';
import { guestNewPagetable } from '../../src/paging/switch.ts';
import { HandDrivenGuest, TOPS, top } from '../guest.ts';
import { repeated, type Side } from '../pair.ts';
import { MIB_PAGES } from './spec.ts';
import type { Sweep } from './sweep.ts';

const faults = (guest: HandDrivenGuest): Side =>
  repeated('demand_page, with its share of a flush', () => {
    guestPagetableFlushUser(guest.cpu);
    return guest.faultAll();
  });

/** From one to the next, all of which the host keeps. */
const newPagetable = (pgdirs: number): Side => {
  const guest = new HandDrivenGuest({ paging: 'nonpae', pgdirs });
  let next = 0;
  return repeated('cached', () => {
    for (let i = 0; i < TOPS; i++) guestNewPagetable(guest.cpu, top(next++ % pgdirs));
    return TOPS;
  });
};

const SWITCHES = 256;

/** Into the guest and out again, on one host CPU after the other. */
const worldSwitches = (hostCpus: number): Side => {
  const { hosts } = new HandDrivenGuest({ paging: 'nonpae', hostCpus });
  const sides = hosts.map((host, i) => {
    const hostCpu = host.cpus[i]!;
    return { host, hostCpu, mmu: new Mmu(host, hostCpu), vcpu: host.vcpus[0]! };
  });
  return repeated('from CPU to CPU', () => {
    for (let i = 0; i < SWITCHES; i++) {
      const { host, hostCpu, mmu, vcpu } = sides[i % hostCpus]!;
      enterGuest(host, hostCpu, mmu, vcpu);
      leaveGuest(host, hostCpu, mmu, vcpu);
    }
    return SWITCHES;
  });
};

export const pagingSweeps: readonly Sweep[] = [
  {
    name: 'demand fault by guest memory',
    over: 'MiB of the guest',
    unit: 'ns',
    sizes: [16, 32, 64, 128, 256, 512],
    expected: 0,
    make: (mib) => faults(new HandDrivenGuest({ paging: 'nonpae', pages: mib * MIB_PAGES })),
  },
  {
    name: 'demand fault by cached page tables',
    over: 'page tables',
    unit: 'ns',
    sizes: [2, 4, 8, 16, 32, 64],
    expected: 0,
    make: (pgdirs) => faults(new HandDrivenGuest({ paging: 'nonpae', pgdirs })),
  },
  {
    // find_pgdir looks at one after the other, as it does in C.
    name: 'new page table by cached page tables',
    over: 'page tables',
    unit: 'ns',
    sizes: [2, 4, 8, 16, 32, 64],
    expected: 1,
    make: newPagetable,
  },
  {
    name: 'Switcher, in and out after a migration, by host CPUs',
    over: 'host CPUs',
    unit: 'ns',
    sizes: [2, 4, 8, 16, 32],
    expected: 0,
    make: worldSwitches,
  },
];
