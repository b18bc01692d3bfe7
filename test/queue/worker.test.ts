/** Workers of a queue, as processes that are killed, cut off, and given units that kill them. */

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Plan, planOf, unitsOf, warmUpOf } from '../../src/explore/campaign/plan.ts';
import { textsOfTests } from '../../src/explore/litmus/texts.ts';
import { ENGINE_VERSION } from '../../src/explore/token.ts';
import { parseAddress } from '../../src/queue/address.ts';
import { pullLedger } from '../../src/queue/ledger.ts';
import { enqueue, type QueuedPlan, type QueuedUnit } from '../../src/queue/plan.ts';
import { DEAD, jobQueue, Queue } from '../../src/queue/queue.ts';
import { buriedUnits, planStates, Results } from '../../src/queue/results.ts';
import { JOBS_SCHEMA } from '../../src/queue/schema.ts';
import { work } from '../../src/queue/worker.ts';
import { dump, fill } from '../explore/ledgers.ts';
import { scratch } from '../scratch.ts';
import { TEST_KINDS } from './kinds.ts';
import { proxyTo } from './proxy.ts';
import { crew, ended, type TestServer, testServer, until } from './server.ts';
import type { Leaves, Odd } from './units-worker.ts';

const R15 = 'litmus/7-setup/R15-two-reasons-to-die.yaml';
const R2 = 'litmus/1-fault/R2-dirty-erased.yaml';

const folder = scratch('workers');
const at = (name: string): string => join(folder, name);

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

const crews: ChildProcess[] = [];
const hire = (...given: Parameters<typeof crew>): ChildProcess => {
  const child = crew(...given);
  crews.push(child);
  return child;
};
afterEach(async () => {
  await Promise.all(crews.splice(0).map(ended));
});

/** A campaign in small units, with some failures. */
const campaign = (runs: number, seed = 1): Plan => ({
  ...planOf(
    [R15, R2],
    { paging: 'nonpae', discipline: 'lock-free', defects: ['R15'] },
    { runs, seed, strategies: ['portfolio', 'pct-3'] },
  ),
  unit_runs: 7,
});

const sent = (plan: Plan): [QueuedPlan, QueuedUnit[]] => [
  { kind: 'campaign', title: 'a campaign', plan, files: textsOfTests([R15, R2]) },
  unitsOf(plan).map((unit) => {
    const { path, digest, setting } = plan.subjects[unit.subject]!;
    const work = { ...unit, warmUp: warmUpOf(unit) };
    return { place: unit.id, task: { path, digest, setting, work } };
  }),
];

const odd = (name: string, all: readonly Odd['does'][]): [QueuedPlan, QueuedUnit[]] => [
  { kind: 'odd', title: name, plan: name, files: [] },
  all.map((does, n) => ({ place: n, task: { does, n } })),
];

const stateOf = async (id: string) => (await planStates(queue, id))[0]!;
const isOver = (id: string) => async () => (await stateOf(id)).state !== 'open';

const resultsOf = async (id: string): Promise<unknown[]> => {
  const all: unknown[] = [];
  for await (const { result } of new Results(queue, id).next()) all.push(result);
  return all;
};

interface Worked {
  readonly said: readonly string[];
  readonly units: number;
}

/** A worker in this process. */
async function worked(more: Partial<Parameters<typeof work>[0]> = {}): Promise<Worked> {
  const said: string[] = [];
  const own = await Queue.open(parseAddress(server.url));
  try {
    const { units } = await work({
      queue: own,
      jobs: 2,
      stay: false,
      version: 'test',
      kinds: TEST_KINDS,
      signal: new AbortController().signal,
      say: (line) => said.push(line),
      ...more,
    });
    return { said, units };
  } finally {
    await own.close();
  }
}

const SLOW = process.env['UMBRA_SLOW'] !== undefined;

/** How many workers are killed, one whenever so many units more are done; schedules of a campaign. */
const CHAOS = SLOW ? { kills: 300, units: 40, runs: 2000 } : { kills: 4, units: 40, runs: 400 };
const PATIENCE_MS = 120_000;

