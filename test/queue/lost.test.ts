/** A worker whose database is lost, without one: the queue refuses every query. */

import { expect, test } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { type Done, settleAtLast } from '../../src/queue/claims.ts';
import type { Queue } from '../../src/queue/queue.ts';
import { work } from '../../src/queue/worker.ts';

const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
let queries = 0;
const query = () => {
  queries++;
  return Promise.reject(refused);
};
const queue = { database: { query, transaction: query } } as unknown as Queue;

test('a worker that cannot report what it has finished says so, after 21 attempts', async () => {
  queries = 0;
  const claim = { plan: 'p', id: 'u', place: 0, task: null } as unknown as Done['claim'];
  const done = [{ claim, result: 1 }] as unknown as Done[];
  const said = settleAtLast(queue, done, 'w', 0);
  await expect(said).rejects.toThrow(UserError);
  await expect(said).rejects.toThrow(
    /database is lost .*ECONNREFUSED.*: 1 finished units were not/,
  );
  expect(queries).toBe(21);
});

test('a worker that is stopped while the database is lost ends without an error', async () => {
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
