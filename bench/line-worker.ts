/** Measures one line, which the main thread names. */

import { parentPort, workerData } from 'node:worker_threads';
import { sideInIsolate } from './isolates.ts';
import { measure, WatchedSide } from './measure.ts';
import { type LineData, makeReady, namedLine } from './ready-side.ts';

const data = workerData as LineData;
const baseline = sideInIsolate('baseline', data);
const line = await namedLine(data);
const measured = line.measured();
await makeReady(measured, line, data.pair);
parentPort!.postMessage(await measure(line, new WatchedSide(measured), await baseline));
