/**
 * A whole run in a process of its own, from cold: `umbra start` on so many copies of a program.
 * Prints the result as JSON.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { PolicyName } from '../src/host/policy.ts';
import { Machine } from '../src/machine.ts';
import { statistics } from '../src/report/run-report.ts';
import { warmingUp } from '../src/report/warming-up.ts';
import { GUEST_PAGES, tracePath } from './trace-path.ts';

export interface ColdRun {
  readonly accesses: number;
  readonly seconds: number;
  /** From an empty process with its modules loaded to the first operation of a guest. */
  readonly first_operation_ms: number;
  readonly warm_up_s: number | null;
  /** Processor time of V8's own threads, which compile and collect garbage. */
  readonly v8_ms: number;
}

/** Of the threads with this name, in milliseconds; Linux counts in hundredths of a second. */
function processorTimeOf(name: string): number {
  const threads = readdirSync('/proc/self/task').map((id) =>
    readFileSync(`/proc/self/task/${id}/stat`, 'utf8'),
  );
  return threads
    .filter((stat) => stat.includes(`(${name})`))
    .map((stat) => stat.slice(stat.lastIndexOf(')') + 2).split(' '))
    .reduce((ms, fields) => ms + 10 * (Number(fields[11]) + Number(fields[12])), 0);
}

const [hostCpus, policy, ...programs] = process.argv.slice(2);
const start = performance.now();
const machine = await Machine.boot({
  hostCpus: Number(hostCpus),
  policy: policy as PolicyName,
  seed: 1,
  quantum: { least: 2_000, most: 20_000 },
  guests: programs.map((name) => ({
    name,
    program: { kind: 'trace', path: tracePath(name) },
    pages: GUEST_PAGES,
    paging: 'nonpae',
  })),
});
const running = machine.run();
// A vCPU says what it has done when it first comes out of the guest.
while (machine.host.vcpus.every((cpu) => cpu.operations === 0)) await setTimeout(1);
const firstOperation = performance.now() - start;
const { ending, seconds, pace } = await running;
if (ending.kind !== 'done') throw new Error(`the machine ended otherwise: ${ending.kind}`);
const all = (things: readonly unknown[]): number[] => [...things.keys()];
const { accesses } = statistics(machine, all(machine.host.cpus), all(machine.host.guests));
const result: ColdRun = {
  accesses,
  seconds,
  first_operation_ms: firstOperation,
  warm_up_s: warmingUp(pace).warm_up_s,
  v8_ms: processorTimeOf('V8Worker'),
};
console.log(JSON.stringify(result));
