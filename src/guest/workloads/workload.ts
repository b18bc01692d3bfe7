/** A workload: a program made from a seed, for a purpose. */

import type { KernelThread, ProcessImage } from '../program.ts';
import type { Draw } from './draw.ts';

export interface Shape {
  readonly draw: Draw;
  /** How long: rounds of each thread. */
  readonly size: number;
  /** How many threads, or processes where the workload is of those. */
  readonly threads: number;
}

export interface Workload {
  readonly aim: string;
  /** Whether user memory ends the same whatever the schedule and the number of vCPUs. */
  readonly outcome: 'deterministic' | 'racy';
  /** Used where nothing else is asked for: well under a second on eight vCPUs. */
  readonly size: number;
  readonly threads: number;
  /** The capacity of the guest kernel's tables. */
  readonly mostThreads: number;
  make(shape: Shape): readonly ProcessImage[];
  /** Threads of the kernel's own that run beside it; by default none. */
  kernelThreads?(shape: Pick<Shape, 'size' | 'threads'>): readonly KernelThread[];
}
