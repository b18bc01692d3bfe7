/** The estimate of the number of behaviours of a test, for known numbers. */

import { describe, expect, test } from 'vitest';
import { estimate, leastOf } from '../../../src/explore/verify/estimate.ts';
import { abridgedSubject } from '../litmus-rig.ts';

test.each([
  ['R4-both-allocate-the-table', 'guest-lock', 16],
  ['R1-two-faults-one-entry', 'guest-lock', 68],
] as const)('is exact with fewer behaviours than runs: %s, %s: %i', (name, of, all) => {
  expect(estimate(abridgedSubject(name, of), 300)).toBe(all);
});

describe('with more behaviours than runs', () => {
  const subject = abridgedSubject('store-buffering', 'lock-free');
  const estimated = estimate(subject, 150);

  test('is close', () => {
    expect(leastOf(estimated)).toBeLessThan(7332);
    expect(15 * estimated).toBeGreaterThan(7332);
    expect(estimated).not.toBe(7332);
  });

  test('is the same each time', () => {
    expect(estimate(subject, 150)).toBe(estimated);
  });
});
