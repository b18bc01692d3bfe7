/** Scenario files: the machines they describe, and messages with line and column for mistakes. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findScenario, pathOf, scenarioNames } from '../../src/scenario/find.ts';
import { parseScenario, readScenario } from '../../src/scenario/parse.ts';
import { WORKLOADS } from '../../src/scenario/programs.ts';
import { scenarioJsonSchema } from '../../src/scenario/schema.ts';
import { expectationOf, specOf } from '../../src/scenario/spec.ts';
import { closest } from '../../src/yaml/closest.ts';
import { complaintOf } from '../complaint.ts';
import { fieldsOf } from '../docs/fields.ts';

const FILE = 'scenarios/some.yaml';

/** The messages for a file of these lines, without its path. */
function complaints(...lines: readonly string[]): string[] {
  const said = complaintOf(() => parseScenario(lines.join('\n'), FILE));
  return said.split('\n').map((line) => line.replace(`${FILE}:`, ''));
}

const GUESTS = ['guests:', '  - program: {builtin: fork}'] as const;

const BAD: readonly (readonly [readonly string[], string])[] = [
  [['cpus: two', ...GUESTS], '1:7: found "two", expected a whole number from 1 to 510'],
  [['cpus: 2.5', ...GUESTS], '1:7: found 2.5, expected a whole number from 1 to 510'],
  [['cpus: 0', ...GUESTS], '1:7: found 0, expected a whole number from 1 to 510'],
  [
    ['', 'polcy: random', ...GUESTS],
    '2:1: found an unknown field polcy, expected one of name, description, cpus, policy, slice, ' +
      'seed, discipline, defects, host_memory, hotplug, fail_allocation_after, costs, guests, expect; ' +
      'did you mean policy?',
  ],
  [
    ['policy: stiky', ...GUESTS],
    '1:9: found "stiky", expected pinned, round-robin, random, sticky, work-stealing, ' +
      'ping-pong, or replay:FILE; did you mean sticky?',
  ],
  [
    ['slice: {least: 9, most: 5}', ...GUESTS],
    '1:16: found 9, expected no more than most, which is 5',
  ],
  [
    ['slice: often', ...GUESTS],
    '1:8: found "often", expected a whole number from 1 to 1000000000, or a map with least and most',
  ],
  [
    ['slice: {least: 9}', ...GUESTS],
    '1:8: found no most, expected most: a whole number from 1 to 1000000000',
  ],
  [
    ['defects: [U1, R99]', ...GUESTS],
    '1:15: found "R99", expected U1, U2, U3 … D5; did you mean R9?',
  ],
  [
    ['costs: vax', ...GUESTS],
    '1:8: found "vax", expected pentium4, core2, haswell, or a map with preset and cycles',
  ],
  [
    ['costs: {cycles: {lock: often}}', ...GUESTS],
    '1:24: found "often", expected a whole number from 0 to 1000000000',
  ],
  [['guests: []'], '1:9: found an empty list, expected a list of length 1 to 64'],
  [['cpus: 2'], '1:1: found no guests, expected guests: a list of length 1 to 64'],
  [[''], '1:1: found nothing, expected a map with guests'],
  [
    ['guests:', '  - vcpus: 2'],
    '2:5: found no program, expected program: a map with workload, or a map with trace, or a map ' +
      'with builtin',
  ],
  [
    ['guests:', '  - program: {workload: swram}'],
    `2:25: found "swram", expected ${WORKLOADS.slice(0, 3).join(', ')} … swarm; did you mean swarm?`,
  ],
  [
    ['guests:', '  - program: {builtin: fork, trace: x}'],
    '2:14: found a map with builtin and trace, expected one of workload, trace, builtin in it',
  ],
  [
    ['guests:', '  - program: {worklod: swarm}'],
    '2:15: found an unknown field worklod, expected one of workload, seed, size, threads, trace, ' +
      'builtin; did you mean workload?',
  ],
  [
    ['guests:', '  - program: {builtin: fork, seed: 2}'],
    '2:30: found an unknown field seed, expected one of builtin',
  ],
  [
    ['guests:', '  - {program: {builtin: fork}, vcpus: 9}'],
    '2:39: found 9, expected a whole number from 1 to 8',
  ],
  [
    [...GUESTS, '    nx: true'],
    '3:9: found true, expected false: nonpae has no bit for it (paging: pae has)',
  ],
  [
    [...GUESTS, '    virtualization: direct', '    vcpus: 2'],
    '4:12: found 2, expected 1: with direct paging a guest has one vCPU',
  ],
  [
    [...GUESTS, '    virtualization: nested', '    paging_policy: {eviction: lru}'],
    '4:20: found a policy of shadow paging, expected none: this guest is virtualized by nested paging',
  ],
  [
    [...GUESTS, '    memory: {pages: 12}'],
    '3:21: found 12, expected a whole number from 128 to 1048576',
  ],
  [
    [...GUESTS, '    memory: 1021'],
    '3:13: found 261376 pages (1021 MiB), expected at most 261120 pages (1020 MiB), above which ' +
      'the Switcher is',
  ],
  [
    [...GUESTS, '    kernel_threads: [{work: windows, rounds: 1}]', '    memory: {pages: 260097}'],
    '4:13: found 260097 pages (1016.00390625 MiB), expected at most 260096 pages (1016 MiB), above ' +
      'which the windows of kernel threads and the Switcher are',
  ],
  [
    [...GUESTS, 'hotplug:', '  - {cpu: 2, after: 1}'],
    '4:11: found hotplug of CPU 2, expected another plan: there is no host CPU 2 to take offline, ' +
      'they are 0 to 1',
  ],
  [
    [...GUESTS, 'hotplug: [{cpu: 0, after: 5}, {cpu: 1, after: 6}]'],
    '3:37: found hotplug of CPU 1, expected another plan: no host CPU is left online once 6 time ' +
      'slices have begun',
  ],
  [
    [...GUESTS, 'expect: {ending: dies}'],
    '3:18: found "dies", expected done, killed, oops, violated, or a list (not empty) of done, ' +
      'killed, oops, violated',
  ],
];

