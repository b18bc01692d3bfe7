/** Everything that was selected, measured one after the other, and put into one result. */

import { describeProject } from '../src/commands/project.ts';
import { showProgress } from '../src/commands/terminal.ts';
import {
  type Benchmark,
  type LineResult,
  type MemoryResult,
  SCHEMA_VERSION,
  type SweepResult,
} from '../src/report/benchmark.ts';
import { measureSweep } from './growth/measure-sweep.ts';
import { measureMemory } from './growth/memory.ts';
import { measureInIsolate } from './isolates.ts';
import type { Taken } from './measure.ts';
import type { Line } from './pair.ts';
import type { PartName } from './parts.ts';
import { describeMachine, describeRuntime, watchLoad } from './provenance.ts';
import { resultOf } from './result.ts';
import type { Selection } from './selection.ts';

export interface Listener {
  begin(where: Pick<Benchmark, 'project' | 'machine' | 'runtime'>): void;
  line(result: LineResult): void;
  sweep(result: SweepResult): void;
  memory(result: MemoryResult): void;
}

interface How {
  /** Isolates for each line. */
  readonly isolates: number;
  /** Ends it early, with what there is. */
  readonly signal: AbortSignal;
  /** Told of each result as soon as it is there. */
  readonly listener: Listener;
}

export async function measureSuite(
  { parts, sweeps, memory }: Selection,
  { isolates, signal, listener }: How,
): Promise<Benchmark> {
  const start = performance.now();
  const loadSince = watchLoad();
  const where = {
    project: describeProject(),
    machine: describeMachine(),
    runtime: describeRuntime(),
  };
  listener.begin(where);
  const lines: LineResult[] = [];
  const growth: SweepResult[] = [];
  const sizes: { memory?: MemoryResult } = {};
  const work: readonly (readonly [string, () => Promise<void>])[] = [
    ...parts.flatMap((part) =>
      part.lines.map(
        (line) =>
          [
            line.name,
            async () => {
              const taken = await takeAll(part.name, line, isolates, signal);
              const result = resultOf(part.name, line, taken);
              lines.push(result);
              listener.line(result);
            },
          ] as const,
      ),
    ),
    ...sweeps.map(
      (sweep) =>
        [
          sweep.name,
          async () => {
            const result = await measureSweep(sweep, signal);
            growth.push(result);
            listener.sweep(result);
          },
        ] as const,
    ),
    ...(memory
      ? [
          [
            'memory',
            async () => {
              sizes.memory = await measureMemory(signal);
              listener.memory(sizes.memory);
            },
          ] as const,
        ]
      : []),
  ];
  let done = 0;
  const stopProgress = showProgress(
    () => `${work[done]?.[0]}, ${work.length - done} of ${work.length} to go`,
  );
  try {
    for (; done < work.length && !signal.aborted; done++) await work[done]![1]();
  } catch (error) {
    // What an interrupt breaks off may complain.
    if (!signal.aborted) throw error;
  } finally {
    stopProgress();
  }
  return {
    schema_version: SCHEMA_VERSION,
    ...where,
    load: loadSince(),
    seconds: (performance.now() - start) / 1000,
    interrupted: signal.aborted,
    lines,
    growth,
    ...sizes,
  };
}

/** One after the other; of a line whose batches are whole machines one is enough. */
async function takeAll(
  part: PartName,
  { name, rounds }: Line,
  isolates: number,
  signal: AbortSignal,
): Promise<Taken[]> {
  const taken: Taken[] = [];
  const wanted = rounds === undefined ? isolates : 1;
  while (taken.length < wanted) {
    taken.push(await measureInIsolate({ part, name, pair: taken.length }, signal));
  }
  return taken;
}
