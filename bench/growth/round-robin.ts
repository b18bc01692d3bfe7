/**
 * A machine in this very thread, whose guests take turns on its host CPUs: what is measured
 * is what the code does, with a compiler that is done with it, and no thread waits for another.
 */

import { assemble, joinMachine } from '../../src/assembly.ts';
import type { Program } from '../../src/guest/program.ts';
import { softwareOf } from '../../src/guest/software.ts';
import { launch } from '../../src/host/launcher.ts';
import { GuestRunner } from '../../src/host/run-guest.ts';
import { type Statistics, statistics } from '../../src/report/run-report.ts';
import { type Batch, timed } from '../pair.ts';
import { type Shape, specOf } from './spec.ts';

/** Operations of a time slice. */
const QUANTUM = 2_000;

/** Runs a machine of this shape, all guests with the same program, to its end. */
export const runRoundRobin = (shape: Shape, program: Program): Batch =>
  countedRoundRobin(shape, program).batch;

/** The same with what the machine counted; the batch counts accesses. */
export function countedRoundRobin(
  shape: Shape,
  program: Program,
): { readonly batch: Batch; readonly counted: Statistics } {
  const { shared, host } = assemble(specOf(shape));
  for (const lg of host.guests) launch(lg);
  const softwareFor = softwareOf(host.guests.map(() => program));
  const cpus = host.cpus.map((_, i) => {
    const view = joinMachine(shared, i);
    const runner = new GuestRunner(view, view.cpus[i]!, softwareFor, () => {});
    return { vcpus: view.vcpus, runner };
  });
  const all = (): Statistics =>
    statistics({ host }, [...host.cpus.keys()], [...host.guests.keys()]);
  const batch = timed(() => {
    const alive = new Set(host.vcpus.keys());
    for (let slice = 0; alive.size > 0; slice++) {
      for (const id of alive) {
        const { vcpus, runner } = cpus[(slice + id) % cpus.length]!;
        vcpus[id]!.quantum = QUANTUM;
        if (runner.run(vcpus[id]!) === 'dead') alive.delete(id);
      }
    }
    return all().accesses;
  });
  return { batch, counted: all() };
}
