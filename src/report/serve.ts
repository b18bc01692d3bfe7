/**
 * Pages for a browser on this machine: on 127.0.0.1 only, with a matching Host header and no
 * foreign origin, GET and HEAD only, and only files that `find` reads.
 */

import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { UserError } from '../errors.ts';

export interface Response {
  /** As in `text/html; charset=utf-8`. */
  readonly type: string;
  readonly body: string | Uint8Array;
}

export const html = (body: string): Response => ({ type: 'text/html; charset=utf-8', body });

export interface Site {
  /** What is at a path (`/`, `/worker.js`; without what is behind a `?`); undefined: nothing. */
  readonly find: (path: string) => Response | undefined | Promise<Response | undefined>;
  /** 0, as by default: any that is free. */
  readonly port?: number | undefined;
  /** Content security policy; by default a page that loads nothing but itself. */
  readonly policy?: string;
  /** With the two headers that SharedArrayBuffer takes. */
  readonly isIsolated?: boolean;
}

export interface Serving {
  /** As in `http://127.0.0.1:8080/`. */
  readonly url: string;
  /** End it: pending responses may finish within a second. */
  close(): Promise<void>;
}

/** Style and script stand in the page, which says by itself which script that is (page/html.ts). */
const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
} as const;

/** For SharedArrayBuffer, beside Cross-Origin-Opener-Policy. */
const ISOLATION = { 'Cross-Origin-Embedder-Policy': 'require-corp' } as const;

/** Throws UserError for a port that cannot be had. */
export async function serve(site: Site): Promise<Serving> {
  const { port = 0, policy = PAGE_POLICY, isIsolated = false } = site;
  const headers = {
    ...HEADERS,
    ...(isIsolated && ISOLATION),
    'Content-Security-Policy': policy,
  };
  const server = createServer((request, response) => {
    answer(site, request, headers).then(
      (answered) => send(response, answered, request.method === 'HEAD'),
      // The client gets no details of an internal error.
      () => send(response, plain(500, 'this cannot be shown', headers), false),
    );
  });
  await listening(server, port);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), GRACE_MS).unref();
      }),
  };
}

const GRACE_MS = 1000;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

const plain = (status: number, body: string, headers: Answer['headers']): Answer => ({
  status,
  headers: { ...headers, 'Content-Type': 'text/plain; charset=utf-8' },
  body: `${body}\n`,
});

async function answer(
  { find }: Site,
  { method = '', url = '/', headers: asked }: IncomingMessage,
  headers: Answer['headers'],
): Promise<Answer> {
  if (!isOurs(asked.host)) return plain(403, 'this is for 127.0.0.1 only', headers);
  if (isOfAnother(asked)) return plain(403, 'this is for its own page only', headers);
  if (method !== 'GET' && method !== 'HEAD') {
    return plain(405, 'there is nothing to do here but to look', {
      ...headers,
      Allow: 'GET, HEAD',
    });
  }
  const found = await find(url.replace(/[?#].*$/, ''));
  if (found === undefined) return plain(404, 'there is nothing here', headers);
  const { type, body } = found;
  return { status: 200, headers: { ...headers, 'Content-Type': type }, body };
}

/**
 * DNS rebinding: a foreign page can point its own name to this machine and then read responses; the
 * Host header has its name. Any port is accepted, since a tunnel may have another.
 */
const isOurs = (host: string | undefined): boolean =>
  /^(127\.0\.0\.1|localhost)(:\d+)?$/i.test(host ?? '');

/**
 * A request of a foreign page, which cannot read the response but would count as an open page. A
 * link from there is fine. Browsers send the header; other clients are accepted.
 */
const isOfAnother = ({
  'sec-fetch-site': site = 'none',
  'sec-fetch-dest': dest,
}: IncomingHttpHeaders): boolean =>
  site !== 'same-origin' && site !== 'none' && dest !== 'document';

function send(response: ServerResponse, { status, headers, body }: Answer, isHead: boolean): void {
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) });
  response.end(isHead ? undefined : body);
}

const listening = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', ({ code, message }: NodeJS.ErrnoException) =>
      reject(
        new UserError(
          code === 'EADDRINUSE'
            ? `port ${port} of 127.0.0.1 is in use: give another, or none for any that is free`
            : `port ${port} of 127.0.0.1 cannot be used: ${message}`,
        ),
      ),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
