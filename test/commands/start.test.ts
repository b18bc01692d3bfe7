/** `umbra start` and `umbra import` as a user runs them, mistakes included. */

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ALL_DEFECTS } from '../../src/defects.ts';
import { Op } from '../../src/guest/program.ts';
import { TraceWriter } from '../../src/guest/traces/writer.ts';
import type { RunReport } from '../../src/report/run-report.ts';
import { scratch } from '../scratch.ts';
import { spaced, umbra } from './umbra.ts';

const WC = fileURLToPath(new URL('../../scenarios/traces/wc.umbra', import.meta.url));
const THREADS = fileURLToPath(
  new URL('../import/logs/threads-without-order.umbra', import.meta.url),
);
const LOG = ['==1== Lackey', 'I  04001000,3', ' S 00005000,4', ' L 00005000,4', ''].join('\n');

const folder = scratch('start');

const file = (name: string, content: string | Buffer): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

describe('start', () => {
  test('runs a trace in both forms to the same memory, and reports it as text and JSON', async () => {
    const reports: RunReport[] = [];
    for (const paging of ['nonpae', 'pae']) {
      const json = join(folder, `${paging}.json`);
      const { code, stdout } = await umbra('start', WC, '--paging', paging, '--json', json);
      expect(code).toBe(0);
      expect(stdout).toContain('wc: powered off');
      expect(stdout).toContain('every reference count adds up');
      reports.push(JSON.parse(readFileSync(json, 'utf8')));
    }
    expect(reports.map((report) => report.schema_version)).toEqual([1, 1]);
    expect(reports[0]!.guests[0]!.memory.user).toBe(reports[1]!.guests[0]!.memory.user);
    expect(reports[0]!.total.hypercalls['SET_PMD']).toBeUndefined();
    expect(reports[1]!.total.hypercalls['SET_PMD']).toBeGreaterThan(0);
  });

  test('replays a threaded program completely, for any seed', async () => {
    const made = await Array.fromAsync([1, 2, 3], async (seed) => {
      const several = ['--vcpus', '4', '--discipline', 'guest-lock', '--seed', `${seed}`];
      const { code, stdout } = await umbra(
        'start',
        THREADS,
        '--cpus',
        '2',
        ...several,
        '--json',
        '-',
      );
      const { fetches, loads, stores, modifies, not_replayed } = JSON.parse(stdout).guests[0];
      return [code, fetches + loads + stores + modifies, not_replayed];
    });
    expect(made).toEqual(Array(3).fill([0, 2_482_993, 0]));
  });

  test('counts what the trace does and the guest cannot, as a failure', async () => {
    const path = join(folder, 'more.umbra');
    const writer = new TraceWriter(path);
    const processes = [1, 2].map((accesses) => {
      const stream = writer.stream();
      for (let i = 0; i < accesses; i++) stream.access(Op.Load, 0x5000, 4);
      const regions = [[0x5000, 0x6000, 3]] as const;
      return { command: 'more', regions, folds: [], threads: [stream.index()] };
    });
    // The second process is never started.
    writer.finish({ name: 'more', sources: ['more.1', 'more.2'], processes });
    const { code, stdout } = await umbra('start', path);
    expect(stdout).toContain('more: powered off; 2 accesses of its trace not replayed');
    expect(stdout).toContain(
      'accesses of its trace were not replayed, guest 0: expected none, found 2',
    );
    expect(code).toBe(1);
  });

  test('uses the given seed, CPUs, policy and defects', async () => {
    const { stdout } = await umbra(
      ...['start', WC, '--seed', '7', '--cpus', '3', '--policy', 'round-robin'],
      ...['--defects', 'u4,U9', '--slice', '50..60', '--json', '-'],
    );
    expect((JSON.parse(stdout) as RunReport).configuration).toMatchObject({
      host_cpus: 3,
      seed: 7,
      policy: 'round-robin',
      quantum: { least: 50, most: 60 },
      defects: ['U4', 'U9'],
    });
  });

  test.each([
    [['nowhere.umbra'], /nowhere\.umbra/],
    [['--cpus', '600'], /does not fit the Switcher's window.*--cpus/s],
    [['--cpus', '0'], /whole number of at least 1/],
    [['--host-memory', '1'], /host memory was too little.*--host-memory/s],
    [['--paging', 'nested'], /Allowed choices are nonpae, pae/],
    [['--defects', 'U99'], /'U99' is no defect; did you mean U9\?/],
    [['--policy', 'ping'], /Allowed choices are .*work-stealing, ping-pong/],
    [['--json', join(tmpdir(), 'no', 'such', 'folder.json')], /cannot be written there/],
  ])('refuses %j with a message', async (args, words) => {
    const { code, stderr } = await umbra('start', ...args);
    expect(spaced(stderr)).toMatch(words);
    expect(stderr).not.toContain('    at ');
    expect(code).toBe(2);
  });
});

describe('import lackey', () => {
  test('makes a program that start runs', async () => {
    const log = file('good.log', LOG);
    const out = join(folder, 'good.umbra');
    expect((await umbra('import', 'lackey', log, '-o', out)).code).toBe(0);
    expect((await umbra('start', out)).code).toBe(0);
  });

  test("drops the program's own output if told to, and counts it", async () => {
    const log = file('said.log', `${LOG}hello\n`);
    const out = join(folder, 'said.umbra');
    const { code, stdout } = await umbra('import', 'lackey', log, '-o', out, '--skip-stray-lines');
    expect(stdout).toContain(
      '1 line skipped that lackey did not write, at first said.log:5: "hello"',
    );
    expect([code, stdout.endsWith('\n'), existsSync(out)]).toEqual([0, true, true]);
  });

  test("names the format of another tool's file", async () => {
    const log = file('pinatrace.out', '0x40054e: R 0x7ffe3b2c1a58\n#eof\n');
    const { code, stderr } = await umbra('import', 'lackey', log, '-o', join(folder, 'pin.umbra'));
    expect(spaced(stderr)).toMatch(
      /pinatrace\.out:1:1: found .*: this is the output of Pin’s pinatrace, expected a log/,
    );
    expect(code).toBe(2);
  });

  test.each([
    ['a missing file', () => join(folder, 'nowhere.log'), /nowhere\.log/],
    ['an empty trace', () => file('empty.log', ''), /no memory access/],
    ['an invalid line', () => file('bad.log', `${LOG}hello\n`), /bad\.log:5:1: found "hello"/],
    [
      'a truncated gzip',
      () => file('cut.gz', gzipSync(LOG.repeat(999)).subarray(0, 90)),
      /cut short/,
    ],
  ])('refuses %s and writes nothing', async (_, log, words) => {
    const out = join(folder, 'refused.umbra');
    const { code, stderr } = await umbra('import', 'lackey', log(), '-o', out);
    expect(spaced(stderr)).toMatch(words);
    expect(code).toBe(2);
    expect(existsSync(out)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

test('a policy moves vCPUs as declared', async () => {
  const migrations = async (policy: string): Promise<number> => {
    const { stdout } = await umbra('start', WC, '--policy', policy, '--json', '-');
    return (JSON.parse(stdout) as RunReport).total.migrations;
  };
  expect(await migrations('pinned')).toBe(0);
  expect(await migrations('ping-pong')).toBeGreaterThan(20);
});

test('lists defects as JSON too, by id, with the test that shows each', async () => {
  const listed = JSON.parse((await umbra('defects', '--json')).stdout);
  expect(Object.keys(listed)).toEqual(ALL_DEFECTS);
  for (const defect of Object.values(listed)) {
    expect(Object.keys(defect as object).toSorted()).toEqual([
      'confirmedBy',
      'consequence',
      'title',
      'where',
    ]);
  }
});

test('lists each defect with its place', async () => {
  const { code, stdout } = await umbra('defects');
  expect(code).toBe(0);
  expect(stdout).toContain(
    'U4   ACCESSED without DIRTY is installed writable (do_set_pte, 913–918)',
  );
});
