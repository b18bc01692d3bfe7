import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { linesOf, VECTORS } from '../conformance/altered.ts';
import { scratch } from '../scratch.ts';
import { shell, umbra } from './umbra.ts';

const GOOD = join(VECTORS, 'pae', 'random-0001.jsonl');

const folder = scratch('conformance');
const bad = join(folder, 'bad.jsonl');
const lines = linesOf(join(VECTORS, 'nonpae', 'random-0000.jsonl'));
writeFileSync(bad, `${lines.with(2, lines[2]!.replace('pte 0 ', 'pte 1 ')).join('\n')}\n`);
const notVectors = join(folder, 'readme.jsonl');
writeFileSync(notVectors, '# Conformance vectors\n');
mkdirSync(join(folder, 'empty'));

test('the code agrees with the C code in all 98 recordings that come with umbra', async () => {
  const { code, stdout, stderr } = await umbra('conformance', '--json', '-');
  const report = JSON.parse(stdout);
  expect(report.files.filter((file: object) => 'difference' in file)).toEqual([]);
  expect(report).toMatchObject({
    schema_version: 1,
    agree: 98,
    differ: 0,
    operations: 26_139,
    refused: [],
  });
  expect(report.files.map(({ path }: { path: string }) => path)).toEqual(
    report.files.map(({ path }: { path: string }) => path).toSorted(),
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

describe('a difference', () => {
  test('is reported with its place, both sides and the state before; exit code 1', async () => {
    const { code, stdout, stderr } = await umbra('conformance', bad, GOOD);
    expect(code).toBe(1);
    expect(stderr).toBe('');
    expect(stdout).toBe(`${bad}:3: operation 2 differs from what the C code did
  demandPage cpu=0 vaddr=0x00090000 errorCode=2
  expected                | found
  + pte 1 00090000 g90 63 |
                          | + pte 0 00090000 g90 63
  before it, where it looks:
    cpu 0 pgd=0 linear=1
    pgdir 0 gpgdir=0 switcher=1 host=-1
    tables 2

Of 2 files, 1 with a difference.
`);
  });

  test('is in the JSON, line for line', async () => {
    const json = join(folder, 'out.json');
    const { code, stdout } = await umbra('conformance', bad, '--json', json);
    expect(code).toBe(1);
    expect(stdout).toContain('Of 1 file, 1 with a difference.');
    expect(JSON.parse(readFileSync(json, 'utf8')).files).toMatchObject([
      {
        path: bad,
        operations: 2,
        difference: {
          line: 3,
          operation: 2,
          expected: ['+ pte 1 00090000 g90 63'],
          found: ['+ pte 0 00090000 g90 63'],
        },
      },
    ]);
  });
});

describe('a path that is no vector file', () => {
  test('is refused after the others have been replayed; exit code 2', async () => {
    const empty = join(folder, 'empty');
    const { code, stdout, stderr } = await umbra(
      'conformance',
      notVectors,
      empty,
      'nowhere',
      GOOD,
      bad,
    );
    expect(code).toBe(2);
    expect(stdout).toContain(`${bad}:3: operation 2`);
    expect(stdout).toContain('Of 2 files, 1 with a difference.');
    const said = stderr.replaceAll('\n  ', ' ').trimEnd().split('\n');
    expect(said).toHaveLength(3);
    expect(said[0]).toContain(`${notVectors}:1`);
    expect(said[0]).toContain('not JSON, so this is not a vector file');
    expect(said[1]).toContain('nowhere: there is no such file');
    expect(said[2]).toContain(`${empty}: there is no vector file (*.jsonl) in this folder`);
    for (const line of said) expect(line).toMatch(/^umbra: /);
  });

  test('is refused when it is the only one too', async () => {
    const { code, stdout } = await umbra('conformance', join(folder, 'empty'));
    expect(code).toBe(2);
    expect(stdout).toBe('');
  });

  test('is reported in the JSON', async () => {
    const { code, stdout } = await umbra('conformance', notVectors, '--json', '-');
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      files: [],
      refused: [expect.stringContaining('readme.jsonl:1')],
    });
  });
});

test('JSON that cannot be written is an error', async () => {
  const { code, stderr } = await umbra(
    'conformance',
    GOOD,
    '--json',
    join(folder, 'no', 'such.json'),
  );
  expect(code).toBe(2);
  expect(stderr).toContain('the JSON cannot be written there');
});

test('a reader that closes the pipe early does not change the verdict', () => {
  const line = `umbra conformance --json - ${VECTORS}/pae/random-000* | head -c 10; echo " \${PIPESTATUS[0]}"`;
  const { stdout, stderr } = shell(line);
  expect(stdout.split(' ').at(-1)?.trim()).toBe('0');
  expect(stderr).toBe('');
});
