/** Paths that users give. */

import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeFolder } from '../src/files.ts';
import { scratch } from './scratch.ts';

const folder = scratch('files');

describe('a folder', () => {
  test('is made with its parents, and may exist', () => {
    const path = join(folder, 'a', 'b', 'c');
    makeFolder(path);
    makeFolder(path);
    expect(statSync(path).isDirectory()).toBe(true);
  });

  test.runIf(process.platform === 'linux')('is an error where it cannot be made', () => {
    expect(() => makeFolder('/proc/no/such')).toThrow('/proc/no cannot be made: ENOENT');
  });

  test('is an error at a file, and below one', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(() => makeFolder(file)).toThrow('file cannot be made: EEXIST');
    expect(() => makeFolder(join(file, 'x'))).toThrow('file cannot be made: EEXIST');
  });
});
