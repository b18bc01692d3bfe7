/**
 * Tests that cannot fail do fail: tests without an assertion, and files with one that never runs.
 * So do unit tests that start a process or a thread.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { scratch } from './scratch.ts';

const folder = scratch('tests');

/** `EXPECT` becomes `expect` in the file written: here it would count as this file's own. */
const FILES = {
  'sound.test.ts': `test('asserts', () => {
    const one: number = 1;
    // EXPECT(one) is a comment
    EXPECT(one).toBe(1);
  });`,
  'idle.test.ts': `test('has an expect that never runs', () => {
    for (const n of [] as number[]) EXPECT(n).toBe(1);
    EXPECT([]).toEqual([]);
  });`,
  'empty.test.ts': `test('asserts nothing', () => {});`,
  'process.test.ts': `import { spawnSync } from 'node:child_process';
  test('starts a process', () => EXPECT(spawnSync('true').status).toBe(0));`,
  'thread.test.ts': `import { Worker } from 'node:worker_threads';
  test('starts a thread', () => EXPECT(new Worker('', { eval: true })).toBeDefined());`,
};

test('fails tests without an assertion, expects that never run, and unit tests that start something', () => {
  mkdirSync(join(folder, 'test'));
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  for (const [name, text] of Object.entries(FILES)) {
    const code = `import { expect, test } from 'vitest';\n${text.replaceAll('EXPECT', 'expect')}\n`;
    writeFileSync(join(folder, 'test', name), code);
  }
  const args = ['run', '--root', folder, '--config', resolve('vitest.config.ts')];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', ...args],
    { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } },
  );
  expect(status).toBe(1);
  expect(stdout).toMatch(/✓ .*test\/sound\.test\.ts/);
  expect(stderr).toMatch(
    /FAIL +.*test\/empty\.test\.ts > asserts nothing\nError: expected any number of/,
  );
  expect(stderr).toMatch(
    /FAIL +.*test\/idle\.test\.ts .*\nError: never ran: the expect in line 3\n/,
  );
  for (const what of ['process', 'thread']) {
    const failed = `FAIL .*test/${what}\\.test\\.ts .*\\nError: a unit test starts a ${what}: name its file`;
    expect(stderr).toMatch(new RegExp(failed));
  }
  expect(stderr.match(/FAIL/g)).toHaveLength(4);
});
