/**
 * Measures one line in an isolate of its own: what the compiler learnt from other lines
 * does not count, and there is one machine in it, as in a host CPU's worker.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { measure } from './pair.ts';
import { SUITE } from './suite.ts';

const line = SUITE.find(({ name }) => name === workerData);
if (line === undefined) throw new Error(`there is no line '${workerData}'`);
parentPort!.postMessage(await measure(line));
