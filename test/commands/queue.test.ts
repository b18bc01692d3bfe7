/** `umbra campaign --queue`, `umbra work`, `umbra queue` and `umbra merge` as a user runs them. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAddress } from '../../src/queue/address.ts';
import { isAlive, runningIn } from '../../src/queue/embedded.ts';
import { dump } from '../explore/ledgers.ts';
import { isRunning, serverPid, type TestServer, testServer, until } from '../queue/server.ts';
import { scratch } from '../scratch.ts';
import { hasTerminal, type Ran, spaced, umbra } from './umbra.ts';

const R15 = 'litmus/7-setup/R15-two-reasons-to-die.yaml';
const FORM = ['--discipline', 'lock-free', '--paging', 'nonpae'];
const CAMPAIGN = ['campaign', R15, '--defects', 'R15', ...FORM, '--strategy', 'random,pct-2'];

// Of mode 0700. Started by root, PostgreSQL runs as another user, which must reach it nevertheless.
const folder = scratch('queues');
const at = (name: string): string => join(folder, name);

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

/** With the queue in the environment, which may hold a password. */
/** With a worker beside it. */
async function helped<T>(body: () => Promise<T>): Promise<T> {
  const env = { ...process.env, UMBRA_QUEUE: server.url };
  const work = ['src/main.ts', 'work', '--stay', '--jobs', '2'];
  const helper = spawn(process.execPath, work, { env, stdio: 'ignore' });
  try {
    return await body();
  } finally {
    helper.kill('SIGTERM');
    await once(helper, 'exit');
  }
}

async function withQueue(...args: readonly string[]): Promise<Ran> {
  process.env['UMBRA_QUEUE'] = server.url;
  try {
    return await umbra(...args);
  } finally {
    delete process.env['UMBRA_QUEUE'];
  }
}

const planOf = async (runs: number): Promise<string> =>
  new RegExp(`^ ([0-9a-f]{8}) .* --runs ${runs}$`, 'm').exec(
    (await withQueue('queue', 'status')).stdout,
  )![1]!;

describe('two processes run a campaign', () => {
  const given = [...CAMPAIGN, '--runs', '500'];
  let alone: Ran;
  beforeAll(async () => {
    alone = await umbra(...given, '--out', at('alone.sqlite'));
    expect(await withQueue(...given)).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringMatching(
        /^umbra: left in postgres:\/\/umbra@.* as plan [0-9a-f]{8}: 6 of 6 units; umbra work/,
      ),
    });
    const options = { env: { ...process.env, UMBRA_QUEUE: server.url } };
    const workers = [1, 2].map(() =>
      spawn(process.execPath, ['src/main.ts', 'work', '--jobs', '1'], options),
    );
    const codes = await Promise.all(workers.map(async (child) => (await once(child, 'exit'))[0]));
    expect(codes).toContain(1);
  });

  test('merged from the queue, it is byte for byte the result of one process', async () => {
    const merged = await withQueue('merge', server.url, '-o', at('merged.sqlite'));
    expect(merged).toEqual(alone);
    expect(dump(at('merged.sqlite'))).toBe(dump(at('alone.sqlite')));
    const again = await withQueue('merge', server.url, '-o', at('merged.sqlite'));
    expect(again.stderr).toContain('is there already');
  });

  test('the same command and umbra queue report print it', async () => {
    expect(await withQueue(...given)).toEqual(alone);
    expect(await withQueue(...given, '--wait', '--out', at('fetched.sqlite'))).toEqual(alone);
    expect(dump(at('fetched.sqlite'))).toBe(dump(at('alone.sqlite')));
    expect(await withQueue('queue', 'report', await planOf(500))).toEqual(alone);
  });

  test('has a page of the report', async () => {
    await withQueue('queue', 'report', await planOf(500), '--html', at('plan.html'));
    const page = readFileSync(at('plan.html'), 'utf8');
    expect(page).toMatch(
      /<dt>State<\/dt><dd>done<\/dd>\n<dt>(<abbr[^>]*>)?Units(<\/abbr>)?<\/dt><dd>6 of 6 \(100 %\)/,
    );
    expect(page).toMatch(
      /What went wrong, the newest first[\s\S]*unit \d[\s\S]*umbra replay umbra\d+\./,
    );
    expect(page).toContain('What each strategy did');
    expect(page).not.toContain('http-equiv="refresh"');
  });

  test('is listed, and watched through a pipe', async () => {
    expect((await withQueue('queue', 'status')).stdout).toMatch(
      /^ [0-9a-f]{8} +done +6 +6 +[1-9]\d* +umbra campaign /m,
    );
    const { stdout, code } = await withQueue('queue', 'watch', await planOf(500));
    expect(stdout).toMatch(
      /^plan [0-9a-f]{8}, done: umbra campaign .*\n(FAILED: unit \d: killed: .*\n)+/,
    );
    expect(stdout).toMatch(/^\d+ FAILED, 6 of 6 units, \d workers? at \d, ETA 0:00\ndone\n$/m);
    expect(code).toBe(1);
  });

  test.skipIf(!hasTerminal)('fits a narrow terminal when watched', async () => {
    const command = `stty cols 44; exec ${process.execPath} src/main.ts queue watch ${await planOf(500)}`;
    const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
      encoding: 'utf8',
      env: { ...process.env, UMBRA_QUEUE: server.url },
    });
    const lines = stripVTControlCharacters(stdout).split(/\r?\n/);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(44);
    expect(stdout).toMatch(/█{43}/);
    expect(stdout).toMatch(/\d+ FAILED, 6 of 6 units/);
  });
});

