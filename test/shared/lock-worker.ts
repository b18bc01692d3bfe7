/** Increments a counter under a lock, with plain loads and stores. */

import { parentPort, workerData } from 'node:worker_threads';
import { Lock } from '../../shared/lock.ts';
import { Words } from '../../shared/words.ts';
import { toPtr } from '../../src/hardware/address.ts';

const { memory, scratch, lock: lockAt, count, holder, times } = workerData;
const words = new Words(memory, toPtr(scratch));
const lock = new Lock(words, toPtr(lockAt), () => false);
parentPort?.postMessage({ begun: true });
for (let i = 0; i < times; i++) {
  lock.acquire(holder);
  const value = words.peek(toPtr(count));
  for (let spin = 0; spin < 20; spin++) words.load(toPtr(scratch));
  words.poke(toPtr(count), value + 1);
  lock.release(holder);
}
parentPort?.postMessage({ result: times });
