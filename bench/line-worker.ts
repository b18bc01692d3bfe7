/** Measures one line, which the main thread names. */

import { enableCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { measure } from './measure.ts';
import { inlineAsV8Does } from './own-inlining.ts';

// The suite imports nearly everything; isolates of it start in half the time so. Machines
// that a line boots have workers of their own, which are not concerned.
enableCompileCache();
const { SUITE } = await import('./suite.ts');
const line = SUITE.flatMap(({ lines }) => lines).find(({ name }) => name === workerData);
if (line === undefined) throw new Error(`there is no line '${workerData}'`);
if (line.inlining === 'V8') inlineAsV8Does();
parentPort!.postMessage(await measure(line));
