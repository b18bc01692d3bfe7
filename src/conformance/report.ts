/** The report of a conformance run, for people and as JSON. */

import { grouped } from '../numbers.ts';
import type { Difference, Replayed } from './replay.ts';

/** Grows when the form of the JSON changes in a way that its readers notice. */
const SCHEMA_VERSION = 1;

export interface ConformanceResult {
  readonly replayed: readonly Replayed[];
  /** One sentence for each path that is not a vector file. */
  readonly refused: readonly string[];
}

export function toJson({ replayed, refused }: ConformanceResult) {
  return {
    schema_version: SCHEMA_VERSION,
    agree: replayed.filter((file) => file.difference === undefined).length,
    differ: replayed.filter((file) => file.difference !== undefined).length,
    operations: operationsOf(replayed),
    files: replayed,
    refused,
  };
}

/** `columns`: how wide it may be. Nothing when nothing was replayed. */
export function toText({ replayed }: ConformanceResult, columns: number): string {
  if (replayed.length === 0) return '';
  const differences = replayed.flatMap((file) => file.difference ?? []);
  const operations = grouped(operationsOf(replayed));
  const files = replayed.length === 1 ? '1 file' : `${replayed.length} files`;
  const verdict =
    differences.length === 0
      ? `${files}, ${operations} operations: all agree.`
      : `Of ${files}, ${differences.length} with a difference.`;
  const blocks = differences.map((difference) => explain(difference, columns));
  return `${[...blocks, verdict].join('\n\n')}\n`;
}

const operationsOf = (replayed: readonly Replayed[]): number =>
  replayed.reduce((sum, file) => sum + file.operations, 0);

/** Where, the operation, both sides in two columns, and the state before it. */
function explain(difference: Difference, columns: number): string {
  const { path, line, operation, text, around } = difference;
  return [
    `${path}:${line}: operation ${operation} differs from what the C code did`,
    `  ${call(text)}`,
    ...sideBySide(difference, columns).map((row) => `  ${row}`.trimEnd()),
    '  before it, where it looks:',
    ...(around.length > 0 ? around : ['(nothing)']).map((fact) => `    ${fact}`),
  ].join('\n');
}

/** The operation without its outcome. */
function call(text: string): string {
  const { op, returns: _r, oops: _o, add: _a, del: _d, ...fields } = JSON.parse(text);
  const words = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
  return [op, ...words].join(' ');
}

/** Lines about the same thing are in the same row. */
function sideBySide({ expected, found }: Difference, columns: number): string[] {
  const rows: [string, string][] = expected.map((line) => [line, '']);
  for (const line of found) {
    const row = rows.find(([left, right]) => right === '' && subject(left) === subject(line));
    if (row) row[1] = line;
    else rows.push(['', line]);
  }
  const room = Math.floor((columns - 2 - ' | '.length) / 2);
  const longest = Math.max(...rows.map(([left]) => left.length), 'expected'.length);
  const width = Math.min(longest, room);
  return [['expected', 'found'] as const, ...rows].flatMap(([left, right]) => {
    const lefts = pieces(left, width);
    const rights = pieces(right, columns - 2 - ' | '.length - width);
    return Array.from(
      { length: Math.max(lefts.length, rights.length) },
      (_, i) => `${(lefts[i] ?? '').padEnd(width)} | ${rights[i] ?? ''}`,
    );
  });
}

/** How many words of a line, its sign included, are its key; the rest is the value. */
const SUBJECT_WORDS: Readonly<Record<string, number>> = { pte: 4, pmd: 4, pgd: 4, tables: 2 };

function subject(line: string): string {
  if (!/^[+-] /.test(line)) return line.split(' ')[0]!; // returns, oops
  const words = line.split(' ');
  return words.slice(0, SUBJECT_WORDS[words[1]!] ?? 3).join(' ');
}

const pieces = (text: string, width: number): string[] =>
  text.match(new RegExp(`.{1,${width}}`, 'g')) ?? [''];
