/** Everything that was selected, measured one after the other, and put into one result. */

import { describeProject } from '../src/commands/project.ts';
import { showProgress } from '../src/commands/terminal.ts';
import {
  type Benchmark,
  type Failure,
  type LineResult,
  type MemoryResult,
  SCHEMA_VERSION,
  type SweepResult,
} from '../src/report/benchmark.ts';
import { type Against, measureAgainst } from './checkout.ts';
import { measureSweep } from './growth/measure-sweep.ts';
import { measureMemory } from './growth/memory.ts';
import { measureInIsolate } from './isolates.ts';
import type { Taken } from './measure.ts';
import type { Line } from './pair.ts';
import type { PartName } from './parts.ts';
import { describeMachine, describeRuntime, watchLoad } from './provenance.ts';
import type { LineData } from './ready-side.ts';
import { resultOf } from './result.ts';
import type { Selection } from './selection.ts';

export interface Listener {
  begin(where: Pick<Benchmark, 'project' | 'machine' | 'runtime'>): void;
  line(result: LineResult): void;
  sweep(result: SweepResult): void;
  memory(result: MemoryResult): void;
  failed(failure: Failure): void;
}

interface How {
  /** Isolates for each line. */
  readonly isolates: number;
  /** The other checkout that lines are held against, instead of their baselines. */
  readonly against?: Against | undefined;
  /** Ends it early, with what there is. */
  readonly signal: AbortSignal;
  /** Told of each result as soon as it is there. */
  readonly listener: Listener;
}

/** What cannot be measured is told, and the rest goes on. */
export async function measureSuite(
  { parts, sweeps, memory }: Selection,
  how: How,
): Promise<Benchmark> {
  const { against, signal, listener } = how;
  const start = performance.now();
  const loadSince = watchLoad();
  const where = {
    project: describeProject(),
    ...(against && { against: against.result }),
    machine: describeMachine(),
    runtime: describeRuntime(),
  };
  listener.begin(where);
  const lines: LineResult[] = [];
  const growth: SweepResult[] = [];
  const sizes: { memory?: MemoryResult } = {};
  const failed: Failure[] = [];
  const work: { readonly name: string; readonly measure: () => Promise<void> }[] = [];
  for (const part of parts) {
    for (const line of part.lines) {
      const measure = async (): Promise<void> => {
        const taken = await takeAll(part.name, line, how);
        const result = resultOf(part.name, line, taken);
        lines.push(result);
        listener.line(result);
      };
      work.push({ name: line.name, measure });
    }
  }
  for (const sweep of sweeps) {
    const measure = async (): Promise<void> => {
      const result = await measureSweep(sweep, signal);
      growth.push(result);
      listener.sweep(result);
    };
    work.push({ name: sweep.name, measure });
  }
  if (memory) {
    const measure = async (): Promise<void> => {
      sizes.memory = await measureMemory(signal);
      listener.memory(sizes.memory);
    };
    work.push({ name: 'memory', measure });
  }
  await doAll(work, how, failed);
  return {
    schema_version: SCHEMA_VERSION,
    ...where,
    load: loadSince(),
    seconds: (performance.now() - start) / 1000,
    interrupted: signal.aborted,
    lines,
    growth,
    ...sizes,
    failed,
  };
}

/** One after the other; what cannot be measured goes to `failed`. */
async function doAll(
  work: readonly { readonly name: string; readonly measure: () => Promise<void> }[],
  { signal, listener }: How,
  failed: Failure[],
): Promise<void> {
  let done = 0;
  const stopProgress = showProgress(
    () => `${work[done]?.name}, ${work.length - done} of ${work.length} to go`,
  );
  for (; done < work.length && !signal.aborted; done++) {
    const { name, measure } = work[done]!;
    try {
      await measure();
    } catch (error) {
      // What an interrupt breaks off may complain.
      if (signal.aborted) break;
      const failure = { name, reason: error instanceof Error ? error.message : String(error) };
      failed.push(failure);
      listener.failed(failure);
    }
  }
  stopProgress();
}

/**
 * One after the other; of a line whose batches are whole machines one is enough, and of machines
 * that last, but where small differences are to be told.
 */
async function takeAll(
  part: PartName,
  line: Line,
  { isolates, against, signal }: How,
): Promise<Taken[]> {
  const taken: Taken[] = [];
  const several = line.rounds === undefined || (against && line.lasting);
  const wanted = several ? isolates : 1;
  while (taken.length < wanted) {
    const data: LineData = { part, name: line.name, pair: taken.length };
    taken.push(
      against === undefined
        ? await measureInIsolate(data, signal)
        : await measureAgainst(line, data, against, signal),
    );
  }
  return taken;
}
