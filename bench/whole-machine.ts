/** Four programs in four guests, as `umbra start` runs them, on more host CPUs and on one. */

import { Machine } from '../src/machine.ts';
import { statistics } from '../src/report/run-report.ts';
import type { Line, Side } from './pair.ts';
import { GUEST_PAGES, tracePath } from './traces.ts';

const PROGRAMS = ['pigz', 'ls', 'sort', 'wc'];

/** A machine for each batch; booting it is not timed. */
const machine = (hostCpus: number): Side => ({
  name: `on ${hostCpus}`,
  batch: async () => {
    const machine = await Machine.boot({
      hostCpus,
      policy: 'random',
      seed: 1,
      quantum: { least: 2_000, most: 20_000 },
      guests: PROGRAMS.map((name) => ({
        name,
        program: { kind: 'trace', path: tracePath(name) },
        pages: GUEST_PAGES,
        paging: 'nonpae',
      })),
    });
    const { ending, seconds } = await machine.run();
    if (ending.kind !== 'done') throw new Error(`the machine ended otherwise: ${ending.kind}`);
    const cpus = [...machine.host.cpus.keys()];
    const count = statistics(machine, cpus, [...machine.host.guests.keys()]).accesses;
    return { count, ns: seconds * 1e9 };
  },
});

export const machineLines: readonly Line[] = [2, 4].map((hostCpus) => ({
  name: `four guests on ${hostCpus} host CPUs`,
  unit: 'accesses/s',
  rounds: 6,
  make: () => ({ measured: machine(hostCpus), baseline: machine(1) }),
}));
