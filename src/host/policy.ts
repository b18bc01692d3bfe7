/**
 * Where a vCPU goes on when its time is up. A policy is a pure function of what is in
 * the vCPU's record, its own random numbers included, so the same seed asks for the
 * same migrations whatever the machine underneath does. It need not know which CPUs are
 * online: for one that is not, the scheduler takes the next one that is.
 */

import type { LgCpu } from '../../shared/lg-cpu.ts';
import type { Placement } from './placement.ts';

export interface Policy {
  /** What it does, for people. */
  readonly description: string;
  /**
   * Operations of the time slice that a vCPU is queued for, asked before its place. Undefined, or
   * absent: as many as are drawn.
   */
  slice?(cpu: LgCpu): number | undefined;
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

/** `replay:FILE`: vCPUs go where a placement says. */
export type ReplayName = `replay:${string}`;

const REPLAY = 'replay:';

export const isReplay = (policy: string): policy is ReplayName =>
  policy.startsWith(REPLAY) && policy.length > REPLAY.length;

/** Where the placement is. */
export const placementFile = (policy: ReplayName): string => policy.slice(REPLAY.length);

export const replayOf = (file: string): ReplayName => `${REPLAY}${file}`;

/** What --policy says of it, for people. */
export const REPLAY_DESCRIPTION =
  'as on a recorded host, by a file of umbra import schedule; then it stays';

/**
 * Each vCPU goes from stretch to stretch of its own, and to no other CPU. A time slice has as many
 * operations as its stretch has of the time of all, of which one is `mean` operations long on
 * average. Who sleeps, or finds no tables, goes on later with what is left of the slice, where it
 * was. Behind its last stretch a vCPU stays on that CPU, with slices that are drawn.
 */
export function replayed({ vcpus }: Placement, mean: number): Policy {
  const all = vcpus.flatMap(({ ns }) => ns);
  const total = all.reduce((sum, ns) => sum + ns, 0);
  const operations = (ns: number): number =>
    Math.max(1, Math.round(total === 0 ? mean : (ns * mean * all.length) / total));
  return {
    description: REPLAY_DESCRIPTION,
    slice(cpu) {
      if (cpu.quantum > 0) return cpu.quantum;
      const { ns } = vcpus[cpu.number]!;
      const { stretches } = cpu;
      if (stretches <= ns.length) cpu.stretches = stretches + 1;
      return stretches < ns.length ? operations(ns[stretches]!) : undefined;
    },
    place({ number, stretches }) {
      const { hostCpus } = vcpus[number]!;
      return hostCpus[Math.min(stretches, hostCpus.length) - 1]!;
    },
    steals: 'nobody',
  };
}

export const POLICIES = Object.keys(policies) as readonly PolicyName[];
