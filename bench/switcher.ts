/** Into the guest and out again, on the same host CPU and after a migration. */

import { enterGuest, leaveGuest } from '../src/host/switcher.ts';
import { Mmu } from '../src/mmu/tlb.ts';
import { mapSwitcherInGuest } from '../src/paging/switcher.ts';
import { FORMS, HandDrivenGuest, optionsFor } from './guest.ts';
import { nativeSide } from './native/yardstick.ts';
import { type Line, repeated, type Side } from './pair.ts';

const ROUNDS = 256;

/** Make the Switcher's entries right on one CPU after the other, or on the same. */
function remaps(guest: HandDrivenGuest, cpus: number): Side {
  const vcpus = guest.hosts.map((host) => host.vcpus[0]!);
  return repeated(cpus === 1 ? 'on the same CPU' : 'from CPU to CPU', () => {
    for (let i = 0; i < ROUNDS; i++) {
      const hostCpu = i % cpus;
      mapSwitcherInGuest(vcpus[hostCpu]!, hostCpu);
    }
    return ROUNDS;
  });
}

/** The whole world switch: enter and leave. */
function worldSwitches(guest: HandDrivenGuest, cpus: number): Side {
  const sides = guest.hosts.map((host, i) => {
    const hostCpu = host.cpus[i]!;
    return { host, hostCpu, mmu: new Mmu(host, hostCpu), vcpu: host.vcpus[0]! };
  });
  return repeated(cpus === 1 ? 'on the same CPU' : 'from CPU to CPU', () => {
    for (let i = 0; i < ROUNDS; i++) {
      const { host, hostCpu, mmu, vcpu } = sides[i % cpus]!;
      enterGuest(host, hostCpu, mmu, vcpu);
      leaveGuest(host, hostCpu, mmu, vcpu);
    }
    return ROUNDS;
  });
}

const STEPS = [
  { name: 'map_switcher_in_guest', side: remaps, work: 'remap' },
  { name: 'Switcher, in and out', side: worldSwitches, work: 'world-switch' },
] as const;

/** On the same CPU each time (1), or after a migration each time (2). */
const CPUS = [
  { cpus: 1, when: 'on the same CPU' },
  { cpus: 2, when: 'after a migration' },
] as const;

/** Each against the same on the other number of CPUs. */
export const switcherLines: readonly Line[] = FORMS.flatMap(({ paging, levels }) =>
  STEPS.flatMap(({ name, side, work }) =>
    CPUS.map(({ cpus, when }): Line => {
      const on = (hostCpus: number): Side =>
        side(new HandDrivenGuest({ paging, hostCpus }), hostCpus);
      return {
        name: `${name} ${when}, ${levels}`,
        unit: 'ns',
        goal: { of: 'native', most: 2 },
        measured: () => on(cpus),
        baseline: () => on(3 - cpus),
        native: () =>
          nativeSide(work, { ...optionsFor({ paging, hostCpus: cpus }), alternate: cpus }),
      };
    }),
  ),
);
