/** From nothing to the first operation of a guest, as somebody waits who starts umbra. */

import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Machine } from '../src/machine.ts';
import type { Batch, Line, Side } from './pair.ts';

const HOST_CPUS = 2;
/** 64 MiB. */
const PAGES = 16_384;

/** Asked for each millisecond; a vCPU says what it has done when it first comes out of the guest. */
const booted: Side = {
  name: 'booted',
  batch: async (): Promise<Batch> => {
    const start = performance.now();
    const machine = await Machine.boot({
      hostCpus: HOST_CPUS,
      policy: 'pinned',
      seed: 1,
      quantum: { least: 2_000, most: 20_000 },
      guests: [
        {
          name: 'touch',
          program: { kind: 'builtin', name: 'touch' },
          pages: PAGES,
          paging: 'nonpae',
        },
      ],
    });
    const run = machine.run();
    while (machine.host.vcpus[0]!.operations === 0) await setTimeout(1);
    const ns = (performance.now() - start) * 1e6;
    machine.interrupt();
    await run;
    return { count: 1, ns };
  },
};

/** The threads alone, with nothing in them. */
const threads: Side = {
  name: 'idle threads started',
  batch: async (): Promise<Batch> => {
    const start = performance.now();
    const workers = Array.from({ length: HOST_CPUS }, () => new Worker('', { eval: true }));
    await Promise.all(workers.map((worker) => once(worker, 'online')));
    const ns = (performance.now() - start) * 1e6;
    await Promise.all(workers.map((worker) => worker.terminate()));
    return { count: 1, ns };
  },
};

export const bootLines: readonly Line[] = [
  {
    name: 'boot to the first guest operation, 2 CPUs, 64 MiB',
    unit: 'ms',
    rounds: 10,
    goal: { of: 'value', most: 300 },
    threads: true,
    measured: () => booted,
    baseline: () => threads,
  },
];
