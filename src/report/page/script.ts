/** Scripts that pages carry along: ours, from source or built, with all that they import. */

import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { extname } from 'node:path';

const ENDING = extname(import.meta.url);

/**
 * One script of a file and those that it imports, each after what it imports. `path`: from
 * src/report/, without its ending. All are in one scope: no two may declare the same name.
 */
export function carriedScript(path: string): string {
  const parts = new Map<string, string>();
  const add = (url: URL): void => {
    if (parts.has(url.href)) return;
    parts.set(url.href, '');
    const script = plainSource(url);
    for (const [, from] of script.matchAll(IMPORT)) add(new URL(from!, url));
    // Reinserted, so that it comes after its imports.
    parts.delete(url.href);
    parts.set(url.href, script.replaceAll(IMPORT, ''));
  };
  add(new URL(`../${path}${ENDING}`, import.meta.url));
  return [...parts.values()].join('\n');
}

const IMPORT = /^import\b[^;]*?'([^']+)';$/gm;

/** Without types, and so without imports of types. */
function plainSource(url: URL): string {
  const source = readFileSync(url, 'utf8');
  const script = ENDING === '.ts' ? stripped(source) : source;
  return script.replace(/^\/\/# sourceMappingURL.*$/gm, '');
}

/** Node says of it that it is experimental; that is for us to know. */
function stripped(source: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}
