/** Costs as a user meets them: `umbra costs`, `--costs`, and `costs` in a scenario. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunReport } from '../../src/report/run-report.ts';
import { scratch } from '../scratch.ts';
import { umbra } from './umbra.ts';

const folder = scratch('costs');

const written = (name: string, ...lines: readonly string[]): string => {
  const path = join(folder, name);
  writeFileSync(path, lines.join('\n'));
  return path;
};

const GUESTS = ['guests:', '  - {program: {builtin: touch}, memory: {pages: 512}}'];

test('lists the costs of events, with ranges and sources', async () => {
  const { code, stdout } = await umbra('costs', '--costs', 'haswell');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^haswell: .*2013\n/m);
  expect(stdout).toMatch(/world_switch +1,400 +1,045 – 2,500 +derived +Torvalds/);
  expect(stdout).not.toContain('pentium4');
  const { presets } = JSON.parse((await umbra('costs', '--json', '-')).stdout);
  expect(Object.keys(presets)).toEqual(['pentium4', 'core2', 'haswell']);
});

test('a run reports its cost and the costs it used, and two runs are compared', async () => {
  const scenario = written(
    'a.yaml',
    'slice: 100',
    'costs: {preset: pentium4, cycles: {cr3_load: 7}}',
    ...GUESTS,
  );
  const [one, other] = [join(folder, 'one.json'), join(folder, 'other.json')];
  const said = await umbra('run', scenario, '--json', one);
  expect(said.code).toBe(0);
  expect(said.stdout).toContain(
    'Cycles at the costs of pentium4 (Pentium 4, Prescott; 2004), but cr3_load 7:',
  );
  const { costs } = JSON.parse(readFileSync(one, 'utf8')) as RunReport;
  expect(costs).toMatchObject({ preset: 'pentium4', overridden: ['cr3_load'] });
  const { count, cycles } = costs.total.by_event.cr3_load;
  expect(cycles).toBe(7 * count);
  expect(costs.host_cpus.reduce((n, cpu) => n + cpu.cycles, 0)).toBe(costs.total.cycles);

  // The command line overrides the scenario's costs entirely.
  expect((await umbra('run', scenario, '--costs', 'haswell', '--json', other)).code).toBe(0);
  const again = (JSON.parse(readFileSync(other, 'utf8')) as RunReport).costs;
  expect(again).toMatchObject({ preset: 'haswell', overridden: [] });

  const compared = await umbra('costs', one, other);
  expect(compared.stdout).toContain('Cycles at the costs of core2 (Core 2, Merom; 2007):');
  expect(compared.stdout).toMatch(
    /Not clear: .* (took the same|took fewer than)[\s\S]* One run of each is too few/,
  );
  expect(compared).toMatchObject({ code: 0, stderr: '' });
});

test('refuses invalid costs with a message', async () => {
  const scenario = written(
    'bad.yaml',
    'costs:',
    '  preset: core3',
    '  cycles: {cr3_lod: 7, lock: -1, shootdown: 2.5}',
    ...GUESTS,
  );
  const { code, stderr } = await umbra('run', scenario);
  expect(code).toBe(2);
  const mistakes = stderr.replaceAll('\n  ', ' ').trimEnd().split('\n');
  const [preset, unknown, low, broken] = mistakes;
  expect(mistakes).toHaveLength(4);
  expect(preset).toMatch(/bad\.yaml:2:11: found "core3", expected .*; did you mean core2\?$/);
  expect(unknown).toMatch(/bad\.yaml:3:12: found an unknown field cr3_lod, .*mean cr3_load\?$/);
  expect(low).toMatch(/bad\.yaml:3:30: found -1, expected a whole number from 0 to 1000000000$/);
  expect(broken).toMatch(/bad\.yaml:3:45: found 2.5, expected a whole number/);

  expect((await umbra('start', '--costs', 'vax')).stderr).toContain('Allowed choices are pentium4');
  expect((await umbra('costs', scenario, scenario)).stderr.replaceAll('\n  ', ' ')).toContain(
    'is a scenario, and umbra costs takes the report of a run',
  );
  const text = written('text.json', 'hello');
  expect((await umbra('costs', text)).stderr).toContain('give two or more');
  const notJson = await umbra('costs', text, text);
  expect(notJson.stderr.replaceAll('\n  ', ' ')).toContain('expected the report of a run');
  expect(notJson.code).toBe(2);
  const empty = written('empty.json', '{}');
  expect((await umbra('costs', empty, empty)).stderr.replaceAll('\n  ', ' ')).toContain(
    'found no number of times for access',
  );
});