test('an unfinished plan is watched on a page, also on a reloaded one, cancelled and removed', async () => {
  await withQueue(...CAMPAIGN, '--runs', '20000', '--until-failure');
  const plan = await planOf(20_000);
  const env = { ...process.env, UMBRA_QUEUE: server.url };
  const child = spawn(
    process.execPath,
    ['src/main.ts', 'queue', 'watch', plan, '--html', at('live.html'), '--watch'],
    { env },
  );
  let said = '';
  child.stderr.on('data', (data: Buffer) => (said += data.toString()));
  const urlIn = (text: string) => /http:\/\/127\.0\.0\.1:\d+\//.exec(text)?.[0];
  await until(() => existsSync(at('live.html')));
  expect(readFileSync(at('live.html'), 'utf8')).toContain(
    '<meta http-equiv="refresh" content="2">',
  );
  await until(() => urlIn(said) !== undefined);
  const shown = async (): Promise<string> => (await fetch(urlIn(said)!)).text();
  expect(await shown()).toMatch(/<dt>State<\/dt><dd>open<\/dd>[\s\S]*0 of 200 \(0 %\)/);
  const exit = once(child, 'exit');
  child.kill('SIGINT');
  await until(async () => (await shown()).includes('What each strategy did'));
  expect(await exit).toEqual([130, null]);
  const missing = await withQueue('merge', server.url, '--plan', plan, '-o', at('missing.sqlite'));
  expect(missing).toMatchObject({ code: 2, stdout: '' });
  expect(spaced(missing.stderr)).toMatch(/missing: 200 of 200 units; umbra work does them/);
  // A plan told to end at its first failure does.
  expect((await withQueue('work', '--jobs', '1')).code).toBe(1);
  expect((await withQueue('queue', 'status', plan)).stdout).toMatch(/ cancelled +\d{1,2} +200 /);
  expect((await withQueue('queue', 'cancel', plan)).stdout).toContain('it is not open');
  expect((await withQueue(...CAMPAIGN, '--runs', '20000')).stderr).toMatch(
    /left in .*: \d+ of 200 units/,
  );
  expect((await withQueue('queue', 'cancel', plan)).stdout).toContain('cancelled');
  expect((await withQueue('queue', 'purge', plan)).stdout).toMatch(/--runs 20000: removed\n$/);
  expect((await withQueue('queue', 'status', plan)).stderr).toMatch(
    new RegExp(`there is no plan ${plan}`),
  );
});

