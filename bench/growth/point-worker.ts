/** One size of a sweep, in an isolate of its own: a batch for each message. */

import { enableCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { stayOnOne } from '../../src/cores.ts';
import { warmUp, warmUpAlone } from '../warm-up.ts';

enableCompileCache();
const { SWEEPS } = await import('./sweeps.ts');
const { name, size } = workerData as { readonly name: string; readonly size: number };
const sweep = SWEEPS.find((one) => one.name === name);
if (sweep === undefined) throw new Error(`there is no sweep '${name}'`);
// Without threads of their own all sizes are measured on the same core.
if (sweep.rounds === undefined) stayOnOne(0);
const side = sweep.make(size);
if (sweep.rounds === undefined) {
  await warmUpAlone(side);
  await warmUp(async () => [await side.batch()]);
}
parentPort!.on('message', async () => parentPort!.postMessage(await side.batch()));
parentPort!.postMessage('warm');
