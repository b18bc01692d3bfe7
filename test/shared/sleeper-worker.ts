/** Sleeps on a word, which never changes, until it is woken. */

import { parentPort, workerData } from 'node:worker_threads';
import { Words } from '../../shared/words.ts';
import { toPtr } from '../../src/hardware/address.ts';

const { memory, at, scratch } = workerData;
const words = new Words(memory, toPtr(scratch));
parentPort?.postMessage({ begun: true });
words.wait(toPtr(at), 0, 60_000);
parentPort?.postMessage({ result: words.load(toPtr(at)) });
