/**
 * Two workers in network namespaces of their own whose connection fails for half a minute. It takes
 * root, `ip` and a kernel that allows it, and the server of this machine: otherwise it is skipped,
 * and worker.test.ts does the same through a proxy. Runs if UMBRA_SLOW is set.
 */

import { type ChildProcess, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { planOf, unitsOf } from '../../src/explore/campaign/plan.ts';
import { textsOfTests } from '../../src/explore/litmus/texts.ts';
import { parseAddress } from '../../src/queue/address.ts';
import { unitsIn } from '../../src/queue/forever.ts';
import { pullLedger } from '../../src/queue/ledger.ts';
import { enqueue } from '../../src/queue/plan.ts';
import { Queue } from '../../src/queue/queue.ts';
import { planStates } from '../../src/queue/results.ts';
import { dump, fill } from '../explore/ledgers.ts';
import { scratch } from '../scratch.ts';
import { proxyTo } from './proxy.ts';
import { crew, ended, type TestServer, testServer, until } from './server.ts';

const ip = (text: string): boolean => spawnSync('ip', text.split(' ')).status === 0;
const SPACES = ['umbra-a', 'umbra-b'] as const;
const remove = (): void => {
  for (const name of SPACES) ip(`netns del ${name}`);
};

/** Each has a link to here: 10.77.0.1 to 10.77.0.2, and 10.77.1.1 to 10.77.1.2. */
function lay(): boolean {
  remove();
  return SPACES.every((name, i) =>
    [
      `netns add ${name}`,
      `link add ${name} type veth peer name eth0 netns ${name}`,
      `addr add 10.77.${i}.1/24 dev ${name}`,
      `link set ${name} up`,
      `-n ${name} addr add 10.77.${i}.2/24 dev eth0`,
      `-n ${name} link set eth0 up`,
    ].every(ip),
  );
}

const isAsked = process.env['UMBRA_SLOW'] !== undefined && process.getuid?.() === 0;
const canRun = isAsked && process.env['DATABASE_URL'] === undefined && lay();

const R2 = 'litmus/1-fault/R2-dirty-erased.yaml';
const folder = scratch('netns');
let server: TestServer;
let queue: Queue;
beforeAll(async () => {
  if (!canRun) return;
  server = await testServer();
  queue = await Queue.open(parseAddress(server.url));
});
afterAll(async () => {
  remove();
  if (!canRun) return;
  await queue.close();
  await server.close();
});

test.skipIf(!canRun)('both continue, and no unit is lost', { timeout: 300_000 }, async () => {
  const plan = {
    ...planOf([R2], { paging: 'nonpae' }, { runs: 2800, seed: 1, strategies: ['portfolio'] }),
    unit_runs: 7,
  };
  const files = textsOfTests([R2]);
  const id = await enqueue(queue, { kind: 'campaign', title: 'cut', plan, files }, unitsIn(plan));
  // The server listens on loopback only: each link gets a forwarder to it.
  const ways = await Promise.all(
    SPACES.map((_, i) => proxyTo('127.0.0.1', Number(new URL(server.url).port), `10.77.${i}.1`)),
  );
  const team = SPACES.map((name, i): ChildProcess => {
    const url = new URL(server.url);
    url.host = `10.77.${i}.1:${ways[i]!.port}`;
    return crew(url.href, 1, true, ['ip', 'netns', 'exec', name]);
  });
  const doneBy = async (): Promise<number[]> => {
    const { rows } = await queue.database.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM umbra.unit WHERE plan = $1 GROUP BY worker`,
      [id],
    );
    return rows.map(({ n }) => n);
  };
  await until(async () => (await doneBy()).length === 2);
  expect(ip('link set umbra-a down')).toBe(true);
  const before = await doneBy();
  await delay(30_000);
  const during = await doneBy();
  expect(ip('link set umbra-a up')).toBe(true);
  // One continued without the other.
  expect(Math.max(...during)).toBeGreaterThan(Math.max(...before) + 50);
  await until(async () => (await planStates(queue, id))[0]!.state === 'done', 240_000);
  // And the other with its own units.
  const after = await doneBy();
  expect(Math.min(...after)).toBeGreaterThan(Math.min(...during) + 10);
  await Promise.all(team.map(ended));
  (await pullLedger(queue, join(folder, 'cut.sqlite'), id)).close();
  fill(join(folder, 'alone.sqlite'), plan);
  expect(dump(join(folder, 'cut.sqlite'))).toBe(dump(join(folder, 'alone.sqlite')));
  console.info(
    `${unitsOf(plan).length} units: ${before} before, ${during} after 30 s, ${after} in the end`,
  );
  for (const way of ways) await way.close();
});
