/**
 * A browser for the tests of pages: the one CHROMIUM names, the system's, or the one `npm ci`
 * installs, unpacked at first use. For Firefox see firefox.ts.
 */

import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import type { AxeResults } from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';

const { resolve } = createRequire(import.meta.url);

const ARGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
];

const SYSTEMS = '/usr/bin/chromium';
const installed = process.env['CHROMIUM'] ?? (existsSync(SYSTEMS) ? SYSTEMS : undefined);

/** LIMIT: the package runs on Linux on x64 only. */
const isPackaged = process.platform === 'linux' && process.arch === 'x64';

/** Without a browser, tests of pages are skipped, with a message. */
export const hasBrowser = installed !== undefined || isPackaged;
if (!hasBrowser) console.warn('there is no Chromium: tests of pages are skipped');

/** The caller closes it. `more`: further arguments. */
export function launchBrowser(more: readonly string[] = []): Promise<Browser> {
  const args = [...ARGS, ...more];
  if (installed !== undefined) return chromium.launch({ executablePath: installed, args });
  const folder = unpacked();
  // Libraries and a font that a minimal system lacks.
  const fonts = existsSync('/etc/fonts/fonts.conf') ? {} : { FONTCONFIG_PATH: folder };
  const env = { ...process.env, LD_LIBRARY_PATH: join(folder, 'lib'), ...fonts };
  return chromium.launch({ executablePath: join(folder, 'chromium'), args, env });
}

/** The path of the unpacked package; several test files may unpack it at once. */
function unpacked(): string {
  const home = fileURLToPath(new URL('../..', import.meta.resolve('@sparticuz/chromium')));
  const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  const cache = join(import.meta.dirname, '../node_modules/.cache');
  const folder = join(cache, `chromium-${version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const own = mkdtempSync(`${folder}-`);
  for (const name of readdirSync(join(home, 'bin'))) {
    const plain = brotliDecompressSync(readFileSync(join(home, 'bin', name)));
    if (name.endsWith('.tar.br')) execFileSync('tar', ['-x', '-C', own], { input: plain });
    else writeFileSync(join(own, name.replace(/\.br$/, '')), plain, { mode: 0o755 });
  }
  const fonts = readFileSync(join(own, 'fonts.conf'), 'utf8');
  writeFileSync(join(own, 'fonts.conf'), fonts.replaceAll('>/tmp/', `>${folder}/`));
  try {
    renameSync(own, folder);
  } catch {
    // Another test file has unpacked it first.
    rmSync(own, { recursive: true });
  }
  return folder;
}

const AXE = readFileSync(resolve('axe-core/axe.min.js'), 'utf8');

/** Violations of accessibility rules in a page, by axe-core, which describes nothing else. */
export async function hardToUse(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const violations = (await page.evaluate(
    "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)",
  )) as AxeResults['violations'];
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0]!.html.slice(0, 200)}`);
}
