/** Pages on loopback: which requests are answered, and with which headers. */

import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { html, type Serving, serve } from '../../src/report/serve.ts';

let site: Serving;
beforeAll(async () => {
  site = await serve({
    find: (path) => {
      if (path === '/broken') throw new Error('a secret');
      return path === '/' ? html('<p>here</p>') : undefined;
    },
  });
});
afterAll(() => site.close());

interface Got {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** fetch does not allow a Host header. */
const ask = (path = '/', headers: Record<string, string> = {}, method = 'GET'): Promise<Got> =>
  new Promise((resolve, reject) => {
    const asked = request(new URL(path, site.url), { method, headers }, (response) => {
      let body = '';
      response.on('data', (data: Buffer) => (body += data.toString()));
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, body }),
      );
    });
    asked.on('error', reject).end();
  });

test('is on 127.0.0.1', () => {
  expect(site.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
});

test('shows its page, which may load nothing but itself', async () => {
  const { status, headers, body } = await ask('/?anew=1');
  expect([status, body]).toEqual([200, '<p>here</p>']);
  expect(headers['content-security-policy']).toContain("default-src 'none'");
  expect(headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
  });
  expect(headers['cross-origin-embedder-policy']).toBeUndefined();
});

describe('refuses a request for another host name', () => {
  test.each(['evil.example', 'evil.example:80', '127.0.0.1.evil.example', '192.168.0.1'])(
    '%s',
    async (host) => {
      const { status, body } = await ask('/', { host });
      expect(status).toBe(403);
      expect(body).not.toContain('here');
    },
  );
  test.each(['127.0.0.1:1', 'localhost:8080', 'LOCALHOST'])('accepts %s', async (host) => {
    expect((await ask('/', { host })).status).toBe(200);
  });
});

describe('refuses a request from a page of another origin', () => {
  test.each([
    ['cross-site', 'empty'],
    ['cross-site', 'iframe'],
    ['cross-site', 'script'],
    // Another port of this machine.
    ['same-site', 'image'],
  ])('%s, as %s', async (site, dest) => {
    const { status, body } = await ask('/', { 'sec-fetch-site': site, 'sec-fetch-dest': dest });
    expect([status, body]).toEqual([403, 'this is for its own page only\n']);
  });

  test.each([
    ['none', 'document'],
    ['same-origin', 'empty'],
    ['same-origin', 'worker'],
    // A link.
    ['cross-site', 'document'],
  ])('but answers %s, as %s', async (site, dest) => {
    const asked = { 'sec-fetch-site': site, 'sec-fetch-dest': dest };
    expect((await ask('/', asked)).status).toBe(200);
  });
});

describe('malformed requests', () => {
  /** The status of the answer to raw bytes on the socket. */
  const raw = async (sent: string): Promise<number> => {
    const socket = connect(Number(new URL(site.url).port), '127.0.0.1');
    socket.end(sent);
    return Number(/^HTTP\/1\.1 (\d+)/.exec(await text(socket))?.[1]);
  };
  const HOST = 'Host: localhost\r\nConnection: close\r\n';

  test.each([
    ['a path with ..', `GET /../../../etc/passwd HTTP/1.1\r\n${HOST}\r\n`, 404],
    ['the same, percent-encoded', `GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n${HOST}\r\n`, 404],
    ['with backslashes', `GET /..\\..\\etc\\passwd HTTP/1.1\r\n${HOST}\r\n`, 404],
    ['two slashes', `GET //etc/passwd HTTP/1.1\r\n${HOST}\r\n`, 404],
    ['a file’s address', `GET file:///etc/passwd HTTP/1.1\r\n${HOST}\r\n`, 404],
    ['a proxy’s address', `GET http://evil.example/ HTTP/1.1\r\n${HOST}\r\n`, 404],
    ['no host', 'GET / HTTP/1.0\r\n\r\n', 403],
    ['two hosts', `GET / HTTP/1.1\r\nHost: evil.example\r\n${HOST}\r\n`, 403],
    ['a host with a user name', 'GET / HTTP/1.0\r\nHost: localhost@evil.example\r\n\r\n', 403],
    ['another method', `CONNECT evil.example:80 HTTP/1.1\r\n${HOST}\r\n`, Number.NaN],
    ['long headers', `GET / HTTP/1.1\r\n${HOST}A: ${'a'.repeat(17_000)}\r\n\r\n`, 431],
    ['no HTTP', 'hello\r\n\r\n', 400],
  ])('%s', async (_, sent, status) => {
    expect(await raw(sent)).toBe(status);
    expect((await ask()).status).toBe(200);
  });

  test('does not wait for a long body', async () => {
    const asked = request(new URL('/', site.url), { method: 'POST' });
    asked.on('error', () => {});
    asked.write('a'.repeat(1 << 20));
    const [response] = await once(asked, 'response');
    expect(response.statusCode).toBe(405);
    asked.destroy();
    expect((await ask()).status).toBe(200);
  });
});

test('answers a missing page, a forbidden method, and an internal error', async () => {
  expect((await ask('/../../etc/passwd')).status).toBe(404);
  expect((await ask('/', {}, 'POST')).status).toBe(405);
  const { status, body } = await ask('/broken');
  expect([status, body]).toEqual([500, 'this cannot be shown\n']);
  expect(await ask('/', {}, 'HEAD')).toMatchObject({ status: 200, body: '' });
});

test('has the headers for SharedArrayBuffer on request', async () => {
  const other = await serve({
    find: () => html(''),
    isIsolated: true,
    policy: "default-src 'self'",
  });
  try {
    const { headers } = await fetch(other.url);
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(headers.get('cross-origin-embedder-policy')).toBe('require-corp');
    expect(headers.get('content-security-policy')).toBe("default-src 'self'");
  } finally {
    await other.close();
  }
});

test('a port in use is the user’s mistake', async () => {
  const port = Number(new URL(site.url).port);
  await expect(serve({ find: () => undefined, port })).rejects.toThrow(
    `port ${port} of 127.0.0.1 is in use`,
  );
});