describe('the results of other commands are the same', () => {
  test.each([
    [
      'generate',
      'generate --ops 2 --alphabet frames --configuration AA --paging nonpae --discipline lock-free --defects R4',
      1,
    ],
    ['mutants, which are shrunk afterwards', 'mutants --only R15 --strategy random --runs 2', 2],
    [
      'generate, each defect',
      'generate --each-defect --defects R5 --configuration AA --paging nonpae --discipline lock-free',
      0,
    ],
  ])('of %s', async (_, line, rounds) => {
    const args = line.split(' ');
    const alone = await umbra(...args, '--json', '-');
    for (let i = 0; i < rounds; i++) {
      expect((await withQueue(...args)).stderr).toMatch(/left in .*: \d+ of \d+ units?/);
      await withQueue('work');
    }
    // The worker has to be running at each step.
    const env = { ...process.env, UMBRA_QUEUE: server.url };
    const helper =
      rounds > 0 ? undefined : spawn(process.execPath, ['src/main.ts', 'work', '--stay'], { env });
    const ran = await withQueue(...args, ...(rounds > 0 ? [] : ['--wait']), '--json', '-');
    helper?.kill('SIGTERM');
    expect(ran.stdout).toBe(alone.stdout);
    expect(ran.code).toBe(alone.code);
  });

  test('of a study, in its folder', async () => {
    const args = [
      'study',
      'migration',
      '--seeds',
      '1',
      '--scale',
      '0.02',
      '--experiment',
      'policy',
    ];
    expect((await withQueue(...args, '--out', at('study'))).stderr).toMatch(
      /left in .*: \d+ of \d+ units?/,
    );
    expect((await withQueue('work')).code).toBe(0);
    const ran = await withQueue(...args, '--out', at('study'));
    expect(ran).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('What does a guest pay'),
    });
    const run = readFileSync(at('study/run.json'), 'utf8');
    expect(run).toMatch(/"queue": "postgres:\/\/\w+@[^"]*"/);
    expect(run).not.toContain(new URL(server.url).password);
  });

  test('of verify, whose units are created as they are found', async () => {
    const args = [
      'verify',
      'R1-two-faults-one-entry',
      '--discipline',
      'guest-lock',
      '--paging',
      'nonpae',
      '--json',
      '-',
    ];
    const untimed = ({ stdout }: Ran): string => stdout.replaceAll(/"seconds": [\d.e-]+/g, '');
    const alone = await umbra(...args);
    const ran = await helped(() => withQueue(...args));
    expect(untimed(ran)).toBe(untimed(alone));
    expect(ran.code).toBe(0);
    // The second request is answered from the queue.
    expect(untimed(await withQueue(...args))).toBe(untimed(alone));
  });

  test('of verify, within bounds', async () => {
    const args = ['verify', 'R15-two-faults-at-once', '--discipline', 'guest-lock'];
    const met = async (run: Promise<Ran>): Promise<unknown> => {
      const { tests } = JSON.parse((await run).stdout) as { tests: { outcomes: object[] }[] };
      // Which of several equally simple orders is kept depends on timing.
      return tests.map(({ outcomes, ...test }) => ({
        ...{ ...test, seconds: 0 },
        outcomes: outcomes.map((one) => ({ ...one, token: '' })),
      }));
    };
    const given = [...args, '--paging', 'nonpae', '--preemptions', '1', '--json', '-'];
    expect(await met(helped(() => withQueue(...given)))).toEqual(await met(umbra(...given)));
  });

  test('of stress, but for what its threads do', async () => {
    const args = ['stress', '--runs', '1', '--seed', '5', '--virtualization', 'nested'];
    expect((await withQueue('stress')).stderr).toContain('--queue takes --runs');
    await withQueue(...args);
    await withQueue('work', '--jobs', '1');
    const { code, stdout } = await withQueue(...args);
    expect(stdout).toMatch(
      /^1 run from seed 5 in \d+ s: [\d,]+ operations, .* checks passed, nothing wrong\n/,
    );
    expect(code).toBe(0);
  });
});