test(`four workers, ${CHAOS.kills} of them killed one by one, the server restarted once: the ledger of one process`, {
  timeout: (2 + CHAOS.kills) * PATIENCE_MS,
}, async () => {
  const plans = new Map<string, Plan>();
  const more = async (): Promise<void> => {
    const plan = campaign(CHAOS.runs, 1 + 10_000 * plans.size);
    plans.set(await enqueue(queue, ...sent(plan)), plan);
  };
  /** Units, while the server runs. */
  const count = async (which: 'done' | 'left'): Promise<number> => {
    const states = await planStates(queue).catch(() => undefined);
    const own = states?.filter(({ id }) => plans.has(id));
    return (
      own?.reduce((n, { units, done }) => n + (which === 'done' ? done : units - done), 0) ??
      Number.NaN
    );
  };
  await more();
  const team = [1, 2, 3, 4].map(() => hire(server.url));
  for (let kills = 1; kills <= CHAOS.kills; kills++) {
    await until(async () => (await count('done')) >= kills * CHAOS.units, PATIENCE_MS);
    const victim = team[kills % 4]!;
    const gone = once(victim, 'exit');
    victim.kill('SIGKILL');
    await gone;
    expect(victim.signalCode).toBe('SIGKILL');
    team[kills % 4] = hire(server.url);
    if (server.pid !== undefined && kills === CHAOS.kills / 2) {
      process.kill(server.pid(), 'SIGINT');
    } else if (SLOW && (await count('left')) < 100) await more();
  }
  const left = await count('left');
  await until(async () => (await count('left')) === 0, PATIENCE_MS);
  let units = 0;
  for (const [id, plan] of plans) {
    units += unitsOf(plan).length;
    await until(isOver(id));
    expect(await stateOf(id)).toMatchObject({
      state: 'done',
      buried: 0,
      done: unitsOf(plan).length,
    });
    (await pullLedger(queue, at(`chaos-${id}.sqlite`), id)).close();
    fill(at(`alone-${id}.sqlite`), plan);
    expect(dump(at(`chaos-${id}.sqlite`))).toBe(dump(at(`alone-${id}.sqlite`)));
  }
  console.info(`${units} units, ${left} of them left after ${CHAOS.kills} kills`);
});

