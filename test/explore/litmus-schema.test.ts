/** The published schema of litmus tests, for editors. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { shippedTests } from '../../src/explore/litmus/find-files.ts';
import { litmusJsonSchema } from '../../src/explore/litmus/schema.ts';
import { umbra } from '../commands/umbra.ts';
import { fieldsOf } from '../docs/fields.ts';

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
  const fields = fieldsOf(litmusJsonSchema());
  expect(fields.length).toBeGreaterThan(20);
  expect(fields.filter(({ description }) => !description)).toEqual([]);
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