describe('a server started by the command', () => {
  const queue = `embedded:${at('own')}`;

  test('is stopped after each command, and its data stay', async () => {
    const given = [...CAMPAIGN, '--runs', '200', '--queue', queue];
    expect((await umbra(...given)).code).toBe(0);
    expect(isRunning(at('own'))).toBe(false);
    expect((await umbra('work', '--queue', queue)).stdout).toBe('2 units done\n');
    expect(isRunning(at('own'))).toBe(false);
    expect((await umbra('merge', queue, '-o', at('own.sqlite'))).stdout).toMatch(
      /; 2 of 2 units done|400 schedules/,
    );
    expect(isRunning(at('own'))).toBe(false);
    expect(statSync(at('own/password')).mode & 0o077).toBe(0);
  });

  test.each([
    ['SIGINT', [130, null]],
    ['SIGTERM', [0, null]],
    ['SIGKILL', [null, 'SIGKILL']],
  ] as const)('is stopped after %s, too', async (signal, end) => {
    const child = spawn(process.execPath, ['src/main.ts', 'work', '--stay', '--queue', queue], {
      stdio: 'ignore',
    });
    await until(() => runningIn(at('own')) !== undefined);
    const [{ keeper }, pid] = [runningIn(at('own'))!, serverPid(at('own'))];
    await until(async () => (await usersOf(at('own'))) > 0);
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual(end);
    await until(() => !isAlive(pid) && !isAlive(keeper), 15_000);
    expect(isRunning(at('own'))).toBe(false);
  });

  test('is stopped after a failure, too', async () => {
    const { code, stderr } = await umbra('merge', queue, '--plan', 'ffff', '-o', at('none.sqlite'));
    expect(stderr).toContain('there is no plan of umbra campaign ffff');
    expect({ code, isRunning: isRunning(at('own')) }).toEqual({ code: 2, isRunning: false });
  });
});

/** Connections to the server of a folder. */
async function usersOf(place: string): Promise<number> {
  const { default: pg } = await import('pg');
  const { port, password } = runningIn(place)!;
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    password,
    user: 'umbra',
    database: 'postgres',
  });
  await client.connect();
  const { rows } = await client.query(
    "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'umbra'",
  );
  await client.end();
  return rows[0].n;
}

describe('a password is not printed', () => {
  const secret = 'p%40ss-w0rd';

  test.each([
    [
      'that the server rejects',
      () => server.url.replace(/:[^:@]*@/, `:${secret}@`),
      /password authentication failed|cannot be used/,
    ],
    [
      'for a server that does not answer',
      () => `postgres://me:${secret}@127.0.0.1:1/x`,
      /cannot be used: .*ECONNREFUSED/,
    ],
    [
      'in a URL of another scheme',
      () => `mysql://me:${secret}@127.0.0.1/x`,
      /found no address of a queue/,
    ],
    ['in an invalid URL', () => `postgres://me:${secret}@[::1/x`, /cannot be read/],
    [
      'with an invalid sslmode',
      () => `postgres://me:${secret}@h/x?sslmode=maybe`,
      /found maybe, expected/,
    ],
  ])('%s', async (_, url, words) => {
    for (const args of [['work'], ['queue', 'status'], [...CAMPAIGN, '--runs', '7']]) {
      const { code, stdout, stderr } = await umbra(...args, '--queue', url());
      expect(spaced(stderr)).toMatch(words);
      expect(code).toBe(2);
      expect(stdout + stderr).not.toMatch(/p(%40|@)ss-w0rd/);
    }
  });

  test('in the output of commands that succeed', async () => {
    const said = [
      await withQueue(...CAMPAIGN, '--runs', '7'),
      await withQueue('work'),
      await withQueue('queue', 'status', '--json', '-'),
    ].map(({ stdout, stderr }) => stdout + stderr);
    const address = parseAddress(server.url);
    const { password } = new URL(address.kind === 'server' ? address.url : '');
    expect(password).not.toBe('');
    expect(said.join('\n')).not.toContain(password);
  });
});

test.each([
  [[...CAMPAIGN, '--wait'], /--wait is for --queue/],
  [[...CAMPAIGN, '--queue', 'embedded', '--shard', '1/2'], /leave --shard out/],
  [[...CAMPAIGN, '--queue', 'embedded', '--threads', '2'], /leave --threads out/],
  [['work'], /which queue\? Give --queue, or UMBRA_QUEUE/],
  [['queue', 'status'], /which queue\?/],
  [['merge', 'postgres://h/x', 'a.sqlite', '-o', 'x.sqlite'], /give it alone/],
])('refuses %j with a message', async (args, words) => {
  const { code, stdout, stderr } = await umbra(...args);
  expect(spaced(stderr)).toMatch(words);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});
