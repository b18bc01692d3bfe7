/**
 * What --queue names: a PostgreSQL server by its URL, or one of this machine's own in a folder. A
 * password is in the URL or in the environment, and in nothing that is printed.
 *
 * TLS is as libpq has it: sslmode, sslrootcert, sslcert and sslkey of the URL, or PGSSLMODE and so
 * on (https://www.postgresql.org/docs/current/libpq-ssl.html).
 */

import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import type { ClientConfig } from 'pg';
import { UserError } from '../errors.ts';

export type Address =
  | { readonly kind: 'server'; readonly url: string }
  | { readonly kind: 'embedded'; readonly folder: string };

const EXPECTED = 'postgres://USER:PASSWORD@HOST:PORT/DATABASE, or embedded, or embedded:FOLDER';

/**
 * Throws UserError for anything else. The message does not repeat the text, which may hold a
 * password.
 */
export function parseAddress(text: string): Address {
  const [, folder] = /^embedded(?::(.+))?$/.exec(text) ?? [];
  if (folder !== undefined) return { kind: 'embedded', folder };
  if (text === 'embedded') return { kind: 'embedded', folder: join(stateFolder(), 'queue') };
  if (!/^postgres(ql)?:\/\//.test(text)) {
    throw new UserError(`--queue: found no address of a queue, expected ${EXPECTED}`);
  }
  if (urlOf(text) === undefined) {
    throw new UserError(`--queue: found a URL that cannot be read, expected ${EXPECTED}`);
  }
  return { kind: 'server', url: text };
}

/** Whether a text looks like an address, and not like a path. */
export const isAddress = (text: string): boolean =>
  /^(postgres(ql)?:\/\/|embedded(:|$))/.test(text);

const stateFolder = (): string => process.env['UMBRA_STATE'] || '.umbra';

/** As it may be printed. */
export function shownAddress(address: Address): string {
  if (address.kind === 'embedded') return `embedded:${address.folder}`;
  const url = urlOf(address.url)!;
  const user = url.username === '' ? '' : `${url.username}@`;
  return `${url.protocol}//${user}${url.host}${url.pathname}`;
}

export const shownText = (text: string): string => shownAddress(parseAddress(text));

/** A text without the password that a URL has, however it is written there. */
export function withoutPassword(text: string, url: string): string {
  const written = [urlOf(url)?.password, /[?&]password=([^&]*)/.exec(url)?.[1]];
  const secrets = written.flatMap((one) => (one ? [one, decoded(one)] : []));
  const known = process.env['PGPASSWORD'] ? [...secrets, process.env['PGPASSWORD']] : secrets;
  return known
    .toSorted((a, b) => b.length - a.length)
    .reduce((shown, secret) => shown.replaceAll(secret, '***'), text);
}

/** An empty host, as of a socket, is read too. */
function urlOf(text: string): URL | undefined {
  return URL.parse(text) ?? undefined;
}

/** Anything but an escape stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const SSL_MODES = [
  ...(['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const),
];

type SslMode = (typeof SSL_MODES)[number];

/**
 * How to connect to the server of a URL: the ways to be tried in their order, of which the next is
 * for a server that does not have (prefer), or insists on (allow), TLS. Throws UserError.
 */
export function waysTo(text: string): readonly ClientConfig[] {
  const url = urlOf(text)!;
  const given = (name: string, variable: string): string | undefined =>
    url.searchParams.get(name) ?? process.env[variable] ?? undefined;
  const host = url.searchParams.get('host') ?? decoded(url.hostname).replace(/^\[(.+)\]$/, '$1');
  const port = url.searchParams.get('port') ?? url.port;
  const user = url.searchParams.get('user') ?? decoded(url.username);
  const password = url.searchParams.get('password') ?? decoded(url.password);
  const database = decoded(url.pathname.slice(1));
  const config: ClientConfig = {
    ...(host !== '' && { host }),
    ...(port !== '' && { port: Number(port) }),
    ...(user !== '' && { user }),
    ...(password !== '' && { password }),
    ...(database !== '' && { database }),
  };
  const mode = given('sslmode', 'PGSSLMODE') ?? 'prefer';
  if (!SSL_MODES.includes(mode as SslMode)) {
    throw new UserError(`sslmode: found ${mode}, expected one of ${SSL_MODES.join(', ')}`);
  }
  const plain: ClientConfig = { ...config, ssl: false };
  // A socket has no TLS.
  if (mode === 'disable' || host.startsWith('/')) return [plain];
  const encrypted: ClientConfig = { ...config, ssl: tlsOf(mode as SslMode, given) };
  if (mode === 'prefer') return [encrypted, plain];
  return mode === 'allow' ? [plain, encrypted] : [encrypted];
}

/** libpq looks there. */
const OWN = join(homedir(), '.postgresql');

/** `given`: an option, by its name in the URL and in the environment. */
function tlsOf(
  mode: SslMode,
  given: (name: string, variable: string) => string | undefined,
): ConnectionOptions {
  const file = (name: string, variable: string, usual: string): string | undefined => {
    const named = given(name, variable);
    const path = named ?? join(OWN, usual);
    return named !== undefined || existsSync(path) ? path : undefined;
  };
  const root = file('sslrootcert', 'PGSSLROOTCERT', 'root.crt');
  const certificate = file('sslcert', 'PGSSLCERT', 'postgresql.crt');
  const key = file('sslkey', 'PGSSLKEY', 'postgresql.key');
  const isVerified = mode === 'verify-ca' || mode === 'verify-full';
  if (isVerified && root === undefined) {
    throw new UserError(
      `sslmode ${mode} takes the certificate of an authority: give sslrootcert=FILE, or ` +
        'sslrootcert=system for those of this machine',
    );
  }
  // With an authority, require is verify-ca.
  const isChecked = isVerified || (mode === 'require' && root !== undefined);
  return {
    rejectUnauthorized: isChecked,
    ...(root !== undefined &&
      root !== 'system' &&
      isChecked && { ca: textOf(root, 'sslrootcert') }),
    ...(certificate !== undefined && { cert: textOf(certificate, 'sslcert') }),
    ...(key !== undefined && { key: textOf(key, 'sslkey') }),
    // A system's authorities vouch for names, and for nothing else.
    ...(mode !== 'verify-full' && root !== 'system' && { checkServerIdentity: () => undefined }),
  };
}

function textOf(path: string, option: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(
      `${option}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`,
    );
  }
}
