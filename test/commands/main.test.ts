import { expect, test } from 'vitest';
import { umbraProcess } from './umbra.ts';

test('--help exits with 0', () => {
  const { code, stdout, stderr } = umbraProcess('--help');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Usage: umbra /);
  expect(stderr).toBe('');
});

test('without a command prints the help and exits with an error', () => {
  const { code, stdout, stderr } = umbraProcess();
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^Usage: umbra /);
});

test('a mistyped command or option is an error with a suggestion', () => {
  for (const args of [['conformanse'], ['conformance', '--jason', 'x', 'y']]) {
    const { code, stderr } = umbraProcess(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^umbra: unknown (command|option) .*\n\(Did you mean .*\?\)/);
  }
});
