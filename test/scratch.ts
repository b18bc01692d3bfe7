/** A fresh folder for the tests of a file, or of the `describe` that calls this; removed after them. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

export function scratch(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `umbra-${name}-`));
  afterAll(() => rmSync(folder, { recursive: true }));
  return folder;
}
