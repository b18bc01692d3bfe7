/**
 * One host CPU that faults its pages, together with others.
 *
 * A round: what the round before mapped is flushed; all CPUs meet; each faults its own
 * pages; all meet again. What is measured is from when the last came to the one meeting until
 * the last came to the other: that one CPU leaves a meeting late must not make a round shorter.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { Words } from '../shared/words.ts';
import { joinMachine } from '../src/assembly.ts';
import { toPtr } from '../src/hardware/address.ts';
import { guestPagetableFlushUser } from '../src/paging/flush.ts';
import { median } from '../src/report/statistics.ts';
import { faultPages, SWEEP } from './guest.ts';
import type { Batch } from './pair.ts';
import type { CpuData } from './several-cpus.ts';

const { shared, sharing, cpu, parties, meeting } = workerData as CpuData;

/** On lines of their own. */
const ARRIVED = toPtr(16);
const MEETINGS = toPtr(32);
const SCRATCH = toPtr(64 + cpu * 16);
/** When the last came to the last meeting: by a clock that all threads have, in nanoseconds. */
const MET_AT = 48 / 2;

/** Looks before it sleeps: longer than all faults of a round take, where both run. */
const SPINS = 500_000;
const PATIENCE_MS = 10;

const words = new Words(meeting, SCRATCH);
const moments = new Float64Array(meeting.buffer);
const vcpu = joinMachine(shared, cpu).vcpus[cpu]!;

/** The other thread arrives at once if it has a core of its own; if not, yield this one. */
function meet(): void {
  const before = words.load(MEETINGS);
  if (words.add(ARRIVED, 1) + 1 === parties) {
    words.store(ARRIVED, 0);
    moments[MET_AT] = Number(process.hrtime.bigint());
    words.add(MEETINGS, 1);
    words.notify(MEETINGS);
    return;
  }
  for (let i = 0; i < SPINS; i++) if (words.load(MEETINGS) !== before) return;
  while (words.load(MEETINGS) === before) words.wait(MEETINGS, before, PATIENCE_MS);
}

function faultMine(): void {
  if (sharing === 'interleaved') faultPages(vcpu, cpu, shared.layout.config.hostCpus);
  else faultPages(vcpu, sharing === 'regions' ? cpu * SWEEP : 0, 1);
}

function run(rounds: number): Batch {
  const ns: number[] = [];
  for (let i = 0; i < rounds; i++) {
    if (cpu === 0 || sharing === 'separate') guestPagetableFlushUser(vcpu);
    meet();
    const start = moments[MET_AT]!;
    faultMine();
    meet();
    ns.push(moments[MET_AT]! - start);
  }
  // The middle one: a round in which something else had a core is no measure.
  return { count: parties * SWEEP, ns: median(ns) };
}

parentPort!.on('message', (rounds: number) => parentPort!.postMessage(run(rounds)));
