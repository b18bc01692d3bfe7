/** The workloads by name. */

import { UserError } from '../../errors.ts';
import type { Program } from '../program.ts';
import { Draw } from './draw.ts';
import { cowBreak, cowStorm, faultStormSeparate, faultStormShared } from './faults.ts';
import { kernelChurn, kernelThreads, mmapChurn, mremapChurn } from './mappings.ts';
import { copiedAsleep, killing, swapStorm } from './others.ts';
import { forkBomb, pgdirThrash, stackMoves } from './processes.ts';
import { falseSharing, lockContention, switcherPingPong } from './sharing.ts';
import { swarm } from './swarm.ts';
import type { Workload } from './workload.ts';

/** The results of all present workloads are independent of the schedule. */
const outcome = 'deterministic';

const catalogue = {
  'fault-storm-shared': {
    aim: 'threads of one process fault on the same pages, below one last-level table',
    outcome,
    size: 4,
    threads: 4,
    mostThreads: 32,
    make: faultStormShared,
  },
  'fault-storm-separate': {
    aim: 'processes fault on the same addresses, each in a page table of its own',
    outcome,
    size: 3,
    threads: 6,
    mostThreads: 28,
    make: faultStormSeparate,
  },
  'cow-storm': {
    aim: 'a process and copies of it write the pages that they share, with threads',
    outcome,
    size: 2,
    threads: 3,
    mostThreads: 24,
    make: cowStorm,
  },
  'cow-break': {
    aim: 'pages are read, then written, in several processes that share them',
    outcome,
    size: 4,
    threads: 5,
    mostThreads: 28,
    make: cowBreak,
  },
  'fork-bomb': {
    aim: 'processes start processes, wait, and become another program',
    outcome,
    size: 6,
    threads: 11,
    mostThreads: 15,
    make: forkBomb,
  },
  'pgdir-thrash': {
    aim: 'more processes than cached page tables, switching all the time',
    outcome,
    size: 8,
    threads: 9,
    mostThreads: 28,
    make: pgdirThrash,
  },
  'stack-moves': {
    aim: 'many tasks: the kernel stack moves, and a system call uses it at once',
    outcome,
    size: 8,
    threads: 3,
    mostThreads: 10,
    make: stackMoves,
  },
  'mmap-churn': {
    aim: 'threads map, protect and unmap neighbouring regions of one process',
    outcome,
    size: 4,
    threads: 4,
    mostThreads: 32,
    make: mmapChurn,
  },
  'kernel-churn': {
    aim: 'kernel mappings change while others run, and frames go back to the host',
    outcome,
    size: 4,
    threads: 4,
    mostThreads: 32,
    make: kernelChurn,
  },
  'false-sharing': {
    aim: 'threads write different words of one line, and count by locked operations',
    outcome,
    size: 100,
    threads: 4,
    mostThreads: 32,
    make: falseSharing,
  },
  'lock-contention': {
    aim: 'threads that do little but system calls spin for the guest kernel’s lock',
    outcome,
    size: 25,
    threads: 4,
    mostThreads: 32,
    make: lockContention,
  },
  'switcher-ping-pong': {
    aim: 'two threads of one page table enter and leave the guest all the time',
    outcome,
    size: 40,
    threads: 2,
    mostThreads: 32,
    make: switcherPingPong,
  },
  'swap-storm': {
    aim: 'pages go out of, and come back into, tables of processes that do not run',
    outcome,
    size: 1,
    threads: 5,
    mostThreads: 14,
    make: swapStorm,
    kernelThreads: ({ size }) => [
      { work: 'swap', rounds: size * 500 },
      { work: 'windows', rounds: size * 8 },
    ],
  },
  'copied-asleep': {
    aim: 'children copy their parent’s tables while it sleeps',
    outcome,
    size: 3,
    threads: 5,
    mostThreads: 26,
    make: copiedAsleep,
  },
  killing: {
    aim: 'processes are ended from outside, whether they run or not',
    outcome,
    size: 3,
    threads: 5,
    mostThreads: 16,
    make: killing,
  },
  'mremap-churn': {
    aim: 'mappings move, and what comes to their old place is another’s',
    outcome,
    size: 4,
    threads: 4,
    mostThreads: 32,
    make: mremapChurn,
  },
  'kernel-threads': {
    aim: 'kernel threads change mappings of their own, which share a table, while others run',
    outcome,
    size: 3,
    threads: 3,
    mostThreads: 16,
    make: kernelThreads,
    kernelThreads: ({ size, threads }) =>
      Array.from({ length: threads }, () => ({ work: 'windows', rounds: size * 2 })),
  },
  swarm: {
    aim: 'all of the above, with other weights in each process',
    outcome,
    size: 6,
    threads: 3,
    mostThreads: 5,
    make: swarm,
  },
} as const satisfies Readonly<Record<string, Workload>>;

export type WorkloadName = keyof typeof catalogue;

/** By names, of which not every one is there. */
export const workloads: Readonly<Record<string, Workload>> = catalogue;

export interface WorkloadSpec {
  readonly name: string;
  readonly seed: number;
  readonly size?: number;
  readonly threads?: number;
}

const MOST_SIZE = 10_000;

/** The same program for the same spec, wherever it is made. Throws UserError. */
export function makeWorkload(spec: WorkloadSpec): Program {
  const { name, seed } = spec;
  const workload = workloads[name];
  if (workload === undefined) {
    throw new UserError(
      `there is no workload '${name}'; there are ${Object.keys(workloads).join(', ')}`,
    );
  }
  const { size = workload.size, threads = workload.threads } = spec;
  within(name, 'threads', threads, workload.mostThreads);
  within(name, 'size', size, MOST_SIZE);
  const draw = new Draw(name, seed);
  const processes = workload.make({ draw, size, threads });
  const kernelThreads = workload.kernelThreads?.({ size, threads }) ?? [];
  return { name: `${name} ${seed}`, processes, kernelThreads };
}

function within(name: string, what: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw new UserError(`the workload ${name} takes 1 to ${most} for ${what}, and not ${value}`);
}
