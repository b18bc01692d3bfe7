/** Running guests: by processes, vCPUs, guests, host CPUs and the length of a trace. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Program, Prot } from '../../src/guest/program.ts';
import { StreamBuilder } from '../../src/guest/traces/builder.ts';
import { openProgram } from '../../src/guest/traces/reader.ts';
import { writeProgram } from '../../src/guest/traces/writer.ts';
import { makeWorkload } from '../../src/guest/workloads/catalogue.ts';
import { Machine } from '../../src/machine.ts';
import { statistics } from '../../src/report/run-report.ts';
import type { Batch, Side } from '../pair.ts';
import { tracePath } from '../trace-path.ts';
import { countedRoundRobin, runRoundRobin } from './round-robin.ts';
import { type Shape, specOf } from './spec.ts';
import type { Sweep } from './sweep.ts';

const SEED = 1;

const inTurns = (shape: Shape, program: Program): Side => ({
  name: 'run',
  batch: () => runRoundRobin(shape, program),
});

/** Rounds of all processes together; each gives up the CPU once. */
const SWITCHES = 4096;

export const switches = (processes: number): Side => ({
  name: 'run',
  batch: () => ({ ...switching(processes).batch, count: SWITCHES }),
});

/** Accesses and walks of one switch, with the little that the processes do in between. */
export function workOfSwitch(processes: number): {
  readonly accesses: number;
  readonly walks: number;
} {
  const { accesses, walks } = switching(processes).counted;
  return { accesses: Math.round(accesses / SWITCHES), walks: Math.round(walks / SWITCHES) };
}

function switching(processes: number) {
  const program = makeWorkload({
    name: 'pgdir-thrash',
    seed: SEED,
    threads: processes,
    size: SWITCHES / processes,
  });
  // As many page tables as it takes to keep all of them: what is evicted is another matter.
  return countedRoundRobin({ pgdirs: processes + 2 }, program);
}

/** `threads` of these rounds together, each a few accesses and no system call. */
const sharing = (threads: number, rounds: number): Program =>
  makeWorkload({ name: 'false-sharing', seed: SEED, threads, size: rounds });

/**
 * A program without system calls: words on one page after the other, all of which the TLB holds.
 */
function traceOf(length: number): Program {
  const [pages, data] = [64, 0x0805_0000];
  const main = new StreamBuilder();
  for (let i = 0; i < length; i++) main.modify(data + ((i * 4100) % (pages * 4096)));
  const regions = [{ start: data, end: data + pages * 4096, prot: Prot.Read | Prot.Write }];
  const processes = [{ command: 'growth', regions, threads: [main.build()] }];
  const folder = mkdtempSync(join(tmpdir(), 'umbra-bench-'));
  try {
    const path = join(folder, 'trace.umbra');
    writeProgram({ name: 'growth', processes }, path);
    // It stays open, and needs its name no more.
    return openProgram(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const GUESTS = 16;
const LOOK_MS = 5;

/**
 * A machine with worker threads, by the clock, while the middle part of all the work is done.
 * Each worker has a compiler of its own, which has not learnt all of the code by then: with more
 * workers than cores that is what grows.
 */
const onThreads = (hostCpus: number): Side => ({
  name: 'run',
  batch: async (): Promise<Batch> => {
    const program = { kind: 'trace', path: tracePath('pigz') } as const;
    const machine = await Machine.boot(specOf({ hostCpus, guests: GUESTS, program }));
    const [cpus, guests] = [[...machine.host.cpus.keys()], [...machine.host.guests.keys()]];
    const start = performance.now();
    const run = machine.run();
    /** When so much of the work is done, or so much time has gone by on a slow machine. */
    const after = async (part: number, ms: number): Promise<{ accesses: number; at: number }> => {
      for (;;) {
        const [{ accesses }, at] = [statistics(machine, cpus, guests), performance.now()];
        if (accesses >= part * GUESTS * PIGZ_ACCESSES || at - start >= ms) return { accesses, at };
        await setTimeout(LOOK_MS);
      }
    };
    const [from, to] = [await after(0.4, 2_500), await after(0.7, 4_000)];
    machine.interrupt();
    await run;
    return { count: to.accesses - from.accesses, ns: (to.at - from.at) * 1e6 };
  },
});

/** Of the guest's program; its kernel adds some. */
const PIGZ_ACCESSES = 4_900_000;

const VCPU_THREADS = 8;
const VCPU_ROUNDS = 1024;

/** Operations of all guests together: many, beside what it takes to boot a guest's kernel. */
const OPERATIONS = 2_000_000;

export const machineSweeps: readonly Sweep[] = [
  {
    name: 'context switch by processes',
    over: 'processes',
    unit: 'ns',
    sizes: [2, 4, 8, 16],
    expected: 0,
    make: switches,
  },
  {
    name: 'access by vCPUs, on one host CPU',
    over: 'vCPUs',
    unit: 'ns',
    sizes: [1, 2, 4, 8],
    expected: 0,
    make: (vcpus) => inTurns({ vcpus }, sharing(VCPU_THREADS, VCPU_ROUNDS)),
  },
  {
    name: 'access by guests, on one host CPU',
    over: 'guests',
    unit: 'ns',
    sizes: [1, 2, 4, 8, 16],
    expected: 0,
    make: (guests) => inTurns({ guests, mib: 2 }, traceOf(OPERATIONS / guests)),
  },
  {
    name: 'access by host CPUs that take turns',
    over: 'host CPUs',
    unit: 'ns',
    sizes: [2, 4, 8, 16, 32],
    expected: 0,
    make: (hostCpus) => inTurns({ hostCpus, guests: 4, mib: 2 }, traceOf(OPERATIONS / 4)),
  },
  {
    name: 'access by length of the trace',
    over: 'thousand operations',
    unit: 'ns',
    sizes: [256, 512, 1024, 2048],
    expected: 0,
    make: (thousands) => inTurns({ mib: 2 }, traceOf(thousands * 1000)),
  },
  {
    name: `access of ${GUESTS} guests by host CPUs, in threads`,
    over: 'host CPUs',
    unit: 'ns',
    sizes: [1, 2, 4, 8],
    expected: 1,
    rounds: 2,
    make: onThreads,
  },
];
