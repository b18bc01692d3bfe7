/** The same with real threads in real time: the results depend on the machine underneath. */

import type { DisciplineName } from '../../../shared/discipline.ts';
import { EventKind } from '../../../shared/events.ts';
import { assert } from '../../errors.ts';
import { Machine } from '../../machine.ts';
import { TraceRecorder } from '../../trace/recorder.ts';
import { countsOf, tailOf } from '../measures.ts';
import type { Measures } from '../study.ts';

/** Threads of one process that fault on the same pages, a vCPU on each host CPU. */
export async function onThreads(
  discipline: DisciplineName,
  cpus: number,
  size: number,
  seed: number,
): Promise<Measures> {
  const trace = new TraceRecorder(cpus);
  const machine = await Machine.boot(
    {
      hostCpus: cpus,
      policy: 'pinned',
      quantum: { least: 2000, most: 2000 },
      seed,
      discipline,
      guests: [
        {
          name: 'storm',
          pages: 1024,
          paging: 'nonpae',
          vcpus: cpus,
          program: { kind: 'workload', name: 'fault-storm-separate', seed, size, threads: 4 },
        },
      ],
    },
    { trace },
  );
  const { ending, seconds } = await machine.run();
  trace.stop();
  assert(ending.kind === 'done', `a guest of a study came to this: ${ending.kind}`);
  const { faults_fixed, faults_passed_on } = countsOf(machine.host);
  machine.free();
  return {
    faults_per_s: (faults_fixed + faults_passed_on) / seconds,
    ...tailOf('fault_ns', repairs(trace, cpus)),
  };
}

/** Nanoseconds from the trap of each fault until demand_page had repaired it. */
function repairs(trace: TraceRecorder, cpus: number): number[] {
  const trapped = new Float64Array(cpus);
  const found: number[] = [];
  for (const { hostCpu, kind, at } of trace.events()) {
    if (kind === EventKind.Exit) trapped[hostCpu] = at;
    if (kind === EventKind.FaultFixed) found.push(at - trapped[hostCpu]!);
  }
  return found;
}
