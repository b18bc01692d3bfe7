/** The ledger of a study's finished runs, and resuming from it. */

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { costTable } from '../../src/cost/model.ts';
import { UserError } from '../../src/errors.ts';
import { studyText } from '../../src/report/study-text.ts';
import { perSeed, verdictOf } from '../../src/study/findings.ts';
import { type LedgerHead, StudyLedger } from '../../src/study/ledger.ts';
import type { StudyPlan } from '../../src/study/result.ts';
import type { Arm, Study } from '../../src/study/study.ts';
import { scratch } from '../scratch.ts';
import { runStudy } from './run-study.ts';

const folder = scratch('study');

const HEAD: LedgerHead = { study: 'squares', scale: 1, costs: '{}', version: '1' };

/** Its runs as they come. */
function squares(ran: string[]): Study {
  const arm = (side: number): Arm => ({
    experiment: side < 3 ? 'small' : 'large',
    levels: { side },
    run: async (seed) => {
      ran.push(`${side}/${seed}`);
      return { area: side * side + seed };
    },
  });
  return {
    name: 'squares',
    title: 'Squares',
    question: 'How large?',
    method: 'Multiply.',
    factors: { side: { title: 'Side', unit: '1' } },
    measures: { area: { title: 'Area', unit: '1', description: 'side times side, and the seed' } },
    arms: () => [1, 2, 3].map(arm),
    charts: [],
    conclude: () => [],
  };
}

const planOf = (study: Study): StudyPlan => ({
  study,
  scale: 1,
  seeds: [10, 20, 30],
  costs: costTable(),
  wants: () => true,
});

test('all settings are run once for each seed, and a point has a sample of each', async () => {
  const ran: string[] = [];
  const result = await runStudy(planOf(squares(ran)), new StudyLedger(undefined, HEAD));
  expect(ran).toEqual(['1/10', '2/10', '3/10', '1/20', '2/20', '3/20', '1/30', '2/30', '3/30']);
  expect(result).toMatchObject({ interrupted: false, seeds: [10, 20, 30] });
  expect(result.points.map(({ levels, measures }) => [levels['side'], measures['area']])).toEqual([
    [1, { median: 21, samples: [11, 21, 31] }],
    [2, { median: 24, samples: [14, 24, 34] }],
    [3, { median: 29, samples: [19, 29, 39] }],
  ]);
});

test('an interrupted study says so, and resumes', async () => {
  const path = join(folder, 'cut.part');
  const first: string[] = [];
  const begun = new StudyLedger(path, HEAD);
  const cut = await runStudy(planOf(squares(first)), begun, 4);
  expect(cut.interrupted).toBe(true);
  expect(first).toHaveLength(4);
  expect(() => new StudyLedger(path, HEAD)).toThrow(/another process uses this ledger/);
  begun.close();
  const second: string[] = [];
  const ledger = new StudyLedger(path, HEAD);
  expect(ledger.size).toBe(4);
  const whole = await runStudy(planOf(squares(second)), ledger);
  expect(whole.interrupted).toBe(false);
  expect([...first, ...second].toSorted()).toHaveLength(new Set([...first, ...second]).size);
  expect(second).toHaveLength(5);
  const straight = await runStudy(planOf(squares([])), new StudyLedger(undefined, HEAD));
  expect(whole).toEqual(straight);
  ledger.close();
  const again = new StudyLedger(path, HEAD);
  expect(again.size).toBe(9);
  again.remove();
  expect(existsSync(path)).toBe(false);
});

test('experiments that are not asked for are not run', async () => {
  const ran: string[] = [];
  const plan = { ...planOf(squares(ran)), wants: (name: string) => name === 'large' };
  const { points } = await runStudy(plan, new StudyLedger(undefined, HEAD));
  expect(ran).toEqual(['3/10', '3/20', '3/30']);
  expect(points).toHaveLength(1);
});