describe('a mistake is reported with its place, what was found, and what was expected', () => {
  test.each(BAD)('%j', (lines, expected) => {
    expect(complaints(...lines)).toEqual([expected]);
  });

  test.each<[readonly string[], RegExp]>([
    [['guests: [', 'cpus: 2'], /^\d:\d+: found text that is not YAML \(.*\), expected a scenario$/],
    [
      [...GUESTS, 'cpus: 2', 'cpus: 3'],
      /^4:1: found text that is not YAML \(Map keys must be unique\)/,
    ],
    [
      ['guests:', '  - program: {trace: nowhere.umbra}'],
      /^2:22: found "nowhere.umbra", expected a trace file: .*scenarios.nowhere.umbra cannot/,
    ],
    [[...GUESTS, 'expect: {ending: done, reason: "("}'], /^3:32: found "\(", .*regular expression/],
    [
      ['cpus: 300', 'discipline: guest-lock', ...GUESTS, '    paging: pae'],
      /^1:7: found 300 host CPUs, expected a machine that fits: .*1 to 255/,
    ],
  ])('%j', (lines, words) => {
    expect(complaints(...lines)[0]).toMatch(words);
  });

  test('a text that is far too long is not parsed', () => {
    const lines = Array.from({ length: 80_000 }, () => 'guests: many of them');
    expect(complaints(...lines)[0]).toBe(
      '1:1: found 1.6 MiB of text, expected a scenario, of at most 1 MiB',
    );
  });

  test('all of them at once, in the order of the file, those of several fields too', () => {
    const said = complaints(
      ...['slice: {least: 9, most: 5}', 'policy: no', 'guests:', '  - program: {builtin: frok}'],
      ...['  - program: {trace: nowhere.umbra}', 'seed: -1'],
    );
    expect(said.map((line) => line.split(' ')[0])).toEqual([
      '1:16:',
      '2:9:',
      '4:24:',
      '5:22:',
      '6:7:',
    ]);
  });
});

