/** A host CPU of a litmus test under control, in a worker thread. */

import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { CpuThread } from '../src/explore/engine/threads/cpu-thread.ts';
import { litmusLoad } from '../src/explore/litmus/on-threads.ts';

expose(new CpuThread(litmusLoad), nodeEndpoint(parentPort!));
