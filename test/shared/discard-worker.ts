/** Takes and drops references to every page of a guest, for reading or writing, over and over. */

import { parentPort, workerData } from 'node:worker_threads';
import { Vma } from '../../shared/launcher-map.ts';
import { joinMachine } from '../../src/assembly.ts';
import { NO_FRAME, toGpfn } from '../../src/hardware/address.ts';

const { shared, cpu, rounds } = workerData;
const host = joinMachine(shared, cpu);
const { map, pfnLimit } = host.guests[0]!;
parentPort?.postMessage({ begun: true });
let foreign = 0;
for (let round = 0; round < rounds; round++) {
  for (let i = 0; i < pfnLimit; i++) {
    const page = toGpfn((i * 7 + cpu) % pfnLimit);
    // One in four discards the page, as the Launcher does while the others use it.
    if ((i + round) % 4 === cpu) {
      map.set(page, Vma.CopyOnWrite);
      continue;
    }
    const frame = map.getUserPage(page, i % 3 === 0);
    if (frame === NO_FRAME) continue;
    if (frame !== host.zeroPage && host.frames.owner(frame) !== 0) foreign++;
    host.frames.put(frame);
  }
}
parentPort?.postMessage({ result: foreign });
