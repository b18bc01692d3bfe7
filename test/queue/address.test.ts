/** Addresses of queues: their parts, how they are shown, and TLS as in libpq. */

import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { parseAddress, shownAddress, waysTo, withoutPassword } from '../../src/queue/address.ts';
import { Database } from '../../src/queue/database.ts';
import { embeddedServer, stopEmbedded } from '../../src/queue/embedded.ts';
import { scratch } from '../scratch.ts';

test.each([
  ['embedded:some/where', 'embedded:some/where'],
  ['postgres://h/x', 'postgres://h/x'],
  ['postgresql://me:secret@h:5433/x?sslmode=require', 'postgresql://me@h:5433/x'],
  ['postgres:///x?host=/run/postgresql&password=secret', 'postgres:///x'],
])('%s is shown as %s', (text, shown) => {
  expect(shownAddress(parseAddress(text))).toBe(shown);
});

test.each(['', 'mysql://u:secret@h/x', 'embeddedness', 'postgres://u:secret@[::1/x'])(
  'refuses %j without repeating it',
  (text) => {
    expect(() => parseAddress(text)).toThrow(UserError);
    expect(() => parseAddress(text)).not.toThrow(/secret/);
  },
);

test.each([
  ['postgres://u:s%26cret@h/x', 'as s%26cret and s&cret, twice s&cret'],
  ['postgres://u@h/x?password=s%26cret', 'as s%26cret and s&cret, twice s&cret'],
])('removes a password of %s from messages', (url, text) => {
  expect(withoutPassword(text, url)).not.toMatch(/s(%26|&)cret/);
});

describe('connections', () => {
  const modesOf = (query: string): unknown[] =>
    waysTo(`postgres://u:p@h:5433/x${query}`).map(({ ssl }) =>
      typeof ssl === 'object'
        ? { verified: ssl.rejectUnauthorized, named: !ssl.checkServerIdentity }
        : ssl,
    );
  const unverified = { verified: false, named: false };

  test.each([
    ['', [unverified, false]],
    ['?sslmode=disable', [false]],
    ['?sslmode=allow', [false, unverified]],
    ['?sslmode=prefer', [unverified, false]],
    ['?sslmode=require', [unverified]],
    ['?sslmode=require&sslrootcert=package.json', [{ verified: true, named: false }]],
    ['?sslmode=verify-ca&sslrootcert=package.json', [{ verified: true, named: false }]],
    ['?sslmode=verify-full&sslrootcert=package.json', [{ verified: true, named: true }]],
    ['?sslmode=verify-full&sslrootcert=system', [{ verified: true, named: true }]],
  ])('%s', (query, ways) => expect(modesOf(query)).toEqual(ways));

  test("have the URL's parts, and the environment's TLS settings", () => {
    process.env['PGSSLMODE'] = 'disable';
    expect(waysTo('postgres://u:p%40@[::1]:5433/x%2Fy')).toEqual([
      { host: '::1', port: 5433, user: 'u', password: 'p@', database: 'x/y', ssl: false },
    ]);
    delete process.env['PGSSLMODE'];
    expect(waysTo('postgres:///x?host=/run/postgresql')).toEqual([
      { host: '/run/postgresql', database: 'x', ssl: false },
    ]);
  });

  test.each([
    ['?sslmode=maybe', /sslmode: found maybe, expected one of disable, /],
    ['?sslmode=verify-full', /takes the certificate of an authority/],
    ['?sslmode=require&sslrootcert=none.crt', /sslrootcert: none.crt cannot be read \(ENOENT\)/],
  ])('refuses %s', (query, words) => {
    expect(() => modesOf(query)).toThrow(UserError);
    expect(() => modesOf(query)).toThrow(words);
  });
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

describe.skipIf(!hasOpenssl)('a server with TLS', () => {
  const folder = scratch('tls');
  chmodSync(folder, 0o711);
  const place = join(folder, 'db');
  const certificate = join(folder, 'server.crt');
  let url: URL;

  const sql = async (text: string, to = url.href): Promise<void> => {
    const client = new pg.Client(to);
    await client.connect();
    for (const one of text.split(';')) await client.query(one);
    await client.end();
  };

  beforeAll(async () => {
    const key = join(folder, 'server.key');
    const of = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2'];
    spawnSync('openssl', [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate],
      ...of,
    ]);
    url = new URL(await embeddedServer(place));
    const { uid, gid } = statSync(join(place, 'data'));
    for (const name of ['server.crt', 'server.key']) {
      copyFileSync(join(folder, name), join(place, 'data', name));
      chmodSync(join(place, 'data', name), 0o600);
      chownSync(join(place, 'data', name), uid, gid);
    }
    await sql('ALTER SYSTEM SET ssl = on;SELECT pg_reload_conf()');
  });
  afterAll(() => stopEmbedded(place));

  /** Whether the connection was encrypted; or the error if there is none. */
  const connected = async (query: string, host = 'localhost'): Promise<unknown> => {
    const to = new URL(url);
    to.hostname = host;
    to.search = query;
    try {
      const database = await Database.open(parseAddress(to.href));
      const { rows } = await database.query(
        'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
      );
      await database.close();
      return rows[0]!['ssl'];
    } catch (error) {
      return (error as Error).message;
    }
  };

  test('is connected to as the URL says', async () => {
    const root = `sslrootcert=${certificate}`;
    expect(await connected('sslmode=disable')).toBe(false);
    expect(await connected('')).toBe(true);
    expect(await connected('sslmode=require')).toBe(true);
    expect(await connected(`sslmode=verify-full&${root}`)).toBe(true);
    expect(await connected(`sslmode=verify-ca&${root}`, '127.0.0.1')).toBe(true);
    expect(await connected(`sslmode=verify-full&${root}`, '127.0.0.1')).toMatch(
      /cannot be used: .*127\.0\.0\.1/,
    );
    expect(await connected('sslmode=verify-full&sslrootcert=system')).toMatch(
      /cannot be used: .*self[- ]signed/,
    );
  });

  test('and one without, where that is allowed', async () => {
    await sql('ALTER SYSTEM SET ssl = off;SELECT pg_reload_conf()');
    expect(await connected('sslmode=prefer')).toBe(false);
    expect(await connected('sslmode=require')).toMatch(/does not support SSL/);
  });
});
