/** `umbra replay --world`: schedules of worlds whose code is the user's. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { explore, type World } from '../../src/index.ts';
import { scratch } from '../scratch.ts';
import { spaced, umbra } from './umbra.ts';

const folder = scratch('world');

/** It imports nothing of the library. */
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

test('replays it, and explains it', async () => {
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
    'with a module of another world',
    [token, '--world', written('other.mjs', CODE.replaceAll("'counter'", "'other'"))],
    /found the exported worlds other, expected one called counter/,
  ],
  [
    'with a module without a world',
    [token, '--world', written('none.mjs', 'export {};')],
    /found no exported world, expected one called counter/,
  ],
  [
    'with a module that cannot be loaded',
    [token, '--world', written('broken.mjs', 'export {')],
    /broken\.mjs cannot be loaded as a module: Unexpected/,
  ],
  [
    'with a missing module',
    [token, '--world', join(folder, 'x.mjs')],
    /x\.mjs cannot be loaded as a module: Cannot find/,
  ],
  [
    'of a world with other steps',
    [
      token,
      '--world',
      written('atomic.mjs', CODE.replace('count.store((yield count.load()) + 1)', 'count.add(1)')),
    ],
    /the run diverges/,
  ],
  ['of a litmus test', ['umbra5.x', '--world', file], /expected one that begins with umbraworld1/],
  ['that is missing', ['--world', file], /--world is about a token/],
  ['with --html', [token, '--world', file, '--html', 'x.html'], /--world.*cannot be used with/],
])('refuses a token %s', async (_, args, words) => {
  const { code, stdout, stderr } = await umbra('replay', ...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(spaced(stderr)).toMatch(words);
});
