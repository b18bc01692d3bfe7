import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { replayVectorFile } from '../../src/conformance/replay.ts';
import { readVectorFile } from '../../src/conformance/vector-file.ts';
import { linesOf, VECTORS, withFile } from './altered.ts';

const replayLines = (lines: readonly string[]) =>
  withFile(lines, (path) => replayVectorFile(readVectorFile(path)));

/** The lines of one recording, with the operation at `line` (from 1) rewritten. */
function altered(
  lines: readonly string[],
  line: number,
  rewrite: (operation: Record<string, unknown>) => object,
): string[] {
  return lines.map((text, i) =>
    i === line - 1 ? JSON.stringify(rewrite(JSON.parse(text))) : text,
  );
}

describe('a recording in which one line is changed', () => {
  const lines = linesOf(join(VECTORS, 'nonpae', 'random-0000.jsonl'));
  const withEffect = (side: 'add' | 'del'): number[] =>
    lines.flatMap((text, i) => (i > 0 && JSON.parse(text)[side] ? i + 1 : []));
  const runs = { numRuns: 25 };

  test.each([
    { side: 'add', sign: '+' },
    { side: 'del', sign: '-' },
  ] as const)('differs there, and in that line of "$side" alone', ({ side, sign }) => {
    fc.assert(
      fc.property(fc.constantFrom(...withEffect(side)), fc.nat(), (line, pick) => {
        let original = '';
        const changed = altered(lines, line, (operation) => {
          const facts = operation[side] as string[];
          original = facts[pick % facts.length]!;
          return { ...operation, [side]: facts.with(pick % facts.length, 'mem 0 1') };
        });
        expect(replayLines(changed).difference).toMatchObject({
          line,
          operation: line - 1,
          expected: [`${sign} mem 0 1`],
          found: [`${sign} ${original}`],
        });
      }),
      runs,
    );
  });

  test('differs where a fact is missing, and where one is added', () => {
    fc.assert(
      fc.property(fc.constantFrom(...withEffect('add')), (line) => {
        const without = altered(lines, line, (o) => ({ ...o, add: (o['add'] as []).slice(1) }));
        const first = JSON.parse(lines[line - 1]!).add[0];
        expect(replayLines(without).difference).toMatchObject({
          line,
          expected: [],
          found: [`+ ${first}`],
        });
        const more = altered(lines, line, (o) => ({
          ...o,
          add: [...(o['add'] as []), 'tables 99'],
        }));
        expect(replayLines(more).difference).toMatchObject({
          line,
          expected: ['+ tables 99'],
          found: [],
        });
      }),
      runs,
    );
  });

  test("differs where a function's return value is changed", () => {
    const line = lines.findIndex((text) => text.includes('"returns":true')) + 1;
    const changed = altered(lines, line, (operation) => ({ ...operation, returns: false }));
    expect(replayLines(changed).difference).toMatchObject({
      line,
      expected: ['returns false'],
      found: ['returns true'],
    });
  });

  test('differs where the recording says that the host died and it did not', () => {
    const line = lines.findIndex((text) => text.includes('"mapSwitcherInGuest"')) + 1;
    const { op, cpu, hostCpu } = JSON.parse(lines[line - 1]!);
    const changed = altered(lines, line, () => ({ op, cpu, hostCpu, oops: 'BUG_ON' }));
    expect(replayLines(changed).difference).toMatchObject({
      line,
      expected: ['oops BUG_ON'],
      found: ['oops none'],
    });
  });

  test('shows the vCPUs, the pgdirs and the entry concerned before the operation', () => {
    const line = lines.findIndex((text) => text.includes('"errorCode":2')) + 1;
    const changed = altered(lines, line, (operation) => ({ ...operation, returns: false }));
    const again = [...changed.slice(0, line - 1), lines[line - 1]!, changed[line - 1]!];
    const page = JSON.parse(lines[line - 1]!).vaddr.slice(2);
    const { difference } = replayLines(again);
    expect(difference?.around).toContain('cpu 0 pgd=0 linear=1');
    expect(difference?.around).toContain('pgdir 0 gpgdir=0 switcher=1 host=-1');
    expect(difference?.around.filter((fact) => fact.includes(page))).toHaveLength(1);
  });
});

test('an unexpected death of the host ends the replay with a difference', () => {
  const path = join(VECTORS, 'nonpae');
  const file = readdirSync(path).find((name) => linesOf(join(path, name)).at(-1)!.includes('oops'));
  const lines = linesOf(join(path, file!));
  const { oops, ...operation } = JSON.parse(lines.at(-1)!);
  expect(replayLines([...lines.slice(0, -1), JSON.stringify(operation)]).difference).toMatchObject({
    line: lines.length,
    expected: ['oops none'],
    found: [`oops ${oops}`],
  });
});
