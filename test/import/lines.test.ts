import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { Op } from '../../src/guest/program.ts';
import { LineParser, Place, type StrayLines } from '../../src/import/lines.ts';
import { parseMessages } from '../../src/import/messages.ts';
import { complaintOf, errorOf } from '../complaint.ts';

/** Everything a parser reports of a text that arrives in chunks cut at `cuts`. */
function parse(
  text: string | Uint8Array,
  cuts: readonly number[] = [],
  stray?: StrayLines,
): unknown[] {
  const said: unknown[] = [];
  const place = new Place('t');
  const parser = new LineParser(
    {
      access: (kind, high, low, size) => said.push([place.line, kind, high, low, size]),
      message: (line) => {
        said.push(line);
        return parseMessages(line) !== undefined;
      },
    },
    place,
    stray,
  );
  const bytes = Buffer.from(text);
  let from = 0;
  for (const cut of [...cuts.map((c) => c % (bytes.length + 1)).sort((a, b) => a - b), undefined]) {
    parser.push(bytes.subarray(from, cut));
    from = cut ?? 0;
  }
  parser.end();
  return said;
}

const SOME = [
  '==7== Command: ./test',
  'I  04001000,3',
  ' L befff820,4',
  ' S 1ffefff820,16',
  ' M 0,1',
  '',
  'I  ffffffffff600000,15',
  'SYSCALL[7,1](6) sys_close ( 4 )[sync] --> Success(0x0) ',
  ' S abcDEF,4096',
  '',
].join('\n');

test('accesses of all kinds and widths of address are read', () => {
  expect(parse(SOME)).toEqual([
    '==7== Command: ./test',
    [2, Op.Fetch, 0, 0x04001000, 3],
    [3, Op.Load, 0, 0xbefff820, 4],
    [4, Op.Store, 0x1f, 0xfefff820, 16],
    [5, Op.Modify, 0, 0, 1],
    '',
    [7, Op.Fetch, 0xffffffff, 0xff600000, 15],
    'SYSCALL[7,1](6) sys_close ( 4 )[sync] --> Success(0x0) ',
    [9, Op.Store, 0, 0xabcdef, 4096],
  ]);
});

test('the ends of chunks make no difference', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 20 }), (cuts) => {
      expect(parse(SOME, cuts)).toEqual(parse(SOME));
    }),
  );
});

test('lines of the traced program are skipped and counted, wherever they stand', () => {
  const stray: StrayLines = { count: 0 };
  const good = SOME.split('\n');
  const mixed = [
    ...[good[0], 'hello', good[1], 'I  0402warning: x', '1050,4', good[2], 'SB 04001000'],
    ...['x'.repeat(200_000), good[3], ' L 10,4 ', ...good.slice(4, 9), 'I  0400'],
  ].join('\n');
  const said = parse(mixed, [200, 90_000, 150_000, 200_190], stray);
  const accesses = (all: unknown[]) =>
    all.flatMap((one) => (Array.isArray(one) ? [one.slice(1)] : []));
  expect(accesses(said)).toEqual(accesses(parse(SOME)));
  expect(stray).toEqual({ count: 7, first: { line: 2, text: '"hello"' } });
});

test('skipped lines count for the line numbers after them', () => {
  const said = parse('hello\nI  04001000,3\n', [], { count: 0 });
  expect(said.at(-1)).toEqual([2, Op.Fetch, 0, 0x04001000, 3]);
});

test('a trace with Windows line ends is the same trace', () => {
  expect(parse(SOME.replaceAll('\n', '\r\n'))).toEqual(parse(SOME));
});

test.each([
  ['I  0400100g,3', 11, 'found "g,3", expected \',\' and a size'],
  ['I  ,3', 4, 'expected an address of 1 to 16 hex digits'],
  ['I  12345678123456781,3', 20, 'expected an address of 1 to 16 hex digits'],
  [' L befff820', 12, "found the end of the line, expected ',' and a size"],
  [' L befff820,', 13, 'found the end of the line, expected a size of 1 to 4096 bytes'],
  [' L befff820,0', 13, 'found "0", expected a size of 1 to 4096 bytes'],
  [' L befff820,4097', 13, 'found "4097", expected a size'],
  [' S befff820,99999999999999999999', 13, 'expected a size'],
  [' S befff820,4 ', 14, 'found " ", expected the end of the line'],
  [' X befff820,4', 1, 'expected a line of a lackey trace'],
  ['hello world', 1, 'found "hello world", expected a line of a lackey trace'],
  ['SB 04001000', 1, 'without --trace-superblocks'],
])('the error for %j names its column', (line, column, message) => {
  const complaint = complaintOf(() => parse(`I  04001000,3\n\n${line}\nI  04001000,3\n`));
  expect(complaint).toContain(`t:3:${column}: `);
  expect(complaint).toContain(message);
});

test('a last line without an end is a trace that was cut short', () => {
  expect(() => parse('I  04001000,3\nI  0400')).toThrow(
    /^t:2:1: found "I {2}0400" and then nothing, expected the end of the line.*head -n 1/,
  );
});

test('an endless line does not fill the memory', () => {
  expect(() => parse(`I  04001000,3\n${'x'.repeat(70000)}`)).toThrow(/^t:2:1: .*end of the line/);
});

test('any bytes are read or refused', () => {
  const lines = fc.array(fc.oneof(fc.constantFrom(...SOME.split('\n')), fc.string()));
  const trace = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    lines.map((all) => all.join('\n')),
  );
  fc.assert(
    fc.property(trace, (text) => {
      expect([undefined, UserError]).toContain(errorOf(() => parse(text))?.constructor);
    }),
    { numRuns: 500 },
  );
});
