/** Run folders: their contents, as another program reads them, and when none is made. */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { describe, expect, test, vi } from 'vitest';
import { resultsOf } from '../../src/commands/run-folder.ts';
import type { RunReport } from '../../src/report/run-report.ts';
import { scratch } from '../scratch.ts';
import { hasTerminal, interrupted, umbra } from './umbra.ts';

const folder = scratch('folder');

const LS = 'scenarios/traces/ls.umbra';
const TEST = 'litmus/1-fault/R2-cleared-entry-comes-back.yaml';

const json = <T>(...path: readonly string[]): T =>
  JSON.parse(readFileSync(join(folder, ...path), 'utf8')) as T;

/** DuckDB has binaries for few platforms. */
const duckdb = await import('@duckdb/node-api').catch(() =>
  console.warn('there is no DuckDB for this platform: what takes it is skipped'),
);

/** Paths in it are those of the docs. */
async function query(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await duckdb!.DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const reader = await connection.runAndReadAll(sql.replaceAll("'runs/", `'${folder}/runs/`));
  return reader.getRowObjectsJson();
}

const seed7 = join(folder, 'runs', 'seed-7');
const ran = await umbra('start', LS, '--cpus', '3', '--seed', '7', '--out', seed7, '--json', '-');

test('has the result, every option with its source, and the environment', () => {
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  const files = [
    'events.csv',
    'events.parquet',
    'result.json',
    'run.json',
    'statistics.csv',
    'statistics.parquet',
  ];
  expect(readdirSync(seed7).toSorted()).toEqual(files);
  expect(json('runs', 'seed-7', 'result.json')).toEqual(JSON.parse(ran.stdout));
  expect(json('runs', 'seed-7', 'run.json')).toMatchObject({
    command: 'start',
    arguments: [LS],
    options: { cpus: 3, seed: 7, vcpus: 1, paging: 'nonpae', discipline: 'as-written' },
    sources: { cpus: 'cli', seed: 'cli', vcpus: 'default', paging: 'default' },
    resolved: { hostCpus: 3, quantum: { least: 2000, most: 20_000 } },
    environment: { node: process.version, umbra: expect.stringMatching(/^\d+\./) },
    tables: [
      { file: 'statistics.parquet', columns: { value: { type: 'DOUBLE' } } },
      { file: 'events.parquet', columns: { at_ns: { unit: 'ns' } } },
    ],
  });
});

test('has another name where another process has made it meanwhile', () => {
  const out = join(folder, 'taken');
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const write = resultsOf({ out }, new Command('start'));
  mkdirSync(out);
  writeFileSync(join(out, 'result.json'), 'its own');
  write({ ours: true });
  const said = stderr.mock.calls.join('');
  stderr.mockRestore();
  expect(readFileSync(join(out, 'result.json'), 'utf8')).toBe('its own');
  expect(json('taken-2', 'result.json')).toEqual({ ours: true });
  expect(said).toContain(`this run is in ${out}-2`);
});

