/** A file of the wrong kind is recognised by the command it is given to. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { kindOf } from '../../src/commands/file-kind.ts';
import { scratch } from '../scratch.ts';
import { spaced, umbra } from './umbra.ts';

const folder = scratch('kinds');

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const TOKEN = `umbra5.${'x'.repeat(40)}`;
const runFolder = join(folder, 'run');
mkdirSync(runFolder);
writeFileSync(join(runFolder, 'run.json'), '{}');
const generated = join(folder, 'generated');
mkdirSync(generated);
writeFileSync(join(generated, 'generate.sqlite'), '');

const FILES: Readonly<Record<string, string>> = {
  scenario: 'scenarios/swarm.yaml',
  litmus: 'litmus/6-switcher/migrations.yaml',
  trace: 'scenarios/traces/ls.umbra',
  vectors: 'test/vectors/pae/random-0000.jsonl',
  lackey: file('log', '==12== Lackey, an example Valgrind tool\nI  04001000,3\n L 1ffeffe7e,8\n'),
  memory: file('pin.out', '0x40054e: R 0x7ffe3b2c1a58\n#eof\n'),
  recording: file('sched.txt', '# tracer: nop\n#\n'),
  placement: file(
    'host.csv',
    'vcpu,host_cpu,at_ns,ns,cause,recorded_cpu,pid,comm\n0,0,0,9,,3,7,CPU 0/KVM\n',
  ),
  schedule: file('schedule.txt', `x (lock-free, nonpae)\nboom\numbra replay ${TOKEN}\n`),
  timeline: file('run.pftrace', '\n\x05stuff'),
  page: file('page.html', '<!doctype html><title>x</title>'),
  ledger: file('ledger.sqlite', 'SQLite format 3\0 and more'),
  benchmark: file('bench.json', '{"schema_version": 1, "lines": [], "growth": []}'),
  machine: file('run.json', '{"schema_version": 1, "configuration": {}, "total": {}}'),
  found: file('found.json', `{"schema_version": 1, "found": [{"token": "${TOKEN}"}]}`),
  result: file('mutants.json', '{"schema_version": 1, "mutants": []}'),
  runFolder,
  generated,
  folder: 'litmus/6-switcher',
};

test.each(Object.entries(FILES))('recognises %s', (kind, path) => {
  expect(kindOf(path)).toBe(kind);
});

test.each([
  ['swarm', 'scenario'],
  ['migrations', 'litmus'],
  ['6-switcher', 'folder'],
  ['pigz', 'trace'],
  ['nothing', undefined],
  ['/dev/null', undefined],
])('recognises the name %s as %s', (name, kind) => {
  expect(kindOf(name)).toBe(kind);
});

test.each([
  ['a text', 'Dear reader,\n'],
  ['no YAML', '{ a: ['],
  ['no JSON', '{"schema_version": 1'],
  ['a list', '- 1\n- 2\n'],
  ['nothing', ''],
  ['bytes', '\x00\x01\x02'],
])('%s is of no known kind', (_, text) => {
  expect(kindOf(file('other', text))).toBeUndefined();
});

describe('says which command takes the file', () => {
  test.each([
    [
      'litmus',
      'scenario',
      'is a scenario, and umbra litmus takes a litmus test: it is for umbra run',
    ],
    ['litmus', 'trace', "is a program's trace, and umbra litmus takes"],
    [
      'campaign',
      'schedule',
      'is a schedule, and umbra campaign takes a litmus test: it is for umbra replay',
    ],
    [
      'explore',
      'folder',
      'is a folder, and umbra explore takes a litmus test: it is for umbra litmus,',
    ],
    [
      'run',
      'litmus',
      'is a litmus test, and umbra run takes a scenario: it is for umbra litmus, explore',
    ],
    [
      'run',
      'runFolder',
      'is a folder of --out, and umbra run takes a scenario: it is for umbra report',
    ],
    [
      'start',
      'scenario',
      "is a scenario, and umbra start takes a program's trace: it is for umbra run",
    ],
    ['start', 'lackey', "and umbra start takes a program's trace: it is for umbra import lackey"],
    ['start', 'timeline', 'is a trace of host CPUs, and umbra start takes'],
    ['start', 'recording', 'is a recorded schedule, and umbra start takes'],
    ['start', 'memory', "takes a program's trace: it is for umbra import memory"],
    [
      'run',
      'placement',
      'is a placement, and umbra run takes a scenario: it is for --policy replay',
    ],
    ['replay', 'litmus', 'is a litmus test, and umbra replay takes a schedule'],
    [
      'replay',
      'folder',
      'is a folder, and umbra replay takes a schedule or a folder of --out: it is for umbra litmus, verify, campaign, mutants and conformance',
    ],
    [
      'replay',
      'generated',
      'is a folder of --out of umbra generate, and umbra replay takes a schedule: it is for umbra litmus, and each test in it for umbra replay',
    ],
    ['inspect', 'machine', 'is the report of a run, and umbra inspect takes a schedule'],
    ['merge', 'litmus', 'is a litmus test, and umbra merge takes a ledger'],
    [
      'conformance',
      'litmus',
      'is a litmus test, and umbra conformance takes a recording of the C code',
    ],
    ['costs', 'benchmark', 'is a run of the benchmark, and umbra costs takes the report of a run'],
  ])('umbra %s with a %s', async (command, kind, words) => {
    const output = command === 'merge' ? ['-o', join(folder, 'out.sqlite')] : [];
    const { code, stdout, stderr } = await umbra(command, FILES[kind]!, ...output);
    expect(spaced(stderr)).toContain(words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test('umbra compare with run folders', async () => {
    const { code, stderr } = await umbra('compare', runFolder, FILES['benchmark']!);
    expect(spaced(stderr)).toContain(
      'is a folder of --out, and umbra compare takes a run of the benchmark: it is for umbra report',
    );
    expect(code).toBe(2);
  });

  test('--config with a scenario, and --test with one', async () => {
    const { stderr } = await umbra('start', '--config', FILES['scenario']!);
    expect(stderr).toContain('is a scenario, and --config takes a file of options');
    expect((await umbra('replay', TOKEN, '--test', FILES['scenario']!)).stderr).toContain(
      '--test takes a litmus',
    );
  });
});
