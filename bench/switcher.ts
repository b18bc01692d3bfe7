/** Into the guest and out again, on the same host CPU and after a migration. */

import { enterGuest, leaveGuest } from '../src/host/switcher.ts';
import { Mmu } from '../src/mmu/tlb.ts';
import { mapSwitcherInGuest } from '../src/paging/switcher.ts';
import { FORMS, HandDrivenGuest } from './guest.ts';
import { type Line, repeated, type Side } from './pair.ts';

const ROUNDS = 256;

/** Make the Switcher's entries right on one CPU after the other, or on the same. */
function remaps(name: string, guest: HandDrivenGuest, cpus: 1 | 2): Side {
  const vcpus = guest.hosts.map((host) => host.vcpus[0]!);
  return repeated(name, () => {
    for (let i = 0; i < ROUNDS; i++) {
      const hostCpu = i % cpus;
      mapSwitcherInGuest(vcpus[hostCpu]!, hostCpu);
    }
    return ROUNDS;
  });
}

/** The whole world switch: enter and leave. */
function worldSwitches(name: string, guest: HandDrivenGuest, cpus: 1 | 2): Side {
  const sides = guest.hosts.map((host, i) => {
    const hostCpu = host.cpus[i]!;
    return { host, hostCpu, mmu: new Mmu(host, hostCpu), vcpu: host.vcpus[0]! };
  });
  return repeated(name, () => {
    for (let i = 0; i < ROUNDS; i++) {
      const { host, hostCpu, mmu, vcpu } = sides[i % cpus]!;
      enterGuest(host, hostCpu, mmu, vcpu);
      leaveGuest(host, hostCpu, mmu, vcpu);
    }
    return ROUNDS;
  });
}

export const switcherLines: readonly Line[] = FORMS.flatMap(({ paging, levels }): Line[] => [
  {
    name: `map_switcher_in_guest after a migration, ${levels}`,
    unit: 'ns',
    make: () => {
      const guest = new HandDrivenGuest(paging, 2);
      return {
        measured: remaps('from CPU to CPU', guest, 2),
        baseline: remaps('on the same CPU', guest, 1),
      };
    },
  },
  {
    name: `Switcher, in and out after a migration, ${levels}`,
    unit: 'ns',
    make: () => {
      const guest = new HandDrivenGuest(paging, 2);
      return {
        measured: worldSwitches('from CPU to CPU', guest, 2),
        baseline: worldSwitches('on the same CPU', guest, 1),
      };
    },
  },
]);