test('a worker that is cut off continues, and so does another; no unit is lost or counted twice', async () => {
  const { host, port } = new URL(server.url).hostname
    ? { host: new URL(server.url).hostname, port: Number(new URL(server.url).port || 5432) }
    : { host: '127.0.0.1', port: 5432 };
  const proxy = await proxyTo(host, port);
  const url = new URL(server.url);
  url.hostname = '127.0.0.1';
  url.port = String(proxy.port);
  const plan = campaign(250, 2);
  const id = await enqueue(queue, ...sent(plan));
  const [cut] = [hire(url.href, 2), hire(server.url)];
  let said = '';
  cut!.stderr!.on('data', (data: Buffer) => {
    said += data.toString();
  });
  const doneBy = async (): Promise<number[]> => {
    const { rows } = await queue.database.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM umbra.unit WHERE plan = $1 GROUP BY worker ORDER BY 1',
      [id],
    );
    return rows.map(({ n }) => n);
  };
  await until(async () => (await doneBy()).length === 2);
  proxy.stall();
  const before = (await stateOf(id)).done;
  await until(() => /the database is lost \(/.test(said), PATIENCE_MS);
  // The other one is not delayed.
  await until(async () => (await stateOf(id)).done > before + 10, PATIENCE_MS);
  proxy.resume();
  await until(isOver(id), PATIENCE_MS);
  await until(() => /the database is lost \(.*\n(.*\n)*the database is there again/.test(said));
  (await pullLedger(queue, at('cut.sqlite'), id)).close();
  fill(at('uncut.sqlite'), plan);
  expect(dump(at('cut.sqlite'))).toBe(dump(at('uncut.sqlite')));
  await Promise.all(crews.splice(0).map(ended));
  await proxy.close();
});

describe('a unit that kills its worker', () => {
  test('is reported as a finding after the second time; all others are done', async () => {
    const id = await enqueue(queue, ...odd('kill', ['well', 'kill', 'well', 'well']));
    const first = hire(server.url);
    await once(first, 'exit');
    expect(first.signalCode).toBe('SIGKILL');
    hire(server.url);
    await until(isOver(id), 60_000);
    expect(await stateOf(id)).toMatchObject({ state: 'done', done: 3, buried: 1 });
    expect(await buriedUnits(queue, id)).toEqual([
      'unit 1 killed who worked at it 2 times (its process ended by SIGKILL), and is not tried any more',
    ]);
    const dead = await queue.boss.fetch<{ plan: string; place: number }>(DEAD);
    expect(dead.map(({ data }) => [data.plan, data.place])).toEqual([[id, 1]]);
  });

  test.each([
    ['its thread', 'exit', /unit 1 killed who worked at it 2 times \(.*\), and is not tried/],
    ['nothing else', 'throw', /2 times \(this unit throws\)/],
  ] as const)('%s, too', async (_, does, words) => {
    const id = await enqueue(queue, ...odd(does, ['well', does, 'well', 'well']));
    const { said, units } = await worked();
    expect(units).toBe(3);
    expect(said.join('\n')).toMatch(/tried once more[\s\S]*FOUND: unit 1 of /);
    expect(await stateOf(id)).toMatchObject({ state: 'done', done: 3, buried: 1 });
    expect((await buriedUnits(queue, id)).join()).toMatch(words);
  });
});

describe('a worker leaves to others', () => {
  test('units of another engine', async () => {
    const id = await enqueue(queue, ...odd('engine', ['well']));
    await queue.database.query('UPDATE umbra.plan SET engine = $2 WHERE id = $1', [
      id,
      ENGINE_VERSION + 1,
    ]);
    expect(await worked()).toEqual({ said: [], units: 0 });
    expect((await stateOf(id)).done).toBe(0);
    // As a worker with an earlier version of it would.
    const { acceptPlan } = await import('../../src/queue/accept.ts');
    expect(await acceptPlan(queue, id, TEST_KINDS)).toEqual({
      refused: `engine is of engine ${ENGINE_VERSION + 1}, and this is engine ${ENGINE_VERSION}`,
    });
    await queue.database.query("UPDATE umbra.plan SET state = 'cancelled' WHERE id = $1", [id]);
  });

  test("units of files that differ from the sender's", async () => {
    const plan = campaign(7, 3);
    const [queued, units] = sent(plan);
    const files = queued.files.map((file) => ({
      ...file,
      text: file.text.replace(/^guest:$/m, 'guest:\n  pages: 65'),
    }));
    const id = await enqueue(queue, { ...queued, files }, units);
    const { said, units: done } = await worked();
    expect(said.join('\n')).toMatch(
      /left to others: a campaign has litmus.* with digest .*, and here it has/,
    );
    expect(done).toBe(0);
    await queue.database.query("UPDATE umbra.plan SET state = 'cancelled' WHERE id = $1", [id]);
  });
});

test('a unit is split when other workers are idle, and all of it is done once', async () => {
  const all = 100;
  const id = await enqueue(queue, { kind: 'leaves', title: 'a tree', plan: 'tree', files: [] }, [
    { place: 0, task: { from: 0, to: all } satisfies Leaves },
  ]);
  const workers = [worked({ jobs: 1 }), worked({ jobs: 1 }), worked({ jobs: 2 })];
  const units = (await Promise.all(workers)).map((one) => one.units);
  const done = (await resultsOf(id)) as Leaves[];
  const leaves = done.flatMap(({ from, to }) =>
    Array.from({ length: to - from }, (_, i) => from + i),
  );
  expect(leaves.toSorted((a, b) => a - b)).toEqual(Array.from({ length: all }, (_, i) => i));
  expect(done.length).toBeGreaterThan(3);
  // At 100 ms a leaf, the first does not end before the others ask.
  expect(units.filter((n) => n > 0).length).toBeGreaterThan(1);
});

test('a unit that was done twice is counted once', async () => {
  const { claim, settle } = await import('../../src/queue/claims.ts');
  const [plan, units] = odd('twice', ['well', 'well']);
  const id = await enqueue(queue, plan, units);
  const [first, second] = await claim(queue, id, 2);
  const kind = TEST_KINDS['odd']!;
  const worker = '00000000-0000-4000-8000-000000000000';
  const done = { claim: first!, kind, result: { n: 0 }, seconds: 1 };
  await settle(queue, [done], worker);
  await settle(
    queue,
    [
      { ...done, result: { n: 'another' } },
      { ...done, claim: second! },
    ],
    worker,
  );
  expect(await resultsOf(id)).toEqual([{ n: 0 }, { n: 0 }]);
  // Sent again, no unit is left to do.
  await enqueue(queue, plan, units);
  expect(await stateOf(id)).toMatchObject({ state: 'done', units: 2 });
  expect(await claim(queue, id, 2)).toEqual([]);
});

test('a worker gives back its claims on SIGTERM', async () => {
  const id = await enqueue(queue, ...odd('nap', Array(6).fill('nap')));
  const first = hire(server.url, 2);
  await until(async () => (await stateOf(id)).done >= 2);
  await ended(first);
  const held = `SELECT id FROM ${JOBS_SCHEMA}.job WHERE name = $1 AND state = 'active'`;
  expect((await queue.database.query(held, [jobQueue(id)])).rows).toEqual([]);
  const { done } = await stateOf(id);
  expect((await worked()).units).toBe(6 - done);
  expect(await stateOf(id)).toMatchObject({ state: 'done', done: 6 });
});
