/** At a terminal: output is no wider than it, and Ctrl-C keeps the results so far. */

import { stripVTControlCharacters } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { fitLines, fitted, wrap } from '../../src/commands/terminal.ts';
import { tableText } from '../../src/report/text-table.ts';
import { commandsBelow } from './all-commands.ts';
import { atTerminal, hasTerminal, interrupted } from './umbra.ts';

const COLUMNS = 60;

const FORM = ['--paging', 'nonpae', '--discipline', 'guest-lock'];
const R10 = ['R10-one-pgdir-two-cpus', '--defects', 'R10', ...FORM];

/** Lines that are too wide, but for commands to paste, which break when wrapped. */
const wideIn = (text: string, columns = COLUMNS): string[] =>
  stripVTControlCharacters(text)
    .split(/[\r\n]+/)
    .filter((line) => line.length > columns && !/^ *(\w+ +)?umbra /.test(line));

const LINES: readonly (readonly string[])[] = [
  ['litmus', 'R2-dirty-erased', '--runs', '5'],
  ['campaign', 'R2-dirty-erased', '--runs', '20'],
  [
    'mutants',
    'R15-two-faults-at-once',
    '--only',
    'R9,R15',
    '--runs',
    '1',
    '--strategy',
    'random,fewest,pos,surw,pct-2',
  ],
  ['explore', ...R10, '--races', '--runs', '5'],
  ['explore', ...R10],
  ['stress', '--runs', '1', '--seed', '4'],
  ['start', 'ls', '--cpus', '4'],
  ['run'],
  ['litmus'],
  ['costs'],
  ['defects'],
  ['study'],
  ['conformance', 'test/vectors/pae/random-0000.jsonl'],
  ['run', '--slice', 'much'],
  ['litmus', 'scenarios/swarm.yaml'],
];

describe.runIf(hasTerminal)(`output at ${COLUMNS} columns fits`, () => {
  let printed: readonly string[];
  beforeAll(() => {
    printed = atTerminal(COLUMNS, [...LINES, ['--help']]);
  }, 600_000);

  test.each(LINES.map((args, i) => [args, i] as const))('%j', (_, i) => {
    expect(printed[i]).toMatch(/\w/);
    expect(wideIn(printed[i]!)).toEqual([]);
  });

  test('of every --help', async () => {
    const help = printed[LINES.length]!;
    expect(help).toContain('Examples:');
    expect(wideIn(help).filter((line) => !line.startsWith('  umbra '))).toEqual([]);
    for (const { help: other } of await commandsBelow())
      expect(wideIn(fitLines(other, 100), 100)).toEqual([]);
  });
});

test.runIf(hasTerminal)('umbra generate says that it makes its programs', () => {
  const [printed] = atTerminal(COLUMNS, [['generate', '--ops', '2', '--seconds', '1', ...FORM]]);
  expect(printed).toContain('making the programs');
});

describe.runIf(hasTerminal)('Ctrl-C', () => {
  test('in umbra litmus keeps the finished tests, and the schedules of the current one', async () => {
    const { code, stdout } = await interrupted(
      /R1-two-faults[\s\S]*[1-9]\d* of [\d,]+ schedules, [^,]*, ETA/,
      ...['litmus', '1-fault', ...FORM, '--runs', '300', '--json', '/dev/null'],
    );
    expect(stdout).toMatch(/R1-two-faults-one-entry.yaml: two faults on one entry/);
    expect(stdout).toMatch(/umbra: interrupted; schedules done: [\d,]+ of [\d,]+/);
    expect(code).toBe(130);
  });

  test('in umbra litmus exits with 1 after an earlier failure', async () => {
    const { code, stdout } = await interrupted(/\d FAILED/, 'litmus', ...R10, '--runs', '100000');
    expect(stdout).toMatch(/^umbra replay /m);
    expect(stdout).toContain('umbra: interrupted; ');
    expect(code).toBe(1);
  });

  test('in umbra conformance keeps the replayed files', async () => {
    const { code, stdout } = await interrupted(/[1-9]\d* of \d+ files/, 'conformance');
    expect(stdout).toMatch(/\d+ files?, [\d,]+ operations: all agree/);
    expect(stdout).toMatch(/umbra: interrupted; \d+ of \d+ files are replayed/);
    expect(code).toBe(130);
  });

  test('in umbra mutants keeps the finished ones', async () => {
    const { code, stdout } = await interrupted(
      /[1-9]\d* of [\d,]+ schedules/,
      ...[
        'mutants',
        '--only',
        'R15,R9',
        '--strategy',
        'random,pos',
        '--runs',
        '40',
        '--threads',
        '1',
      ],
    );
    expect(stdout).toMatch(/Interrupted: [1-9]\d* of \d+ pieces of work are done/);
    expect(stdout).toContain('and the matrix is not whole');
    expect(code).toBe(130);
  });
});

describe('fitting text', () => {
  test('progress drops its last parts first, and shows failures first', () => {
    const line = '3 FAILED, 1,200 of 5,000 schedules, 431/s, ETA 0:09, some/long/path.yaml';
    expect(fitted(line, 59)).toBe('3 FAILED, 1,200 of 5,000 schedules, 431/s, ETA 0:09');
    expect(fitted(line, 20)).toBe('3 FAILED');
    expect(fitted(line, 5)).toBe('3 FAI');
  });

  test('lines break between words, with their indent; commands do not', () => {
    expect(fitLines('  one two three', 10)).toBe('  one two\n    three');
    expect(fitLines('umbra replay something', 10)).toBe('umbra replay something');
    expect(fitLines('anything that is long', undefined)).toBe('anything that is long');
    expect(fitLines('\x1b[1mbold\x1b[22m\t\n')).toBe('\x1b[1mbold\x1b[22m\t\n');
    expect(fitLines('\x1b]0;title\x07 \x1b[2J\x9b1m\r')).toBe(
      '\ufffd]0;title\ufffd \ufffd[2J\ufffd1m\ufffd',
    );
    expect(wrap('a bb ccc', 5)).toBe('a bb\n  ccc');
  });

  test('a table wraps its texts first, and then splits into several', () => {
    const head = ['', 'many', 'words'];
    const align = ['left', 'right', 'left'] as const;
    const rows = [['first', '1,000', 'some words that are many']];
    const table = (columns?: number) => tableText({ head, align, rows }, { columns }).split('\n');
    expect(table()).toHaveLength(2);
    expect(table(34).every((line) => line.length <= 34)).toBe(true);
    expect(table(34)).toHaveLength(3);
    expect(table(22)[0]).toMatch(/many/);
    expect(table(22).every((line) => line.length <= 22)).toBe(true);
    expect(table(22).filter((line) => line.includes('first'))).toHaveLength(2);
  });
});
