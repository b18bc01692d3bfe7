/** A litmus test's vCPUs go on where they were put, or have themselves moved to. */

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

/** An abridged run counts no time slices, since nobody asks for their number. */
export const litmusScheduling = ({ abridged }: RunMode): Scheduling =>
  abridged ? { ...LITMUS_SCHEDULING, uncounted: true } : LITMUS_SCHEDULING;
