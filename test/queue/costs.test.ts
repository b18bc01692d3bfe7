/** Costs of workers: queries while idle, and the time until they start on a unit. */

import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAddress } from '../../src/queue/address.ts';
import { claim } from '../../src/queue/claims.ts';
import { enqueue } from '../../src/queue/plan.ts';
import { Queue } from '../../src/queue/queue.ts';
import { umbraProcess } from '../commands/umbra.ts';
import { proxyTo } from './proxy.ts';
import { ended, type TestServer, testServer, until } from './server.ts';

/** For this long statements are counted. */
const SECONDS = 8;

let server: TestServer;
let queue: Queue;
beforeAll(async () => {
  server = await testServer();
  queue = await Queue.open(parseAddress(server.url));
});
afterAll(async () => {
  await queue.close();
  await server.close();
});

const work = (url: string, ...args: readonly string[]) =>
  spawn(process.execPath, ['src/main.ts', 'work', '--jobs', '1', '--queue', url, ...args], {
    stdio: 'ignore',
  });

const odd = (name: string, units: number) =>
  [
    { kind: 'stress', title: name, plan: name, files: [] },
    Array.from({ length: units }, (_, place) => ({
      place,
      task: { seed: place, fixed: { virtualization: 'nested', guests: 1, cpus: 1, vcpus: 1 } },
    })),
  ] as const;

const workers = async (): Promise<number> => {
  const { rows } = await queue.database.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM umbra.worker WHERE stopped IS NULL',
  );
  return rows[0]!.n;
};

test('an idle worker makes less than one query a second', async () => {
  const direct = new URL(server.url);
  const proxy = await proxyTo(direct.hostname, Number(direct.port || 5432));
  const way = new URL(server.url);
  way.host = `127.0.0.1:${proxy.port}`;
  way.searchParams.set('sslmode', 'disable');
  const statements = async (): Promise<number> => {
    const before = proxy.statements();
    await delay(SECONDS * 1000);
    return (proxy.statements() - before) / SECONDS;
  };
  const child = work(way.href, '--stay');
  await until(async () => (await workers()) === 1);
  const nothing = await statements();
  // The rest runs elsewhere.
  const id = await enqueue(queue, ...odd('elsewhere', 1));
  await claim(queue, id, 1);
  const elsewhere = await statements();
  await ended(child);
  await proxy.close();
  await queue.database.query("UPDATE umbra.plan SET state = 'cancelled' WHERE id = $1", [id]);
  console.info(
    `statements/s: ${nothing} where nothing is open, ${elsewhere} where others are at it`,
  );
  expect(nothing).toBeGreaterThan(0.2);
  expect(nothing).toBeLessThan(1);
  expect(elsewhere).toBeLessThan(1);
});

test('a worker begins its first unit within two seconds', async () => {
  const id = await enqueue(queue, ...odd('start', 1));
  const begin = Date.now();
  umbraProcess('--version');
  // Scaled by the load of the machine: on an idle one it takes a quarter of a second.
  const pace = Date.now() - begin;
  const start = Date.now();
  const child = work(server.url);
  await until(async () => {
    const { rowCount } = await queue.database.query('SELECT 1 FROM umbra.unit WHERE plan = $1', [
      id,
    ]);
    return rowCount === 1;
  });
  const { rows } = await queue.database.query<{ begun: Date }>(
    "SELECT done - seconds * interval '1 second' AS begun FROM umbra.unit WHERE plan = $1",
    [id],
  );
  await ended(child);
  const took = rows[0]!.begun.getTime() - start;
  console.info(`at work after ${took} ms; umbra --version takes ${pace} ms`);
  expect(took).toBeLessThan(Math.max(2000, 8 * pace));
});
