/** docs/litmus.md agrees with the code. TELL=1 rewrites its table of fields. */

import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readCondition } from '../../src/explore/litmus/conditions.ts';
import { parseLitmus } from '../../src/explore/litmus/litmus.ts';
import { readOperation } from '../../src/explore/litmus/operations.ts';
import { litmusJsonSchema } from '../../src/explore/litmus/schema.ts';
import { type Names, readText, TextMistake } from '../../src/explore/litmus/tokens.ts';
import { fieldsTable } from './fields.ts';

const text = readFileSync('docs/litmus.md', 'utf8');

/** First cells of the table under a heading, one for each alternative. */
const cells = (heading: string): string[] =>
  text
    .split(`## ${heading}`)[1]!
    .split('\n##')[0]!
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...line.split(' | ')[0]!.matchAll(/`([^`]+)`/g)].map(([, cell]) => cell!));

const names: Names = { tables: ['A'], vcpus: 2, hostCpus: 2, pages: 64, paging: ['pae'] };

test('its table has all fields', () => {
  const table = fieldsTable(litmusJsonSchema(), ['guest', 'vcpus', 'outcomes']);
  const block = `<!-- fields -->\n\n${table}\n\n<!-- end -->`;
  if (process.env['TELL']) {
    const told = text.replace(/<!-- fields -->[\s\S]*<!-- end -->/, () => block);
    writeFileSync('docs/litmus.md', told);
    return;
  }
  expect(text).toContain(block);
});

test('its example is a litmus test', () => {
  const [, yaml] = /```yaml\n([\s\S]*?)```/.exec(text)!;
  expect(parseLitmus(yaml!, 'docs/litmus.md')).toMatchObject({ cpus: 2, paging: ['nonpae'] });
});

describe('its operations parse', () => {
  const filledIn = (cell: string): string =>
    cell
      .replace('[-> rN]', '-> r0')
      .replaceAll('VA\\|own', 'own')
      .replace(/\bVA\b/, '0x00400000')
      .replace('ENTRY', 'page 0x20 rw user')
      .replace('UPPER', 'none')
      .replace('VALUE', '7')
      .replace('PAGES', '1')
      .replace('PAGE', '0x20')
      .replace(/ N$/, ' 1');

  test.each(cells('Operations').map(filledIn))('%s', (operation) => {
    expect(readText(operation, names, readOperation)).not.toBeInstanceOf(TextMistake);
  });
});

describe('its conditions parse', () => {
  test.each(cells('Conditions'))('%s', (condition) => {
    expect(readText(condition, names, readCondition)).not.toBeInstanceOf(TextMistake);
  });
});
