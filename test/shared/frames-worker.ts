/** Allocates and frees frames, and checks that no other CPU has them too. */

import { parentPort, workerData } from 'node:worker_threads';
import { FrameKind } from '../../shared/frames.ts';
import { prandomU32, seedRandom } from '../../shared/random.ts';
import { joinMachine } from '../../src/assembly.ts';
import { frameStart, NO_FRAME, type Pfn, toPtr } from '../../src/hardware/address.ts';

const { shared, cpu, rounds, most } = workerData;
const host = joinMachine(shared, cpu);
const { words, frames } = host;
const random = host.cpus[cpu]!.registers;
seedRandom(words, random, 7, cpu);

const mine: Pfn[] = [];
let wrong = 0;
/** Stamped by its owner at both ends. */
const stamped = (pfn: Pfn) =>
  words.peek(frameStart(pfn)) === cpu + 1 && words.peek(toPtr(frameStart(pfn) + 1023)) === cpu + 1;

function take(): void {
  const pfn = frames.allocate(FrameKind.GuestPage, cpu);
  if (pfn === NO_FRAME) return;
  if (words.peek(frameStart(pfn)) !== 0 || words.peek(toPtr(frameStart(pfn) + 1023)) !== 0) wrong++;
  words.poke(frameStart(pfn), cpu + 1);
  words.poke(toPtr(frameStart(pfn) + 1023), cpu + 1);
  mine.push(pfn);
}

function giveBack(): void {
  const [pfn] = mine.splice(prandomU32(words, random) % mine.length, 1);
  if (pfn === undefined) return;
  if (!stamped(pfn)) wrong++;
  // Half of them live on by a reference for a moment.
  if (prandomU32(words, random) & 1) {
    frames.get(pfn);
    frames.disown(pfn);
    if (!stamped(pfn)) wrong++;
    frames.put(pfn);
  } else {
    frames.disown(pfn);
  }
}

parentPort?.postMessage({ begun: true });
for (let i = 0; i < rounds; i++) {
  const full = mine.length === most;
  if (mine.length === 0 || (!full && prandomU32(words, random) & 1)) take();
  else giveBack();
}
while (mine.length > 0) giveBack();
parentPort?.postMessage({ result: wrong });
