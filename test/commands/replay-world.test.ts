/** `umbra replay --world`: schedules of worlds whose code is the user's. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { explore, type World } from '../../src/index.ts';
import { umbra } from './umbra.ts';

const folder = mkdtempSync(join(tmpdir(), 'umbra-world-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** It takes nothing of the library but what it is given. */
const CODE = `
export const counter = {
  name: 'counter',
  make(shared) {
    const count = shared.word('count');
    const add = function* () { yield count.store((yield count.load()) + 1); };
    const atEnd = () => { if (count.value !== 2) throw new Error('counted to ' + count.value); };
    return { threads: { a: add, b: add }, atEnd };
  },
};
export const nothing = 'nothing';
`;

const written = (name: string, code: string): string => {
  const path = join(folder, name);
  writeFileSync(path, code);
  return path;
};

const file = written('counter.mjs', CODE);
const { counter } = (await import(file)) as { counter: World };
const { failure } = await explore(counter);
const { token, story } = failure!;
const spaced = (text: string): string => text.replace(/\s+/g, ' ');

test('does it again, and tells it', async () => {
  const { code, stdout, stderr } = await umbra('replay', token, '--world', file, '--story');
  expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
  expect(stdout).toBe(`world counter: 4 steps\nviolation: counted to 1\n\n${story.join('\n')}\n`);
  const { stdout: json } = await umbra('replay', token, '--world', file, '--json', '-');
  expect(JSON.parse(json)).toEqual({
    ...{ schema_version: 1, token, world: 'counter', ending: 'violation' },
    ...{ message: 'counted to 1', steps: 4 },
  });
});

test.each([
  [
    'without its module',
    [token],
    /a schedule of the world counter, whose code is yours: umbra replay --world FILE/,
  ],
  [
    'of another module',
    [token, '--world', written('other.mjs', CODE.replaceAll("'counter'", "'other'"))],
    /found the exported worlds other, expected one called counter/,
  ],
  [
    'of a module without any',
    [token, '--world', written('none.mjs', 'export {};')],
    /found no exported world, expected one called counter/,
  ],
  [
    'of one that cannot be loaded',
    [token, '--world', written('broken.mjs', 'export {')],
    /broken\.mjs cannot be loaded as a module: Unexpected/,
  ],
  [
    'of one that is not there',
    [token, '--world', join(folder, 'x.mjs')],
    /x\.mjs cannot be loaded as a module: Cannot find/,
  ],
  [
    'that does otherwise',
    [
      token,
      '--world',
      written('atomic.mjs', CODE.replace('count.store((yield count.load()) + 1)', 'count.add(1)')),
    ],
    /the run goes another way/,
  ],
  [
    'that is no world’s',
    ['umbra5.x', '--world', file],
    /expected one that begins with umbraworld1/,
  ],
  ['that is not given', ['--world', file], /--world is about a token/],
  [
    'to be told as a page',
    [token, '--world', file, '--html', 'x.html'],
    /--world.*cannot be used with/,
  ],
])('a token %s is refused', async (_, args, words) => {
  const { code, stdout, stderr } = await umbra('replay', ...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(spaced(stderr)).toMatch(words);
});
