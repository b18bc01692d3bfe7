/** docs/scenarios.md agrees with the code. TELL=1 rewrites its table of fields. */

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseScenario } from '../../src/scenario/parse.ts';
import { scenarioJsonSchema } from '../../src/scenario/schema.ts';
import { fieldsTable } from './fields.ts';

const FILE = 'docs/scenarios.md';
const text = readFileSync(FILE, 'utf8');

test('its table has all fields', () => {
  const block = `<!-- fields -->\n\n${fieldsTable(scenarioJsonSchema(), ['guests'])}\n\n<!-- end -->`;
  if (process.env['TELL']) {
    writeFileSync(
      FILE,
      text.replace(/<!-- fields -->[\s\S]*<!-- end -->/, () => block),
    );
    return;
  }
  expect(text).toContain(block);
});

const examples = Array.from(text.matchAll(/```yaml\n([\s\S]*?)```/g), ([, yaml]) => yaml!);

test('its examples are valid scenarios, but for the one with mistakes, which are reported as it says', () => {
  const told = examples.flatMap((yaml) => {
    try {
      parseScenario(yaml, 'mistaken.yaml');
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  });
  expect(examples).toHaveLength(5);
  expect(told).toHaveLength(1);
  const shown = /^umbra: mistaken[\s\S]*?(?=^```)/m.exec(text)![0];
  expect(
    shown
      .replaceAll(/^umbra: /gm, '')
      .replaceAll(/\n {2}/g, ' ')
      .trim(),
  ).toBe(told[0]);
});
