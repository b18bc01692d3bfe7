/** Stores 64-bit values whose halves are equal, over and over, until told to stop. */

import { parentPort, workerData } from 'node:worker_threads';
import { Words } from '../../shared/words.ts';
import { toPtr } from '../../src/hardware/address.ts';
import { Entry } from '../../src/hardware/entry.ts';

const { memory, target, stop, scratch } = workerData;
const words = new Words(memory, toPtr(scratch));
parentPort?.postMessage({ begun: true });
let stores = 0;
while (words.load(toPtr(stop)) === 0) {
  stores++;
  words.store64(toPtr(target), new Entry(stores, stores));
}
parentPort?.postMessage({ result: stores });
