/**
 * What a queue costs: `node bench/queue.ts [URL]`, by default with a PostgreSQL of its own. How
 * many units a second the database takes in and hands out, with results of the size of a
 * campaign's, and what each needs of the disk; and how much longer the same units take by way of
 * it.
 */

import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onPool } from '../src/commands/pool.ts';
import { CampaignLedger } from '../src/explore/campaign/ledger.ts';
import { planOf } from '../src/explore/campaign/plan.ts';
import type { UnitResult } from '../src/explore/campaign/unit.ts';
import { textsOfTests } from '../src/explore/litmus/texts.ts';
import { counted, percent } from '../src/numbers.ts';
import { parseAddress } from '../src/queue/address.ts';
import { claim, type Done, settle } from '../src/queue/claims.ts';
import { unitsIn } from '../src/queue/forever.ts';
import { KINDS } from '../src/queue/kinds.ts';
import { enqueue, type QueuedPlan } from '../src/queue/plan.ts';
import { Queue } from '../src/queue/queue.ts';
import { work } from '../src/queue/worker.ts';
import type { CampaignTask } from '../workers/campaign-task.ts';

const folder = mkdtempSync(join(tmpdir(), 'umbra-bench-queue-'));
chmodSync(folder, 0o711);
const address = parseAddress(process.argv[2] ?? `embedded:${folder}/db`);
const TEST = 'litmus/1-fault/R2-dirty-erased.yaml';

const seconds = async (body: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await body();
  return (performance.now() - start) / 1000;
};

const say = (name: string, value: string): void => console.info(`${name.padEnd(44)} ${value}`);
const perSecond = (n: number, took: number): string => `${Math.round(n / took)} units/s`;

/** As of 200 schedules that all behaved otherwise. */
const result = {
  schedules: 200,
  steps: 100_000,
  mostSteps: 700,
  actors: 2,
  bounded: 100,
  preemptions: 0,
  exhausted: false,
  failures: [],
  behaviours: new Map(
    Array.from({ length: 200 }, (_, i) => [
      (i * 0x9e37_79b9 + 0xabcdef).toString(16).padStart(16, '0'),
      1,
    ]),
  ),
};

async function rates(queue: Queue, workers: number, atOnce: number, units: number): Promise<void> {
  const plan: QueuedPlan = {
    kind: 'campaign',
    title: 'bench',
    plan: [workers, atOnce, units],
    files: [],
  };
  const tasks = unitsIn(planOf([TEST], {}, { seed: 1, runs: 10, strategies: ['random'] }));
  const all = Array.from({ length: units }, (_, place) => ({ place, task: tasks[0]!.task }));
  let id = '';
  const sent = await seconds(async () => {
    id = await enqueue(queue, plan, all);
  });
  const kind = KINDS['campaign']!;
  const lane = async (): Promise<void> => {
    for (;;) {
      const claims = await claim(queue, id, atOnce);
      if (claims.length === 0) return;
      const done = claims.map((one): Done => ({ claim: one, kind, result, seconds: 0.3 }));
      await settle(queue, done, '00000000-0000-4000-8000-000000000000');
    }
  };
  const took = await seconds(() => Promise.all(Array.from({ length: workers }, lane)));
  say(`sent, 500 at once`, perSecond(units, sent));
  say(`done by ${workers} at the same time, ${atOnce} at once`, perSecond(units, took));
}

/** The processors' time that a body takes in all threads of this process, and how long it is. */
async function costOf(body: () => Promise<unknown>): Promise<{ cpu: number; wall: number }> {
  const before = process.cpuUsage();
  const wall = await seconds(body);
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / 1e6, wall };
}

/**
 * The same units by the pool alone and by way of the queue, in turns: what is more, and by how
 * much.
 */
async function overhead(queue: Queue, jobs: number): Promise<void> {
  const files = textsOfTests([TEST]);
  const [alone, queued]: { cpu: number; wall: number }[][] = [[], []];
  let units = 0;
  for (let turn = 0; turn < TURNS; turn++) {
    const plan = planOf([TEST], SETTING, {
      seed: 1 + turn * 10_000,
      runs: 4000,
      strategies: DRAWN,
    });
    const tasks = unitsIn(plan);
    units = tasks.length;
    const ledger = new CampaignLedger(undefined, plan, { index: 1, of: 1 });
    const all = new Map(ledger.unitsLeft().map((unit) => [unit.id, unit]));
    alone!.push(
      await costOf(() =>
        onPool<CampaignTask & { work: { id: number } }, UnitResult>({
          worker: 'campaign-task',
          name: 'unit',
          tasks: tasks.map(({ task }) => task as CampaignTask & { work: { id: number } }),
          threads: jobs,
          signal: new AbortController().signal,
          done: (done, { work: { id } }) => void ledger.record(all.get(id)!, done),
        }),
      ),
    );
    ledger.close();
    await enqueue(queue, { kind: 'campaign', title: 'overhead', plan: [plan, jobs], files }, tasks);
    const { signal } = new AbortController();
    queued!.push(
      await costOf(() =>
        work({ queue, jobs, stay: false, version: 'bench', signal, say: () => {} }),
      ),
    );
  }
  const least = (of: { cpu: number; wall: number }[], what: 'cpu' | 'wall'): number =>
    Math.min(...of.map((one) => one[what]));
  for (const what of ['cpu', 'wall'] as const) {
    const [a, b] = [least(alone!, what), least(queued!, what)];
    const name = what === 'cpu' ? 'processors’ time' : 'time';
    say(
      `${counted(units, 'unit')} of 200 schedules, ${jobs} at a time: ${name}`,
      `${a.toFixed(2)} s alone, ${b.toFixed(2)} s by the queue: ` + `${percent(b / a - 1)} more`,
    );
  }
}

const TURNS = 4;
const SETTING = { paging: 'nonpae', discipline: 'lock-free' } as const;
/** Of which all units are of the same size. */
const DRAWN = ['pct-3', 'pos', 'surw', 'random'];

const queue = await Queue.open(address, { most: 16 });
try {
  await rates(queue, 1, 1, 500);
  await rates(queue, 8, 1, 2000);
  await rates(queue, 8, 8, 8000);
  const { rows } = await queue.database.query<{ bytes: string; units: string }>(
    `SELECT pg_total_relation_size('umbra.unit') AS bytes, count(*) AS units FROM umbra.unit`,
  );
  const { rows: jobs } = await queue.database.query<{ bytes: string }>(
    `SELECT pg_total_relation_size('umbra_jobs.job_common') AS bytes`,
  );
  const each = (bytes: string): string =>
    `${Math.round(Number(bytes) / Number(rows[0]!.units))} bytes`;
  say('a result of 200 behaviours on disk', each(rows[0]!.bytes));
  say('a job on disk', each(jobs[0]!.bytes));
  await overhead(queue, 1);
} finally {
  await queue.close();
  rmSync(folder, { recursive: true, force: true });
}
