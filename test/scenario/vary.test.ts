/** Varied fields of a scenario: by their path, with values as in YAML. */

import { describe, expect, test } from 'vitest';
import { checkScenario } from '../../src/scenario/parse.ts';
import { parseVaried, variationsOf } from '../../src/scenario/vary.ts';

const FILE = checkScenario(
  {
    costs: 'haswell',
    guests: [
      { program: { workload: 'cow-storm' }, vcpus: 2, memory: 16 },
      { program: { builtin: 'touch' } },
    ],
  },
  '.',
);

const varied = (...texts: readonly string[]) => variationsOf(FILE, texts.map(parseVaried));
const scenarios = (...texts: readonly string[]) =>
  varied(...texts).map(({ file }) => file.scenario);

test('every combination, the last field the fastest; the other fields stay', () => {
  const made = varied('policy=pinned,random', 'cpus=1..3');
  expect(made.map(({ levels }) => Object.values(levels).join())).toEqual([
    ...['pinned,1', 'pinned,2', 'pinned,3', 'random,1', 'random,2', 'random,3'],
  ]);
  expect(made[5]!.file.scenario).toMatchObject({ policy: 'random', cpus: 3, costs: 'haswell' });
  expect(made[5]!.file.scenario.guests).toEqual(FILE.scenario.guests);
});

test('a field of guests is that of all of them, by its name alone too; a number selects one', () => {
  const vcpus = (text: string): number[][] =>
    scenarios(text).map(({ guests }) => guests.map((guest) => guest.vcpus));
  expect(vcpus('guests.vcpus=1,4')).toEqual([
    [1, 1],
    [4, 4],
  ]);
  expect(vcpus('vcpus=1,4')).toEqual(vcpus('guests.vcpus=1,4'));
  expect(vcpus('guests[1].vcpus=3')).toEqual([[2, 3]]);
});

test('a conflicting field is removed', () => {
  const [prefault] = scenarios('paging_policy.prefault=4');
  expect(prefault!.guests.map((guest) => guest.paging_policy)).toMatchObject([
    { prefault: 4 },
    { prefault: 4 },
  ]);
  const [pages] = scenarios('guests[0].memory.pages=2048');
  expect(pages!.guests[0]!.memory).toEqual({ pages: 2048 });
  const [costs] = scenarios('costs.cycles.migration=7');
  expect(costs!.costs).toEqual({ preset: 'haswell', cycles: { migration: 7 } });
});

test('values may be maps and lists, and are shown as given', () => {
  const made = varied('slice={least: 5, most: 9},7');
  expect(made.map(({ file }) => file.scenario.slice)).toEqual([{ least: 5, most: 9 }, 7]);
  expect(made.map(({ levels }) => levels['slice'])).toEqual(['{ least: 5, most: 9 }', 7]);
  expect(scenarios('defects=[R6],none').map(({ defects }) => defects)).toEqual([['R6'], 'none']);
});

describe('refuses other fields, with a list of the possible ones', () => {
  test.each([
    ['cpu=1', /found the field 'cpu' .* expected one of cpus, .*; did you mean cpus\?/],
    ['cpus', /found --vary 'cpus', expected FIELD=VALUE/],
    ['cpus=', /found cpus= .*, expected values with commas/],
    ['cpus=[', /found cpus=\[ .*, expected values with commas/],
    ['cpus=two', /with cpus=two: cpus: found "two", expected a whole number from 1 to 510/],
    ['cpus=1,2,1', /found cpus=1 twice/],
    ['cpus=4..1', /which is 0 values, expected 1 to 64/],
    ['slice=500..5000', /which is 4501 values, .* give \{least: N, most: M\}/],
    ['policy=pined', /with policy=pined: policy: found "pined", .*did you mean pinned\?/],
    ['guests[2].vcpus=1', /found guests\[2\]\.vcpus, expected a number below 2/],
    ['guests.vcpu=1', /found an unknown field vcpu, .*did you mean vcpus\?/],
    ['vcpus=9', /with vcpus=9: guests\[0\]\.vcpus: found 9, expected a whole number from 1 to/],
    ['seed=1,2', /found seed in --vary, expected another field/],
    ['expect=done', /found the field 'expect'/],
    ['cpus..a=1', /found the field 'cpus\.\.a' in --vary, expected its path/],
  ])('%s', (text, message) => {
    expect(() => varied(text)).toThrow(message);
  });

  test('mistakes in a combination of two values', () => {
    expect(() => varied('virtualization=shadow,direct', 'vcpus=1,2')).toThrow(
      /with virtualization=direct, vcpus=2: guests\[0\]\.vcpus: found 2, expected 1/,
    );
  });

  test('refuses a field given twice, and too many settings', () => {
    expect(() => varied('cpus=1', 'cpus=2')).toThrow(/found --vary cpus twice/);
    expect(() => varied('cpus=1..60', 'slice=1..60')).toThrow(/found 3600 settings, .* 1000/);
  });
});
