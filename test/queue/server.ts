/** A PostgreSQL for tests: one started here, or that of DATABASE_URL, with a fresh database. */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { embeddedServer, stopEmbedded } from '../../src/queue/embedded.ts';

const given = process.env['DATABASE_URL'];

export interface TestServer {
  readonly url: string;
  /** Of a server started here: may be stopped, and restarts. */
  readonly pid: (() => number) | undefined;
  close(): Promise<void>;
}

export async function testServer(): Promise<TestServer> {
  return given === undefined ? ownServer() : databaseOf(given);
}

async function ownServer(): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'umbra-queue-'));
  const url = await embeddedServer(folder);
  // The keeper stays as long as there is a connection.
  const client = new pg.Client(url);
  client.on('error', () => {});
  await client.connect();
  return {
    url,
    pid: () => serverPid(folder),
    close: async () => {
      await client.end().catch(() => {});
      await stopEmbedded(folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const serverPid = (folder: string): number =>
  Number(readFileSync(join(folder, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);

async function databaseOf(server: string): Promise<TestServer> {
  const name = `umbra_test_${randomBytes(6).toString('hex')}`;
  const run = async (text: string): Promise<void> => {
    const client = new pg.Client(server);
    await client.connect();
    await client.query(text);
    await client.end();
  };
  await run(`CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const close = (): Promise<void> => run(`DROP DATABASE ${name} WITH (FORCE)`);
  return { url: url.href, pid: undefined, close };
}

/** Repeats a query to a folder's server until its result holds. */
export async function until(is: () => boolean | Promise<boolean>, ms = 30_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await is())) {
    if (Date.now() > end) throw new Error(`not so after ${ms} ms: ${is}`);
    await delay(50);
  }
}

/** A worker process, with the tests' kinds of units. */
export function crew(
  url: string,
  jobs = 1,
  stay = true,
  prefix: readonly string[] = [],
): ChildProcess {
  const [program, ...args] = [
    ...[...prefix, process.execPath, 'test/queue/crew-worker.ts', url, String(jobs)],
    ...(stay ? ['stay'] : []),
  ];
  return spawn(program!, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Told to end, and ended. */
export async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    await exit;
  }
  return child.exitCode;
}

/** Whether a server started here still runs for a folder. */
export const isRunning = (folder: string): boolean =>
  existsSync(join(folder, 'data', 'postmaster.pid'));
