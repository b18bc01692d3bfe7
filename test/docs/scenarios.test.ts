/** That docs/scenarios.md says what is so. TELL=1 writes its table of fields anew. */

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseScenario } from '../../src/scenario/parse.ts';
import { scenarioJsonSchema } from '../../src/scenario/schema.ts';

const FILE = 'docs/scenarios.md';
const text = readFileSync(FILE, 'utf8');

interface Field {
  readonly description?: string;
  readonly default?: unknown;
  readonly type?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly unknown[];
  readonly items?: Field;
  readonly anyOf?: readonly Field[];
  readonly properties?: Readonly<Record<string, Field>>;
}

const count = (n: number): string => n.toLocaleString('en-US').replaceAll(',', ' ');

/** What may stand there, in short; more than a few names are left to the schema. */
function kind(field: Field): string {
  if (field.anyOf) return [...new Set(field.anyOf.map(kind))].join(', or ');
  if (field.enum) {
    const names = field.enum.map((name) => `\`${name}\``);
    return names.length > 6 ? 'a name' : names.join(' ');
  }
  if (field.type === 'array') return `a list: ${kind(field.items!)}`;
  if (field.type === 'object') return `{${Object.keys(field.properties!).slice(0, 4).join(', ')}}`;
  if (field.type === 'integer') return `${count(field.minimum!)} – ${count(field.maximum!)}`;
  return field.type === 'boolean' ? 'true or false' : 'text';
}

const value = (given: unknown): string => {
  if (given === undefined) return '';
  return `\`${typeof given === 'string' ? given : JSON.stringify(given).replaceAll('"', '')}\``;
};

const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const rows = ({ properties }: Field, within = ''): string[] =>
  Object.entries(properties!).map(([name, field]) =>
    row(`\`${within}${name}\``, kind(field), value(field.default), field.description ?? ''),
  );

function table(): string {
  const schema = scenarioJsonSchema() as Field;
  const { guests } = schema.properties as { guests: Field };
  return [
    row('field', 'what may stand there', 'by default', 'what it means'),
    '|---|---|---|---|',
    ...rows(schema),
    ...rows(guests.items!, 'guests: '),
  ].join('\n');
}

test('its table has all fields', () => {
  const block = `<!-- fields -->\n\n${table()}\n\n<!-- end -->`;
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

test('its examples are scenarios, but for the one with mistakes, which are told as it says', () => {
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
