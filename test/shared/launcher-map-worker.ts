/** Gets every page of a guest for reading and then for writing; returns the frames. */

import { parentPort, workerData } from 'node:worker_threads';
import { joinMachine } from '../../src/assembly.ts';
import { toGpfn } from '../../src/hardware/address.ts';

const { shared, cpu } = workerData;
const { map, pfnLimit } = joinMachine(shared, cpu).guests[0]!;
parentPort?.postMessage({ begun: true });
const got: [number, number][] = [];
for (let page = 0; page < pfnLimit; page++) {
  got.push([map.getUserPage(toGpfn(page), false), map.getUserPage(toGpfn(page), true)]);
}
parentPort?.postMessage({ result: got });
