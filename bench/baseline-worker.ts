/** The baseline of a line, in an isolate that knows nothing of what is measured: batch by batch. */

import { parentPort, workerData } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { namedLine } from './named-line.ts';

const { baseline } = await namedLine(workerData as string);
expose(baseline(), nodeEndpoint(parentPort!));
parentPort!.postMessage('ready');
