/** Where an access is made, from recorded stacks. */

import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { HARDWARE, sourceLine, whereOf } from '../../src/explore/engine/source.ts';
import { COMMON } from '../../src/paging/parts.ts';
import { partText } from '../../src/report/story.ts';

const frame = (name: string, file: string, line: number): string => {
  const place = `${pathToFileURL(resolve(file)).href}:${line}:7`;
  return name === '' ? `    at ${place}` : `    at ${name} (${place})`;
};

const stackOf = (...frames: readonly string[]): string => ['Error', ...frames].join('\n');

test('the leaf and accessors are skipped, and the outermost of them is named', () => {
  const where = whereOf(
    stackOf(
      frame('ControlledWords.load', 'src/explore/engine/controlled-words.ts', 60),
      frame('Lguest.entry', 'shared/lguest.ts', 166),
      frame('releasePte', 'src/paging/entries.ts', 147),
      frame('shootDown', 'shared/discipline.ts', 80),
      frame('quiesce', 'shared/discipline.ts', 75),
      frame('doSetPte', 'src/paging/set.ts', 61),
    ),
  );
  expect(where).toMatchObject({
    part: 'iii',
    name: 'doSetPte',
    file: 'src/paging/set.ts',
    line: 61,
  });
  expect(where).toMatchObject({ through: 'quiesce', byGuest: false });
});

test('a function without a name belongs to the enclosing one', () => {
  const where = whereOf(
    stackOf(
      frame('', 'src/paging/set.ts', 57),
      frame('withPgdir', 'shared/discipline.ts', 38),
      frame('doSetPte', 'src/paging/set.ts', 56),
    ),
  );
  expect(where).toMatchObject({ name: 'doSetPte', line: 57 });
});

test('finding an entry belongs to the part that calls it', () => {
  const inPin = stackOf(
    frame('tableBelow', 'src/paging/entries.ts', 128),
    frame('pageWritable', 'src/paging/pin.ts', 45),
  );
  expect(whereOf(inPin)).toMatchObject({ part: 'ii', name: 'tableBelow' });
});

const OF_NO_PART = [...COMMON.map((file) => `${file}.ts`), 'parts.ts'];

test.each(
  readdirSync('src/paging', { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !OF_NO_PART.includes(name),
  ),
)('an access in %s has its part', (name) => {
  const { part } = whereOf(stackOf(frame('someFunction', `src/paging/${name}`, 1)));
  expect(partText(part)).toMatch(/^[iv]+ \w+$/);
});

test('a walk for the guest’s software is distinguished from one for the host', () => {
  const walk = frame('walkTwoLevels', 'src/mmu/walk.ts', 53);
  const guest = frame('LitmusSoftware.#access', 'src/explore/litmus/software.ts', 176);
  const host = frame('enterGuest', 'src/host/switcher.ts', 77);
  expect(whereOf(stackOf(walk, guest))).toMatchObject({ part: 'mmu', byGuest: true });
  expect(whereOf(stackOf(walk, host))).toMatchObject({ part: 'mmu', byGuest: false });
});

test('a step without code of ours belongs to hardware', () => {
  expect(whereOf(stackOf('    at node:internal/main/run_main_module:33:47'))).toBe(HARDWARE);
  expect(whereOf(stackOf(frame('drain', 'src/explore/engine/controller.ts', 238)))).toBe(HARDWARE);
  expect(sourceLine(HARDWARE)).toBe('');
});
