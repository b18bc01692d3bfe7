/** A host CPU of a litmus test under control: one worker thread, that goes on when the turn comes to it. */

import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { TurnCpu } from '../src/explore/engine/threads/turn-cpu.ts';
import { litmusLoad } from '../src/explore/litmus/on-threads.ts';

expose(new TurnCpu(litmusLoad), nodeEndpoint(parentPort!));
