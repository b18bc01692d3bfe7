/**
 * The lab's page as files, by their paths within the site. Installed, they were built beforehand;
 * from the sources they are built anew by vite, in memory.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { InlineConfig, Plugin, Rolldown } from 'vite';
import { mayBeTold } from '../explore/engine/source.ts';
import { shippedTests } from '../explore/litmus/find-files.ts';
import { type Serving, serve } from '../report/serve.ts';

export type Files = ReadonlyMap<string, string | Uint8Array>;

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Headers that let pages share memory. */
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
} as const;

/** The page loads only its own files, compiles WebAssembly, and makes no other connections. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

let site: Promise<Files> | undefined;

export const labSite = (): Promise<Files> => {
  site ??=
    extname(import.meta.url) === '.ts' ? built() : Promise.resolve(filesBelow(here('../../lab')));
  return site;
};

/** Links are not followed. */
export const filesBelow = (folder: string, before = ''): Files =>
  new Map(
    readdirSync(folder, { withFileTypes: true }).flatMap(
      (entry): [string, string | Uint8Array][] => {
        const [path, name] = [join(folder, entry.name), before + entry.name];
        if (entry.isDirectory()) return [...filesBelow(path, `${name}/`)];
        return entry.isFile() ? [[name, readFileSync(path)]] : [];
      },
    ),
  );

/** Replaces the Node platform by the browser's. */
const platform: Plugin = {
  name: 'umbra-platform',
  enforce: 'pre',
  async resolveId(source, importer) {
    if (!source.endsWith('/platform.ts')) return null;
    const found = await this.resolve(source, importer, { skipSelf: true });
    return found?.id === here('../platform.ts') ? here('engine/platform.ts') : found;
  },
};

/** Files in maps are from the root of the project, wherever the process stands. */
const ROLLDOWN = { cwd: here('../..'), checks: { pluginTimings: false } };

/** Of what tells stories names are kept, and a map: they say where in the source a step is. */
const config: InlineConfig = {
  configFile: false,
  root: here('page'),
  base: './',
  logLevel: 'warn',
  plugins: [platform],
  worker: {
    format: 'es',
    plugins: () => [platform],
    rolldownOptions: { ...ROLLDOWN, output: { minify: false } },
  },
  build: {
    write: false,
    target: 'esnext',
    minify: true,
    sourcemap: true,
    modulePreload: false,
    rolldownOptions: ROLLDOWN,
  },
};

/** What tells stories, and its map. */
const TELLS = /\/explorer-worker-/;
const MAP_LINK = /^\/\/# sourceMappingURL=.*\n?/m;

/** With the text of those sources only that are shown. */
function mapOfTold(text: string): string {
  const map = JSON.parse(text) as { sources: string[]; sourcesContent: (string | null)[] };
  map.sourcesContent = map.sourcesContent.map((content, i) =>
    mayBeTold(map.sources[i]!.replace(/^(\.\.\/)+/, '')) ? content : null,
  );
  return JSON.stringify(map);
}

async function built(): Promise<Files> {
  const { build } = await import('vite');
  const { output } = (await build(config)) as Rolldown.RolldownOutput;
  const files = output.flatMap((one) => {
    const name = one.fileName;
    const body = one.type === 'chunk' ? one.code : one.source;
    if (name.endsWith('.map')) return TELLS.test(name) ? [[name, mapOfTold(String(body))]] : [];
    return [[name, TELLS.test(name) ? body : String(body).replace(MAP_LINK, '')]];
  });
  const tests = shippedTests().map(({ name, part, path }) => {
    return { name, part, text: readFileSync(path, 'utf8') };
  });
  const headers = Object.entries({ ...ISOLATION, 'Content-Security-Policy': POLICY });
  return new Map([
    ...(files as [string, string | Uint8Array][]),
    ['tests.json', JSON.stringify(tests)],
    // As several hosts of static pages read it.
    ['_headers', `/*\n${headers.map((pair) => `  ${pair.join(': ')}\n`).join('')}`],
  ]);
}

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
};

/** Maps and lists are JSON. */
const typeOf = (name: string): string =>
  TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/json';

/** On 127.0.0.1 and nowhere else; nothing but these files. Throws UserError for a port in use. */
export const serveLab = (files: Files, port: number): Promise<Serving> =>
  serve({
    find(path) {
      const name = path === '/' ? 'index.html' : path.slice(1);
      const body = files.get(name);
      return body === undefined ? undefined : { type: typeOf(name), body };
    },
    port,
    policy: POLICY,
    isIsolated: true,
  });