test.each([
  [{ study: 'cubes' }, 'another study: study "squares" there, "cubes" here'],
  [{ scale: 2 }, 'another study: scale 1 there, 2 here'],
  [{ costs: '{"access":2}' }, 'another study: costs "{}" there'],
  [{ version: '2' }, 'another study: version "1" there, "2" here'],
])('the ledger of %j is not resumed', (other, said) => {
  const path = join(folder, 'other.part');
  rmSync(path, { force: true });
  new StudyLedger(path, HEAD).close();
  expect(() => new StudyLedger(path, { ...HEAD, ...other })).toThrow(said);
});

test('a damaged one is refused, wherever it is cut short', async () => {
  const path = join(folder, 'whole.part');
  const whole = new StudyLedger(path, HEAD);
  await runStudy(planOf(squares([])), whole);
  whole.close();
  const bytes = readFileSync(path);
  for (const missing of [1, 100, 1000, 4096, 5000]) {
    const cut = join(folder, `cut-${missing}.part`);
    writeFileSync(cut, bytes.subarray(0, -missing));
    expect(() => new StudyLedger(cut, HEAD), `${missing}`).toThrow(/no ledger, or a damaged one/);
  }
  const other = join(folder, 'other-text.part');
  writeFileSync(other, bytes.toString('latin1').replace('{"area":', '{"area";'), 'latin1');
  expect(() => new StudyLedger(other, HEAD)).toThrow(UserError);
});

test('one in the form of before says which version wrote it', () => {
  const path = join(folder, 'before.part');
  writeFileSync(
    path,
    `${JSON.stringify({ study: 'squares', version: '0.0.9' })}\n{"unit":"[1]"}\n`,
  );
  expect(() => new StudyLedger(path, HEAD)).toThrow(/is a ledger of umbra 0\.0\.9, in its earlier/);
  expect(readFileSync(path, 'utf8')).toContain('0.0.9');
});

/** Claims of each side that it is larger than 2. */
const concluding = (ran: string[]): Study => ({
  ...squares(ran),
  conclude: (points) =>
    points.map((point) => {
      const figure = perSeed([point], ({ area }) => area!);
      return {
        claim: `Side ${point.levels['side']} is large.`,
        answer: `${figure.value}.`,
        verdict: verdictOf(figure, { above: 1 }),
        figure: { name: 'area', unit: '1', ...figure },
      };
    }),
});

test.each([1, 2, 5])(
  'after Ctrl-C with %i seeds done the claims are undecided, with the reason',
  async (done) => {
    const seeds = [1, 2, 3, 4, 5, 6, 7, 8];
    const plan = { ...planOf(concluding([])), seeds };
    // All three sides of so many seeds, and one side of the next.
    const cut = await runStudy(plan, new StudyLedger(undefined, HEAD), 3 * done + 1);
    expect(cut.interrupted).toBe(true);
    expect(cut.findings.map(({ verdict }) => verdict)).toEqual(
      cut.points.map(({ measures }) =>
        measures['area']!.samples.length < 6 ? 'not clear' : 'holds',
      ),
    );
    expect(cut.findings.at(-1)).toMatchObject({ verdict: 'not clear', figure: { samples: done } });
    expect(cut.findings.at(-1)!.answer).toMatch(
      done === 1
        ? /One seed is too few for a verdict/
        : `${done} seeds are too few for a verdict, which takes 6.`,
    );
    const said = studyText(cut, { columns: 400, wrap: (text) => text });
    expect(said).toContain(`Medians over ${done} to ${done + 1} of 8 seeds from 1`);
    expect(said).not.toMatch(/(\[(\S+), \2\])|±0/);
  },
);

test('seeds after a missing one wait for it: samples are of the same seeds', async () => {
  const ledger = new StudyLedger(undefined, HEAD);
  const plan = planOf(squares([]));
  await runStudy({ ...plan, seeds: [30] }, ledger);
  const { points } = await runStudy(plan, ledger, 2);
  expect(points.map(({ measures }) => measures['area']!.samples)).toEqual([[11], [14]]);
});