describe.runIf(duckdb)('DuckDB', () => {
  test('reads the same numbers, each with unit and description', async () => {
    const report = JSON.parse(ran.stdout) as RunReport;
    const rows = await query("SELECT * FROM 'runs/seed-7/statistics.parquet'");
    expect(rows).toHaveLength(
      json<{ tables: [{ rows: number }] }>('runs', 'seed-7', 'run.json').tables[0].rows,
    );
    const value = (scope: string, statistic: string, number: number | null = null): unknown =>
      rows.find(
        (row) =>
          row['scope'] === scope && row['statistic'] === statistic && row['number'] === number,
      )?.['value'];
    expect(value('machine', 'entries')).toBe(report.total.entries);
    expect(value('guest', 'hypercalls.SET_PTE', 0)).toBe(report.guests[0]!.hypercalls['SET_PTE']);
    expect(value('host CPU', 'walks', 2)).toBe(report.host_cpus[2]!.walks);
    expect(rows.every((row) => row['unit'] !== '' && row['description'] !== '')).toBe(true);
  });

  test('reads every entry, fault and migration that was counted as an event, in order', async () => {
    const { total } = JSON.parse(ran.stdout) as RunReport;
    const rows = await query("SELECT event, host_cpu, at_ns FROM 'runs/seed-7/events.parquet'");
    const many = (event: string): number => rows.filter((row) => row['event'] === event).length;
    expect(many('entry')).toBe(total.entries);
    expect(many('fault fixed')).toBe(total.faults_fixed);
    expect(many('fault passed on')).toBe(total.faults_passed_on);
    expect(many('migration')).toBe(total.migrations);
    const times = rows.map((row) => Number(row['at_ns']));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(JSON.parse(ran.stdout)).toMatchObject({ events: { kept: rows.length, lost: 0 } });
  });

  test('answers the questions of the docs', async () => {
    const docs = readFileSync('docs/run-folders.md', 'utf8');
    const [many, one, slow] = [...docs.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, sql]) => sql!);
    const report = JSON.parse(ran.stdout) as RunReport;
    const faults = await query(many!);
    expect(faults.map(({ name, statistic, value }) => [name, statistic, value])).toEqual([
      ['ls', 'faults_fixed', report.guests[0]!.faults_fixed],
      ['ls', 'migrations', report.guests[0]!.migrations],
    ]);
    const cached = await query(one!);
    expect(cached.map(({ name }) => name)).toEqual(['host CPU 0', 'host CPU 1', 'host CPU 2']);
    expect(cached.some((row) => Number(row['cached']) > 0)).toBe(true);
    const pages = await query(slow!);
    expect(pages.length).toBeGreaterThan(0);
    expect(Number(pages[0]!['faults'])).toBeGreaterThan(0);
  });

  test.each([
    ['explore', ['explore', TEST, '--defects', 'R2', '--no-shrink'], 'settings', 1],
    ['litmus', ['litmus', TEST, '--runs', '5'], 'outcomes', 0],
    ['stress', ['stress', '--runs', '1', '--seed', '4'], 'kinds', 0],
    ['mutants', ['mutants', '--only', 'R9', '--runs', '5', '--strategy', 'pct-3'], 'mutants', 0],
    ['conformance', ['conformance', 'test/vectors/pae/random-0000.jsonl'], 'files', 0],
  ] as const)('reads the results of %s', async (name, command, table, code) => {
    const path = join(folder, 'runs', name);
    expect((await umbra(...command, '-q', '--out', path)).code).toBe(code);
    const rows = await query(`SELECT * FROM 'runs/${name}/${table}.parquet'`);
    const { tables } = json<{ tables: { file: string; rows: number; columns: object }[] }>(
      'runs',
      name,
      'run.json',
    );
    const [same] = await query(
      `SELECT count(*) AS n FROM (SELECT * FROM 'runs/${name}/${table}.parquet' EXCEPT SELECT * FROM read_csv('runs/${name}/${table}.csv'))`,
    );
    expect(same).toEqual({ n: '0' });
    const told = tables.find(({ file }) => file === `${table}.parquet`)!;
    expect(rows).toHaveLength(told.rows);
    expect(rows.length).toBeGreaterThan(0);
    expect(Object.keys(rows[0]!)).toEqual(Object.keys(told.columns));
  });
});

test('is new or not made: an existing path, or one without a parent, is refused before the run', async () => {
  const taken = await umbra('start', LS, '--out', seed7);
  expect(taken).toMatchObject({ code: 2, stdout: '' });
  expect(taken.stderr).toContain('is there already');
  const nowhere = await umbra('start', LS, '--out', join(seed7, 'run.json', 'such'));
  expect(nowhere).toMatchObject({ code: 2, stdout: '' });
  expect(nowhere.stderr.replaceAll(/\n\s*/g, ' ')).toMatch(/run\.json is no folder/);
});

test.runIf(hasTerminal)('has the results up to Ctrl-C', async () => {
  const path = join(folder, 'cut');
  const ended = await interrupted(
    /schedules\/s|\/s, ETA/,
    'explore',
    TEST,
    '--runs',
    '1000000',
    '--out',
    path,
  );
  expect(ended.code).toBe(130);
  expect(existsSync(join(path, 'result.json'))).toBe(true);
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});
