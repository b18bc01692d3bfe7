/**
 * One host CPU that faults its pages, together with others.
 *
 * A round: what the round before mapped is flushed; all CPUs meet; each faults its own
 * pages; all meet again. Between the two meetings is what is measured, by CPU 0.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { toPtr } from '../shared/address.ts';
import { Host } from '../shared/host.ts';
import { Words } from '../shared/words.ts';
import { guestPagetableFlushUser } from '../src/paging/flush.ts';
import { faultPages, SWEEP } from './guest.ts';
import type { Batch } from './pair.ts';
import type { CpuData } from './several-cpus.ts';

const { shared, sharing, cpu, parties, meeting } = workerData as CpuData;

/** On lines of their own. */
const ARRIVED = toPtr(16);
const MEETINGS = toPtr(32);
const SCRATCH = toPtr(48 + cpu * 16);

/** Looks before it sleeps: longer than all faults of a round take, where both run. */
const SPINS = 500_000;
const PATIENCE_MS = 10;

const words = new Words(meeting, SCRATCH);
const vcpu = new Host(shared, cpu).vcpus[cpu]!;

/** Whoever is met comes at once, and has a core of its own; if not, it is to have this one. */
function meet(): void {
  const before = words.load(MEETINGS);
  if (words.add(ARRIVED, 1) + 1 === parties) {
    words.store(ARRIVED, 0);
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
  let ns = 0;
  for (let i = 0; i < rounds; i++) {
    if (cpu === 0 || sharing === 'separate') guestPagetableFlushUser(vcpu);
    meet();
    const start = performance.now();
    faultMine();
    meet();
    ns += (performance.now() - start) * 1e6;
  }
  return { count: rounds * parties * SWEEP, ns };
}

parentPort!.on('message', (rounds: number) => parentPort!.postMessage(run(rounds)));
