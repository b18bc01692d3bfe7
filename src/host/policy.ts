/**
 * Where a vCPU goes on when its time is up. A policy is a pure function of what is in
 * the vCPU's record, its own random numbers included, so the same seed asks for the
 * same migrations whatever the machine underneath does. It need not know which CPUs are
 * online: for one that is not, the scheduler takes the next one that is.
 */

import type { LgCpu } from '../../shared/lg-cpu.ts';

export interface Policy {
  /** What it does, for people. */
  readonly description: string;
  /** The host CPU that a vCPU is queued for. */
  place(cpu: LgCpu, hostCpus: number): number;
  /** Whose queue a CPU that has nothing to do takes from, beside its own. */
  readonly steals: 'nobody' | 'next' | 'longest';
}

const home = (cpu: LgCpu, hostCpus: number): number => cpu.number % hostCpus;

/** Where it ran last; its home at first. */
const last = (cpu: LgCpu, hostCpus: number): number =>
  cpu.lastHostCpu < 0 ? home(cpu, hostCpus) : cpu.lastHostCpu;

const next = (hostCpu: number, hostCpus: number): number => (hostCpu + 1) % hostCpus;

export const policies = {
  pinned: {
    description: 'each vCPU on one CPU for ever',
    place: home,
    steals: 'nobody',
  },
  'round-robin': {
    description: 'the next CPU after every time slice',
    place: (cpu, hostCpus) =>
      cpu.lastHostCpu < 0 ? home(cpu, hostCpus) : next(cpu.lastHostCpu, hostCpus),
    steals: 'nobody',
  },
  random: {
    description: 'any CPU, drawn anew after every time slice; idle CPUs help out',
    place: (cpu, hostCpus) => cpu.lg.host.prandomU32(cpu) % hostCpus,
    steals: 'next',
  },
  sticky: {
    description: 'the CPU it ran on last; an idle CPU takes from the next one that has work',
    place: last,
    steals: 'next',
  },
  'work-stealing': {
    description: 'the CPU it ran on last; an idle CPU takes from the longest queue',
    place: last,
    steals: 'longest',
  },
  'ping-pong': {
    description: 'two CPUs in turn, another one after every time slice',
    place: (cpu, hostCpus) => {
      const first = home(cpu, hostCpus);
      return cpu.lastHostCpu === first ? next(first, hostCpus) : first;
    },
    steals: 'nobody',
  },
} as const satisfies Record<string, Policy>;

export type PolicyName = keyof typeof policies;

export const POLICIES = Object.keys(policies) as readonly PolicyName[];
