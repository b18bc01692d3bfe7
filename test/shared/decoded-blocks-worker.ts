/** Requests blocks at random, and checks that each is and stays the requested one. */

import { parentPort, workerData } from 'node:worker_threads';
import { DecodedBlocks } from '../../shared/decoded-blocks.ts';
import { prandomU32, seedRandom } from '../../shared/random.ts';
import { makeMemory, Words } from '../../shared/words.ts';
import { toPtr } from '../../src/hardware/address.ts';

const { layout, memory, cpu, blocks, times } = workerData;
const store = new DecodedBlocks(new Words(memory, toPtr(2 * cpu)), layout, cpu);
const own = new Words(makeMemory(1024), toPtr(0));
const random = toPtr(8);
seedRandom(own, random, 11, cpu);

const SIZE = 64;
let wrong = 0;
let found = 0;
parentPort?.postMessage({ begun: true });
for (let i = 0; i < times; i++) {
  const number = prandomU32(own, random) % blocks;
  const block = store.find(number, SIZE, (ops) => {
    ops.fill(number);
    return Uint32Array.of(number);
  });
  if (block === undefined) continue;
  found++;
  for (let look = 0; look < 5; look++) {
    if (block.ops.some((word) => word !== number) || block.calls[0] !== number) wrong++;
  }
}
parentPort?.postMessage({ result: { wrong, found } });
