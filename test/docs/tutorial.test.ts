/** The commands of docs/tutorial.md, one after the other, come to what it says. */

import { readFileSync, rmSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { umbra } from '../commands/umbra.ts';

afterAll(() => rmSync('tutorial.pftrace', { force: true }));

const text = readFileSync('docs/tutorial.md', 'utf8');
const commands = Array.from(
  text.matchAll(/^npm run -s umbra -- (.*)$/gm),
  ([, command]) => command!,
);

/** What stands for them there, as they are found. */
const tokens = { FIRST: '', SECOND: '' };

/** What each comes to, by its beginning. */
const COMES_TO: Readonly<Record<string, { readonly code: number; readonly says: RegExp }>> = {
  'start scenarios/traces/ls.umbra --cpus 2 --policy pinned': { code: 0, says: /migrations +0 / },
  'start scenarios/traces/ls.umbra --cpus 2 --policy ping-pong': {
    code: 0,
    says: /migrations +[1-9]/,
  },
  'start --cpus 2 --trace tutorial.pftrace': { code: 0, says: /none lost/ },
  'run as-written-two-vcpus': { code: 0, says: /As expected: the host died\./ },
  'explore litmus/1-fault/R2-cleared-entry-comes-back.yaml --defects': {
    code: 1,
    says: /it passes when CPU 0 is left one access later/,
  },
  'replay FIRST': { code: 1, says: /none -> page 0x20 rw user accessed/ },
  'inspect FIRST': { code: 0, says: /\+ +0x00400000 → page 0x20, PRESENT RW USER ACCESSED/ },
  'explore litmus/1-fault/R2-cleared-entry-comes-back.yaml --discipline': {
    code: 0,
    says: /nothing wrong/,
  },
};

test.each(commands)('umbra %s', (command) => {
  const expected = Object.entries(COMES_TO).find(([begin]) => command.startsWith(begin));
  expect(expected, 'what it comes to is known').toBeDefined();
  const words = command
    .split(' ')
    .map((word) => (word in tokens ? tokens[word as keyof typeof tokens] : word));
  const { code, stdout } = umbra(...words);
  const { code: wanted, says } = expected![1];
  expect(stdout.replaceAll(/\n {2,}/g, ' ')).toMatch(says);
  expect(code).toBe(wanted);
  const found = Array.from(stdout.matchAll(/umbra replay (umbra\d+\.\S+)/g), ([, token]) => token!);
  if (wanted === 1 && command.startsWith('explore')) {
    [tokens.FIRST, tokens.SECOND] = found.slice(-2) as [string, string];
  }
});

test('the steps of the story are those that the tutorial names', () => {
  const { stdout } = umbra('replay', tokens.FIRST, '--story', '--against', tokens.SECOND);
  const [, from, to] = /--step (\d+) --diff (\d+)/.exec(text)!;
  expect(stdout).toMatch(new RegExp(`^It breaks at step ${to}, `, 'm'));
  expect(stdout).toMatch(new RegExp(`^To blame: step ${from}, `, 'm'));
});
