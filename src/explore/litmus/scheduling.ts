/** The vCPUs of a litmus test stay on their host CPUs, unless they migrate themselves. */

import type { Scheduling } from '../../host/scheduler.ts';
import type { RunMode } from '../engine/run-mode.ts';

const MOST = 0x7fff_ffff;

export const LITMUS_SCHEDULING: Scheduling = {
  policy: {
    place: ({ lastHostCpu }, hostCpus) => Math.max(0, lastHostCpu) % hostCpus,
    steals: 'nobody',
    description: 'where it ran last',
  },
  quantum: { least: MOST, most: MOST },
  hotplug: [],
};

/** An abridged run does not count time slices, whose number is not used. */
export const litmusScheduling = ({ abridged }: RunMode): Scheduling =>
  abridged ? { ...LITMUS_SCHEDULING, uncounted: true } : LITMUS_SCHEDULING;
