/** A litmus test's vCPUs go on where they were put, or have themselves moved to. */

import type { Scheduling } from '../../host/scheduler.ts';

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