test('a file describes a machine, and the command line overrides it', () => {
  const file = parseScenario(
    `
cpus: 3
slice: 50
hotplug: [{cpu: 2, after: 7, for: 9}]
host_memory: {frames: 9000}
fail_allocation_after: 70
guests:
  - {count: 2, program: {workload: cow-storm, size: 4}, paging: pae, memory: 8, vcpus: 2}
  - {name: small, program: {trace: traces/wc.umbra}, memory: {pages: 500}, pgdirs: 2}
expect: {ending: [killed, oops], reason: memory}
`,
    FILE,
  );
  const virtualization = 'shadow';
  const cow = { pages: 2048, paging: 'pae', vcpus: 2, pgdirs: 4, virtualization };
  const program = { kind: 'workload', name: 'cow-storm', seed: 1, size: 4 };
  expect(specOf(file, {})).toEqual({
    hostCpus: 3,
    policy: 'random',
    quantum: { least: 50, most: 50 },
    seed: 1,
    discipline: 'as-written',
    hotplug: [{ cpu: 2, after: 7, for: 9 }],
    frames: 9000,
    failAllocationAfter: 70,
    guests: [
      { name: 'cow-storm-1', program, ...cow },
      { name: 'cow-storm-2', program, ...cow },
      {
        name: 'small',
        program: { kind: 'trace', path: join(process.cwd(), 'scenarios/traces/wc.umbra') },
        pages: 500,
        paging: 'nonpae',
        vcpus: 1,
        pgdirs: 2,
        virtualization,
      },
    ],
  });
  const overrides = { cpus: 4, seed: 9, policy: 'sticky', paging: 'nonpae' } as const;
  expect(specOf(file, overrides)).toMatchObject({
    hostCpus: 4,
    seed: 9,
    policy: 'sticky',
    guests: [{ paging: 'nonpae' }, { paging: 'nonpae' }, { paging: 'nonpae' }],
  });
  expect(specOf(file, { discipline: 'guest-lock', defects: ['R9'] })).toMatchObject({
    discipline: 'guest-lock',
    defects: ['R9'],
  });
  expect(expectationOf(file, overrides)).toEqual({ endings: ['killed', 'oops'], reason: /memory/ });
  expect(expectationOf(file, { defects: [] })).toBeUndefined();
});

describe('the scenarios that come with umbra', () => {
  const names = scenarioNames();

  test('exist for every workload', () => {
    expect(names).toEqual(expect.arrayContaining([...WORKLOADS, 'parallel-pigz', 'out-of-memory']));
  });

  test.each(names)('%s is valid, has a description, and names the schema', (name) => {
    expect(readScenario(pathOf(name)).scenario.description).toMatch(/\w/);
    const [first] = readFileSync(pathOf(name), 'utf8').split('\n');
    expect(first).toBe('# yaml-language-server: $schema=schema.json');
  });

  test('are found by name, and a mistyped name gets a suggestion', () => {
    expect(findScenario('swarm')).toBe(pathOf('swarm'));
    expect(findScenario('./swarm.yaml')).toBe('./swarm.yaml');
    expect(() => findScenario('swram')).toThrow(/no scenario 'swram'; did you mean swarm\?/);
  });
});

test("the published schema equals the code's", () => {
  // To update: npm run -s umbra -- run --schema > scenarios/schema.json && npm run format
  const published = JSON.parse(readFileSync('scenarios/schema.json', 'utf8'));
  expect(published).toEqual(JSON.parse(JSON.stringify(scenarioJsonSchema())));
});

test('every field of the schema has a description', () => {
  const fields = fieldsOf(scenarioJsonSchema());
  expect(fields.length).toBeGreaterThan(40);
  expect(fields.filter(({ description }) => !description)).toEqual([]);
});

test('suggests the nearest name, if one is near', () => {
  expect(closest('R99', ['R1', 'R9'])).toBe('R9');
  expect(closest('RANDOM', ['pinned', 'random'])).toBe('random');
  expect(closest('xyz', ['pinned', 'random'])).toBeUndefined();
});

describe('too little memory to boot', () => {
  test('is reported with its place', () => {
    const said = complaints('host_memory: {frames: 8}', ...GUESTS);
    expect(said[0]).toMatch(/^1:14: found 8 frames, .* too little to boot /);
  });

  test('is not reported where the machine boots, and is short of memory later', () => {
    expect(complaints('host_memory: {frames: 9}', ...GUESTS)).toEqual(['']);
  });
});
