/** Pages on loopback: to whom they are shown, and with which headers. */

import { request } from 'node:http';
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

/** fetch has no Host of one's own. */
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

describe('who asks for another host by name is refused', () => {
  test.each(['evil.example', 'evil.example:80', '127.0.0.1.evil.example', '192.168.0.1'])(
    '%s',
    async (host) => {
      const { status, body } = await ask('/', { host });
      expect(status).toBe(403);
      expect(body).not.toContain('here');
    },
  );
  test.each(['127.0.0.1:1', 'localhost:8080', 'LOCALHOST'])('%s is ours', async (host) => {
    expect((await ask('/', { host })).status).toBe(200);
  });
});

test('what is not there, what is not to be done, and what went wrong inside', async () => {
  expect((await ask('/../../etc/passwd')).status).toBe(404);
  expect((await ask('/', {}, 'POST')).status).toBe(405);
  const { status, body } = await ask('/broken');
  expect([status, body]).toEqual([500, 'this cannot be shown\n']);
  expect(await ask('/', {}, 'HEAD')).toMatchObject({ status: 200, body: '' });
});

test('with the headers that SharedArrayBuffer takes, where they are asked for', async () => {
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

test('a port that is in use is the user’s to change', async () => {
  const port = Number(new URL(site.url).port);
  await expect(serve({ find: () => undefined, port })).rejects.toThrow(
    `port ${port} of 127.0.0.1 is in use`,
  );
});
