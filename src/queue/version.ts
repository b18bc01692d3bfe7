/**
 * What tells one version of umbra from another: its code, whether released, in a clone or changed
 * there.
 */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A digest of all files that may run, a dozen hexadecimal digits. */
export function codeVersion(): string {
  const root = dirname(findPackageJSON(import.meta.url)!);
  const own = fileURLToPath(import.meta.url);
  // Built, all of it is in dist.
  const from = relative(root, own).split(/[/\\]/)[0] === 'src' ? root : join(root, 'dist');
  const hash = createHash('sha256');
  for (const folder of ['shared', 'src', 'workers']) {
    const names = readdirSync(join(from, folder), { recursive: true, encoding: 'utf8' });
    for (const name of names.filter((one) => extname(one) === extname(own)).sort()) {
      hash.update(`${name}\n`).update(readFileSync(join(from, folder, name)));
    }
  }
  return hash.digest('hex').slice(0, 12);
}
