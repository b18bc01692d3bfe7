/**
 * Where a vCPU continues when its time slice is over. A policy is a pure function of the vCPU's
 * record, its own random numbers included, so the same seed gives the same migrations whatever the
 * machine does. It ignores which CPUs are online: instead of an offline CPU the scheduler takes the
 * next one that is online.
 */

import type { LgCpu } from '../../shared/lg-cpu.ts';
import type { Placement } from './placement.ts';

export interface Policy {
  /** A description for people. */
  readonly description: string;
  /**
   * Operations of the vCPU's next time slice, called before `place`. Undefined, or absent: the
   * number is drawn.
   */
  slice?(cpu: LgCpu): number | undefined;
  /** The host CPU that a vCPU is queued for. */
  place(cpu: LgCpu, hostCpus: number): number;
  /** The queue that an idle CPU steals from. */
  readonly steals: 'nobody' | 'next' | 'longest';
}

const home = (cpu: LgCpu, hostCpus: number): number => cpu.number % hostCpus;

/** The host CPU where it ran last; its home at first. */
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

/** `replay:FILE`: vCPUs follow a placement. */
export type ReplayName = `replay:${string}`;

const REPLAY = 'replay:';

export const isReplay = (policy: string): policy is ReplayName =>
  policy.startsWith(REPLAY) && policy.length > REPLAY.length;

/** Where the placement is. */
export const placementFile = (policy: ReplayName): string => policy.slice(REPLAY.length);

export const replayOf = (file: string): ReplayName => `${REPLAY}${file}`;

/** The help text of --policy. */
export const REPLAY_DESCRIPTION =
  'as on a recorded host, by a file of umbra import schedule; then it stays';

/**
 * Each vCPU follows its own stretches, and runs on no other CPU. The operations of a time slice are
 * proportional to the time of its stretch; the average is `mean`. A vCPU that sleeps, or gets no
 * tables, continues later on the same CPU with the rest of its slice. After its last stretch a vCPU
 * stays on that CPU, with slices that are drawn.
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
