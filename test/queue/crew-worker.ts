/** A process that works for a queue, with the tests' kinds of units: URL JOBS [stay]. */

import '../../src/compile-cache.ts';
import { parseAddress } from '../../src/queue/address.ts';
import { Queue } from '../../src/queue/queue.ts';
import { work } from '../../src/queue/worker.ts';
import { TEST_KINDS } from './kinds.ts';

const [url, jobs, stay] = process.argv.slice(2);
const queue = await Queue.open(parseAddress(url!));
const ended = new AbortController();
process.once('SIGTERM', () => ended.abort());
await work({
  queue,
  jobs: Number(jobs),
  stay: stay === 'stay',
  version: 'test',
  signal: ended.signal,
  kinds: TEST_KINDS,
  say: (line) => process.stderr.write(`${line}\n`),
});
await queue.close();
process.exit(0);
