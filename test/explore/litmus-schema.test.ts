/** The published schema of litmus tests, for editors. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { shippedTests } from '../../src/explore/litmus/find-files.ts';
import { litmusJsonSchema } from '../../src/explore/litmus/schema.ts';
import { umbra } from '../commands/umbra.ts';

const published = JSON.parse(readFileSync('litmus/schema.json', 'utf8'));
const validator = z.fromJSONSchema(published);

test("equals the code's", () => {
  // To update: npm run -s umbra -- litmus --schema > litmus/schema.json && npm run format
  expect(published).toEqual(JSON.parse(JSON.stringify(litmusJsonSchema())));
});

test('equals the output of umbra litmus --schema', async () => {
  const { code, stdout } = await umbra('litmus', '--schema');
  expect(JSON.parse(stdout)).toEqual(published);
  expect(code).toBe(0);
});

test('describes every field', () => {
  const silent: string[] = [];
  const look = (schema: ReturnType<typeof litmusJsonSchema>, path: string): void => {
    for (const [key, field] of Object.entries(schema.properties ?? {})) {
      if (!field.description) silent.push(`${path}.${key}`);
      look(field, `${path}.${key}`);
    }
    for (const one of [...(schema.anyOf ?? []), ...(schema.items ? [schema.items] : [])]) {
      look(one, path);
    }
  };
  look(litmusJsonSchema(), '');
  expect(silent).toEqual([]);
});

describe('a validator', () => {
  test.each(shippedTests())('accepts $name', ({ path }) => {
    const { success, error } = validator.safeParse(parse(readFileSync(path, 'utf8')));
    expect(error).toBeUndefined();
    expect(success).toBe(true);
  });

  const good = parse(readFileSync(shippedTests()[0]!.path, 'utf8'));
  test.each([
    ['an unknown field', { ...good, vcpu: [] }],
    ['an unknown name', { ...good, paging: ['long'] }],
    ['too many vCPUs', { ...good, vcpus: Array.from({ length: 5 }, () => good.vcpus[0]) }],
    ['no outcome', { ...good, outcomes: [] }],
  ])('refuses %s', (_, value) => {
    expect(validator.safeParse(value).success).toBe(false);
  });
});
