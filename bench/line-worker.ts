/** Measures one line, which the main thread names. */

import { parentPort, workerData } from 'node:worker_threads';
import { allowedCores, pickCore, stayOn } from '../shared/cores.ts';
import { measure } from './measure.ts';
import { type LineData, namedLine } from './named-line.ts';

const { name, isolate } = workerData as LineData;
const line = await namedLine(name);
const cores = allowedCores();
// The baseline's thread and the yardstick's process take after this one.
if (!line.threads && cores !== undefined) stayOn(pickCore(cores, isolate));
parentPort!.postMessage(await measure(line));
