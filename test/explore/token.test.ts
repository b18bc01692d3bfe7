/** Runs as lines. */

import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DISCIPLINES } from '../../shared/discipline.ts';
import { ALL_DEFECTS } from '../../src/defects.ts';
import { UserError } from '../../src/errors.ts';
import { MOST_STEPS_EVER } from '../../src/explore/engine/run-mode.ts';
import { readLitmus } from '../../src/explore/litmus/read.ts';
import { packSwitches, unpackSwitches } from '../../src/explore/packed.ts';
import { replayToken, tokenOf } from '../../src/explore/replay.ts';
import { Pct } from '../../src/explore/strategies/pct.ts';
import { Subject } from '../../src/explore/subject.ts';
import { decodeToken, ENGINE_VERSION, encodeToken, type Token } from '../../src/explore/token.ts';

const whole: fc.Arbitrary<Token> = fc.record({
  file: fc.string({ unit: 'grapheme' }),
  digest: fc.string(),
  paging: fc.constantFrom('nonpae', 'pae'),
  discipline: fc.constantFrom(...DISCIPLINES),
  defects: fc.subarray([...ALL_DEFECTS]),
  mostSteps: fc.integer({ min: 1, max: MOST_STEPS_EVER }),
  turns: fc.array(fc.tuple(fc.nat(), fc.nat({ max: 31 }))).map((pairs) => pairs.flat()),
  drawn: fc.array(fc.nat({ max: 0xffff_ffff })),
  steps: fc.integer({ min: 1 }),
  digests: fc.base64String(),
});

/** Of all operations, or of those that are kept. */
const tokens: fc.Arbitrary<Token> = fc.oneof(
  whole,
  fc.tuple(whole, fc.array(fc.array(fc.nat()))).map(([token, kept]) => ({ ...token, kept })),
);

test('a token decodes to the encoded run', () => {
  fc.assert(
    fc.property(tokens, (token) => {
      const text = encodeToken(token);
      expect(text).toMatch(/^umbra\d+\.[\w-]+$/);
      expect(decodeToken(text)).toEqual(token);
      expect(decodeToken(` ${text}\n`)).toEqual(token);
    }),
  );
});

test('switches survive packing', () => {
  const one = fc.tuple(fc.nat({ max: 1000 }), fc.nat({ max: 7 }));
  fc.assert(
    fc.property(fc.array(one), (distances) => {
      let step = 0;
      const switches = distances.flatMap(([distance, cpu]) => {
        step += distance;
        return [step, cpu];
      });
      expect(packSwitches(switches)).toEqual(distances.flat());
      expect(unpackSwitches(packSwitches(switches))).toEqual(switches);
    }),
  );
});

const token: Token = {
  file: 'litmus/x.yaml',
  digest: 'abc',
  paging: 'pae',
  discipline: 'lock-free',
  defects: ['R2'],
  mostSteps: 100,
  turns: [3, 1, 4, 0],
  drawn: [],
  steps: 9,
  digests: 'AAA=',
};

const packed = (content: string): string =>
  `umbra${ENGINE_VERSION}.${deflateRawSync(content).toString('base64url')}`;

function withBytesBehind(text: string): string {
  const [prefix, content] = text.split('.');
  const bytes = Buffer.concat([Buffer.from(content!, 'base64url'), Buffer.from('more')]);
  return `${prefix}.${bytes.toString('base64url')}`;
}

test('a diverging replay reports the step and the difference', () => {
  const path = 'litmus/1-fault/R2-cleared-entry-comes-back.yaml';
  const setting = { paging: 'nonpae', discipline: 'lock-free', defects: [] } as const;
  const subject = new Subject(path, readLitmus(path), setting);
  const found = decodeToken(tokenOf(subject, subject.run(new Pct(3), 1)));
  expect(found.digests).toHaveLength(found.steps);
  for (const step of [1, 100, found.steps]) {
    const other = (Number.parseInt(found.digests[step - 1]!, 16) ^ 1).toString(16);
    const digests = found.digests.slice(0, step - 1) + other + found.digests.slice(step);
    expect(() => replayToken(subject, { ...found, digests })).toThrow(
      new RegExp(
        `at step ${step}, or .*: CPU \\d makes the access \\w+ \\(.*\\) in src/.*:\\d+ \\w+`,
      ),
    );
  }
  expect(() => replayToken(subject, { ...found, steps: found.steps + 1 })).toThrow(
    /ended after \d+ steps/,
  );
  expect(replayToken(subject, found).ending).toBe('ok');
});

describe('a damaged token is refused', () => {
  const text = encodeToken(token);

  test('cut at any place', () => {
    for (let length = 0; length < text.length; length++) {
      expect(() => decodeToken(text.slice(0, length)), `${length}`).toThrow(UserError);
      expect(() => decodeToken(text.slice(length + 1)), `from ${length + 1}`).toThrow(UserError);
    }
  });

  test.each([
    ['nothing', '', /is no token/],
    [
      'some text',
      'what is this, and why is it so long?',
      /'what is this, and why is it so…' is no/,
    ],
    ['another engine', text.replace(/^umbra\d+/, 'umbra999'), /of engine 999, .* explore again/s],
    ['not packed', `umbra${ENGINE_VERSION}.${JSON.stringify(token)}`, /damaged/],
    ['no JSON', packed('{"file":'), /damaged/],
    ['a number', packed('7'), /damaged/],
    ['a field too few', packed(JSON.stringify({ ...token, file: undefined })), /damaged/],
    ['a field too many', packed(JSON.stringify({ ...token, more: 1 })), /damaged/],
    ['text after it', `${text}AAAA`, /damaged/],
    ['a character outside the alphabet', `${text.slice(0, 9)}+${text.slice(9)}`, /damaged/],
    ['bytes after it', withBytesBehind(text), /damaged/],
    [
      'switches that are not pairs',
      packed(JSON.stringify({ ...token, turns: [3, 1, 4] })),
      /damaged/,
    ],
    ['no such CPU', packed(JSON.stringify({ ...token, turns: [3, 32] })), /damaged/],
    ['a negative place', packed(JSON.stringify({ ...token, kept: [[-1]] })), /damaged/],
    ['a negative step', packed(JSON.stringify({ ...token, turns: [-3, 1] })), /damaged/],
    ['no such defect', packed(JSON.stringify({ ...token, defects: ['R99'] })), /damaged/],
  ])('%s', (_, damaged, words) => {
    expect(() => decodeToken(damaged)).toThrow(UserError);
    expect(() => decodeToken(damaged)).toThrow(words);
  });
});
