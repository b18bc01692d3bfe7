/** Running guests by processes, vCPUs, guests, host CPUs and the length of a trace. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProgramSource } from '../../src/guest/load.ts';
import { Prot } from '../../src/guest/program.ts';
import { StreamBuilder } from '../../src/guest/traces/builder.ts';
import { openProgram } from '../../src/guest/traces/reader.ts';
import { writeProgram } from '../../src/guest/traces/writer.ts';
import { makeWorkload } from '../../src/guest/workloads/catalogue.ts';
import { Draw } from '../../src/guest/workloads/draw.ts';
import { Machine } from '../../src/machine.ts';
import { statistics } from '../../src/report/run-report.ts';
import { Rig, type RigSpec } from '../../test/rig.ts';
import { type Batch, type Side, timed } from '../pair.ts';
import { type Shape, specOf } from './spec.ts';
import type { Sweep } from './sweep.ts';

const REPAIRED = { discipline: 'lock-free', defects: [] } as const;
const SEED = 1;
/** Operations of a time slice. */
const QUANTUM = 2_000;

/** A guest on one host CPU in this very thread; `count` of what it does is the same for all sizes. */
const inThisThread = (spec: () => RigSpec, count: (rig: Rig) => number): Side => ({
  name: 'run',
  batch: () => {
    const rig = new Rig({ ...REPAIRED, ...spec() });
    return timed(() => {
      rig.runAll(QUANTUM);
      return count(rig);
    });
  },
});

const accesses = (rig: Rig): number => statistics(rig, [0], [0]).accesses;

/** Rounds of all processes together; each gives up the CPU once. */
const SWITCHES = 4096;

const switches = (processes: number): Side => {
  const program = makeWorkload({
    ...{ name: 'pgdir-thrash', seed: SEED, threads: processes, size: SWITCHES / processes },
  });
  // As many page tables as it takes to keep all of them: what is evicted is another matter.
  return inThisThread(
    () => ({ program, pgdirs: processes + 2, pages: 4096 }),
    () => SWITCHES,
  );
};

/** Threads that each vCPU count shares out. */
const THREADS = 8;

const onVcpus = (vcpus: number): Side => {
  const program = makeWorkload({
    ...{ name: 'false-sharing', seed: SEED, threads: THREADS, size: 4096 },
  });
  return inThisThread(() => ({ program, vcpus }), accesses);
};

/** Words at random places of 64 pages, which the TLB holds: a program without system calls. */
function writeTrace(path: string, length: number): void {
  const draw = new Draw('growth', SEED);
  const main = new StreamBuilder();
  const data = 0x0805_0000;
  while (main.length < length) main.modify(data + draw.below(64 * 1024) * 4);
  const regions = [{ start: data, end: data + 64 * 4096, prot: Prot.Read | Prot.Write }];
  writeProgram(
    { name: 'growth', processes: [{ command: 'growth', regions, threads: [main.build()] }] },
    path,
  );
}

const traceOf = (length: number): Side => {
  const folder = mkdtempSync(join(tmpdir(), 'umbra-bench-'));
  const path = join(folder, 'trace.umbra');
  writeTrace(path, length * 1024);
  const program = openProgram(path);
  // It is open, and needs its name no more.
  rmSync(folder, { recursive: true });
  return inThisThread(() => ({ program }), accesses);
};

/** A machine with workers; nanoseconds of all that its guests access, by the clock. */
const machine = (shape: Shape): Side => ({
  name: 'run',
  batch: async (): Promise<Batch> => {
    const running = await Machine.boot(specOf(shape));
    const { ending, seconds } = await running.run();
    if (ending.kind !== 'done') throw new Error(`the machine ended otherwise: ${ending.kind}`);
    const cpus = [...running.host.cpus.keys()];
    const count = statistics(running, cpus, [...running.host.guests.keys()]).accesses;
    return { count, ns: seconds * 1e9 };
  },
});

/** What all guests together do, in rounds. */
const WORK = 32_768;

const sharing = (size: number): ProgramSource => ({
  ...{ kind: 'workload', name: 'false-sharing', seed: SEED, threads: 1, size },
});

const ROUNDS = 5;

export const machineSweeps: readonly Sweep[] = [
  {
    name: 'context switch by processes',
    ...{ over: 'processes', unit: 'ns', sizes: [2, 4, 8, 16] },
    ...{ expected: 0, make: switches },
  },
  {
    name: 'access by vCPUs, on one host CPU',
    ...{ over: 'vCPUs', unit: 'ns', sizes: [1, 2, 4, 8] },
    ...{ expected: 0, make: onVcpus },
  },
  {
    name: 'access by length of the trace',
    ...{ over: 'thousand operations', unit: 'ns', sizes: [64, 128, 256, 512, 1024, 2048] },
    ...{ expected: 0, make: traceOf },
  },
  {
    name: 'access by guests, on one host CPU',
    ...{ over: 'guests', unit: 'ns', sizes: [4, 8, 16, 32, 64] },
    ...{ expected: 0, rounds: ROUNDS },
    make: (guests) => machine({ guests, mib: 2, program: sharing(WORK / guests) }),
  },
  {
    name: 'access of 16 guests by host CPUs',
    ...{ over: 'host CPUs', unit: 'ns', sizes: [2, 4, 8, 16] },
    ...{ expected: 0, rounds: ROUNDS },
    make: (hostCpus) => machine({ hostCpus, guests: 16, mib: 2, program: sharing(WORK / 4) }),
  },
];
