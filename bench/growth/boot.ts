/** Boot, until the host CPUs wait for their first vCPU: by guest memory, guests and host CPUs. */

import { Machine } from '../../src/machine.ts';
import type { Batch, Side } from '../pair.ts';
import { type Shape, specOf } from './spec.ts';
import type { Sweep } from './sweep.ts';

/** Booting a machine of this shape; it is stopped before it has run anything. */
const boot = (shape: Shape): Side => ({
  name: 'booted',
  batch: async (): Promise<Batch> => {
    const machine = await Machine.boot(specOf(shape));
    machine.interrupt();
    await machine.run();
    return { count: 1, ns: machine.bootMs * 1e6 };
  },
});

const ROUNDS = 4;

export const bootSweeps: readonly Sweep[] = [
  {
    name: 'boot by guest memory',
    over: 'MiB of a guest',
    unit: 'ms',
    sizes: [15, 60, 240, 960],
    expected: 1,
    rounds: ROUNDS,
    make: (mib) => boot({ mib }),
  },
  {
    name: 'boot by guests',
    over: 'guests of 8 MiB',
    unit: 'ms',
    sizes: [1, 4, 16, 64],
    expected: 1,
    rounds: ROUNDS,
    make: (guests) => boot({ guests, mib: 8 }),
  },
  {
    name: 'boot by host CPUs',
    over: 'host CPUs',
    unit: 'ms',
    sizes: [1, 2, 4, 8],
    expected: 1,
    rounds: ROUNDS,
    make: (hostCpus) => boot({ hostCpus }),
  },
];
