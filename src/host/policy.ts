/**
 * Where a vCPU goes on when its time is up. A policy is a pure function of what is in
 * the vCPU's record, its own random numbers included, so the same seed asks for the
 * same migrations whatever the machine underneath does.
 */

import type { LgCpu } from '../../shared/lg-cpu.ts';

export const POLICIES = ['random', 'round-robin', 'sticky', 'pinned'] as const;

export type PolicyName = (typeof POLICIES)[number];

export interface Policy {
  /** The host CPU that a vCPU is queued for. */
  place(cpu: LgCpu, hostCpus: number): number;
  /** Whether a CPU that has nothing to do takes what waits for another. */
  readonly steals: boolean;
}

const home = (cpu: LgCpu, hostCpus: number): number => cpu.number % hostCpus;

export const policies: Readonly<Record<PolicyName, Policy>> = {
  /** Any CPU, drawn anew each time; idle CPUs help out. */
  random: {
    place: (cpu, hostCpus) => cpu.lg.host.prandomU32(cpu) % hostCpus,
    steals: true,
  },
  /** The next CPU each time. */
  'round-robin': {
    place: (cpu, hostCpus) =>
      cpu.lastHostCpu < 0 ? home(cpu, hostCpus) : (cpu.lastHostCpu + 1) % hostCpus,
    steals: false,
  },
  /** Where it ran last, unless another CPU has nothing to do. */
  sticky: {
    place: (cpu, hostCpus) => (cpu.lastHostCpu < 0 ? home(cpu, hostCpus) : cpu.lastHostCpu),
    steals: true,
  },
  /** Always the same CPU. */
  pinned: { place: home, steals: false },
};
