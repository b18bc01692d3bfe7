/** A worker whose database is lost, without one: the queue refuses every query. */

import { expect, test } from 'vitest';
import type { Queue } from '../../src/queue/queue.ts';
import { work } from '../../src/queue/worker.ts';

test('a worker that is stopped while the database is lost ends without an error', async () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  const query = () => Promise.reject(refused);
  const queue = { database: { query, transaction: query } } as unknown as Queue;
  const ended = new AbortController();
  const said: string[] = [];
  const say = (line: string): void => {
    said.push(line);
    ended.abort();
  };
  const worked = await work({
    queue,
    jobs: 1,
    say,
    signal: ended.signal,
    version: '0',
    stay: true,
  });
  expect(worked).toEqual({ units: 0, failures: 0 });
  expect(said).toEqual([expect.stringMatching(/the database is lost \(connect ECONNREFUSED\)/)]);
});
