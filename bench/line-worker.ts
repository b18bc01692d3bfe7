/** Measures one line, which the main thread names. */

import { parentPort, workerData } from 'node:worker_threads';
import { measure } from './measure.ts';
import { SUITE } from './suite.ts';

const line = SUITE.flatMap(({ lines }) => lines).find(({ name }) => name === workerData);
if (line === undefined) throw new Error(`there is no line '${workerData}'`);
parentPort!.postMessage(await measure(line));
