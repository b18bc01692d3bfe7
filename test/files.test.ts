/** Places in the file system that users name. */

import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { makeFolder } from '../src/files.ts';

const folder = mkdtempSync(join(tmpdir(), 'umbra-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a folder', () => {
  test('is made with those above it, and may be there already', () => {
    const path = join(folder, 'a', 'b', 'c');
    makeFolder(path);
    makeFolder(path);
    expect(statSync(path).isDirectory()).toBe(true);
  });

  test.runIf(process.platform === 'linux')('is a mistake where there can be none', () => {
    expect(() => makeFolder('/proc/no/such')).toThrow('/proc/no cannot be made: ENOENT');
  });

  test('is a mistake where a file is, and below one', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(() => makeFolder(file)).toThrow('file cannot be made: EEXIST');
    expect(() => makeFolder(join(file, 'x'))).toThrow('file cannot be made: EEXIST');
  });
});
