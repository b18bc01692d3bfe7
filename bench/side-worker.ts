/** A side of a line, in an isolate that knows nothing of the others: batch by batch. */

import { parentPort, workerData } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { SideData } from './isolates.ts';
import { makeReady, namedLine } from './ready-side.ts';

const { which, ...data } = workerData as SideData;
const line = await namedLine(data);
const side = line[which]();
await makeReady(side, line, data.pair);
expose(side, nodeEndpoint(parentPort!));
parentPort!.postMessage('ready');
