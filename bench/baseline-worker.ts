/** The baseline of a line, in an isolate that knows nothing of what is measured: batch by batch. */

import { parentPort, workerData } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { type LineData, makeReady, namedLine } from './ready-side.ts';

const data = workerData as LineData;
const line = await namedLine(data);
const side = line.baseline();
await makeReady(side, line, data.pair);
expose(side, nodeEndpoint(parentPort!));
parentPort!.postMessage('ready');
