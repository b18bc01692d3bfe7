/**
 * Rounds without end: consecutive seeds, shares by weight, a canary, and earlier failures first.
 */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAddress } from '../../src/queue/address.ts';
import { RoundMaker, type Rounds } from '../../src/queue/forever.ts';
import { Queue } from '../../src/queue/queue.ts';
import { roundsOf } from '../../src/queue/rounds.ts';
import { codeVersion } from '../../src/queue/version.ts';
import { work } from '../../src/queue/worker.ts';
import { type Ran, spaced, umbra } from '../commands/umbra.ts';
import { type TestServer, testServer } from './server.ts';

const R15 = 'litmus/7-setup/R15-two-reasons-to-die.yaml';
const R2 = 'litmus/1-fault/R2-dirty-erased.yaml';
const FORM = ['--discipline', 'lock-free', '--paging', 'nonpae', '--strategy', 'random'];

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

const ran = (...args: readonly string[]): Promise<Ran> => umbra(...args, '--queue', server.url);
const forever = (...args: readonly string[]): Promise<Ran> =>
  ran('work', '--jobs', '1', '--forever', ...args);

test('seeds continue, plans have their shares, and each round has its canary', async () => {
  const args = ['campaign', R15, ...FORM, '--runs', '40', '--forever', '--weight', '3'];
  expect((await ran(...args)).stdout).toMatch(
    / is a standing plan of postgres:.* with weight 3: umbra work --forever/,
  );
  await ran('campaign', R2, ...FORM, '--runs', '30', '--seed', '7', '--forever');
  const { code, stderr } = await forever('--rounds', '4');
  expect(code).toBe(0);
  const rounds = await roundsOf(queue, 10);
  expect(rounds.map(({ title }) => title).toSorted()).toEqual([
    `umbra campaign ${R2} --runs 30 --seed 7`,
    ...[1, 41, 81].map((seed) => `umbra campaign ${R15} --runs 40 --seed ${seed}`),
  ]);
  expect(rounds.map(({ schedules }) => schedules).toSorted()).toEqual([30, 40, 40, 40]);
  for (const { notes } of rounds) expect(notes[0]).toMatch(/^canary caught by schedule \d+$/);
  expect(stderr).toMatch(
    /round 4: umbra campaign .*: [34]0 schedules, nothing wrong; canary caught/,
  );
  // A finished round is added to the totals and deleted.
  const { stdout } = await ran('queue', 'status');
  expect(stdout.match(/^ [0-9a-f]{8} /gm)).toHaveLength(2);
  expect(stdout).toMatch(/^round 1: /m);
});

/** The reporter of rounds, and a maker of one. */
const makerOf = (more: Partial<Rounds> = {}): { maker: RoundMaker; said: string[] } => {
  const said: string[] = [];
  const say = (line: string): void => void said.push(line);
  const given: Rounds = { queue, version: codeVersion(), canary: 'R15', most: 1, say, ...more };
  return { maker: new RoundMaker(given), said };
};

/** Do every open unit. */
const worked = (): Promise<unknown> =>
  work({
    queue,
    jobs: 1,
    stay: false,
    version: 'test',
    signal: new AbortController().signal,
    say: () => {},
  });

test('a round in which the canary is not caught is a failure', async () => {
  // One schedule hardly ever catches any.
  const { maker, said } = makerOf({ canary: 'R17', canaryRuns: 1 });
  expect(await maker.more()).toBe(true);
  await worked();
  await maker.close();
  expect(maker.failed).toBe(1);
  expect(said.join()).toMatch(/round 5: .* A FAILURE: .*THE CANARY WAS NOT CAUGHT/);
  expect((await ran('queue', 'status')).stdout).toMatch(/^round 5: .*THE CANARY WAS NOT CAUGHT/m);
});

test('failures are kept, and a new version repeats them first', async () => {
  await ran('queue', 'purge', '--all');
  await ran('campaign', R15, ...FORM, '--defects', 'R15', '--runs', '20', '--forever');
  const { code, stderr } = await forever('--rounds', '1');
  expect(stderr).toMatch(
    /round 6: .* 20 schedules, [1-9]\d* FAILED; canary caught by schedule \d+\n/,
  );
  expect(code).toBe(1);
  const { rows } = await queue.database.query('SELECT checked, still FROM umbra.token');
  expect(rows).toEqual([{ checked: codeVersion(), still: expect.stringMatching(/^killed: /) }]);

  await queue.database.query("UPDATE umbra.token SET checked = 'older', still = ''");
  const { maker, said } = makerOf();
  expect(await maker.more()).toBe(true);
  await worked();
  const { rows: order } = await queue.database.query(
    'SELECT kind FROM umbra.unit u JOIN umbra.plan p ON p.id = u.plan ORDER BY seq',
  );
  expect(order.map(({ kind }) => kind)).toEqual(['again', 'canary', 'campaign']);
  await maker.close();
  expect(said.join('\n')).toContain(
    'of 1 old failures 1 still go wrong, 0 pass, 0 cannot be done again',
  );
  const { rows: after } = await queue.database.query(
    'SELECT checked, still FROM umbra.token LIMIT 1',
  );
  expect(after).toEqual([{ checked: codeVersion(), still: expect.stringMatching(/^killed: /) }]);
});

test.each([
  [['work', '--rounds', '2'], /--rounds is for --forever/],
  [['work', '--canary', 'R2'], /--canary is for --forever/],
  [['campaign', R15, '--weight', '3'], /--weight is for --forever: give both, or neither/],
  [['campaign', R15, '--forever', '--wait'], /--forever has no end/],
])('refuses %j with a message', async (args, words) => {
  const { code, stderr } = await ran(...args);
  expect(spaced(stderr)).toMatch(words);
  expect(code).toBe(2);
});
