/** Sleeps on a word, which stays what it is, until it is told to wake. */

import { parentPort, workerData } from 'node:worker_threads';
import { Words } from '../../shared/words.ts';
import { toPtr } from '../../src/hardware/address.ts';

const { memory, at, scratch } = workerData;
const words = new Words(memory, toPtr(scratch));
parentPort?.postMessage({ begun: true });
words.wait(toPtr(at), 0, 60_000);
parentPort?.postMessage({ result: words.load(toPtr(at)) });
