/** The player's data equal the machine: after every step, in every setting. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DISCIPLINES } from '../../../shared/discipline.ts';
import type { DefectId } from '../../../src/defects.ts';
import { inspectSchedule } from '../../../src/explore/inspect.ts';
import { readLitmus } from '../../../src/explore/litmus/read.ts';
import type { Result } from '../../../src/explore/result.ts';
import type { Setting } from '../../../src/explore/setting.ts';
import { playerOf } from '../../../src/explore/story/player.ts';
import { recordRun } from '../../../src/explore/story/recording.ts';
import { STRATEGIES } from '../../../src/explore/strategies/catalogue.ts';
import { Subject } from '../../../src/explore/subject.ts';
import { sourceOf } from '../../../src/platform.ts';
import { foldRows, VIEWS } from '../../../src/report/inspection.ts';
import { type MachineLine, Track } from '../../../src/report/player/track.ts';
import { SLOW } from '../../slow.ts';
import { find, R2, R9 } from './found.ts';

/** These fail early under every discipline. */
const TESTS: readonly (readonly [path: string, defect: DefectId])[] = [
  ['litmus/5-flush/R7-clear-all-repairs-one.yaml', 'R7'],
  ['litmus/3-set/R8-set-pmd.yaml', 'R8'],
  [R9, 'R9'],
  ['litmus/4-switch/R11-victim-in-use.yaml', 'R11'],
];

/** One per discipline, in each paging form twice; with UMBRA_SLOW, two per discipline and form. */
const picks = (discipline: number, form: number): readonly number[] =>
  SLOW ? [0, 1] : [0].filter(() => discipline % 2 === form);

const CASES = DISCIPLINES.flatMap((discipline, i) =>
  (['nonpae', 'pae'] as const).flatMap((paging, j) =>
    picks(i, j).map((k) => {
      const [path, defect] = TESTS[(i + 2 * j + k) % TESTS.length]!;
      const setting: Setting = { discipline, paging, defects: [defect] };
      return { path, setting };
    }),
  ),
);

const STORES: Setting = { discipline: 'lock-free', paging: 'nonpae', defects: [], memory: 'tso' };

function runOf(path: string, setting: Setting, mayEnd: boolean): readonly [Subject, Result] {
  const subject = new Subject(path, readLitmus(path), setting);
  const strategy = STRATEGIES.fewest!();
  for (let seed = 0; seed < 20; seed++) {
    const result = subject.run(strategy, seed);
    if (mayEnd || result.ending !== 'ok') return [subject, result];
  }
  throw new Error(`${path} does not go wrong`);
}

const textOf = ({ depth, text }: Pick<MachineLine, 'depth' | 'text'>): string =>
  ' '.repeat(depth) + text;

/** The state the player shows, without freed parts. */
const shown = (lines: readonly MachineLine[]): string =>
  lines
    .filter(({ change }) => change !== 'gone')
    .map(textOf)
    .join('\n');

/** The state it shows from before the step. */
const shownBefore = (lines: readonly MachineLine[]): string =>
  lines
    .filter(({ change }) => change !== 'new')
    .map((line) =>
      textOf(typeof line.change === 'object' ? { ...line, text: line.change.from } : line),
    )
    .join('\n');

test.each([
  ...CASES.map((one) => ({ ...one, mayEnd: false })),
  { path: 'litmus/1-fault/store-buffering.yaml', setting: STORES, mayEnd: true },
])(
  '$path, $setting.discipline, $setting.paging: after each step it shows the machine as inspect does',
  ({ path, setting, mayEnd }) => {
    const [subject, result] = runOf(path, setting, mayEnd);
    const track = new Track(playerOf(subject, result, { sourceOf: () => undefined }).tracks[0]);
    expect(track.length).toBe(result.run.steps);
    const stops = Array.from({ length: track.length }, (_, step) => ({ step }));
    const { found } = inspectSchedule(subject, result.run.decisions, stops, { views: VIEWS });
    let before = shown(track.machine(0));
    let changes = 0;
    for (const [step, stopped] of found.entries()) {
      const expected = stopped!.sections
        .flatMap(({ title, lines }) => [{ depth: 0, text: title }, ...foldRows(lines)].map(textOf))
        .join('\n');
      const lines = track.machine(step);
      expect(shown(lines), `step ${step}`).toBe(expected);
      expect(shownBefore(lines), `before step ${step}`).toBe(before);
      if (lines.some(({ change }) => change !== undefined)) changes++;
      before = expected;
    }
    expect(changes).toBeGreaterThan(40);
    expect(before.includes('its store buffer')).toBe(setting.memory === 'tso');
  },
);

test.each(['nonpae', 'pae'] as const)(
  'the entry values of steps are those the tables then hold, %s',
  (paging) => {
    const setting: Setting = { discipline: 'lock-free', paging, defects: [] };
    const [subject, result] = runOf(R2, setting, true);
    const track = new Track(playerOf(subject, result, { sourceOf: () => undefined }).tracks[0]);
    const { sections } = track.data.machine;
    const depth = paging === 'pae' ? 2 : 1;
    const [said, shown]: [string[], string[]] = [[], []];
    for (let number = 1; number < track.length; number++) {
      const { place, after } = track.step(number);
      const [, address, pgdir] = /^pte of (0x\w{8}) \(pgdir (\d+)\)$/.exec(place) ?? [];
      if (after === undefined || address === undefined) continue;
      const title = `guest 0, pgdir ${pgdir}, shadow`;
      const line = track
        .machine(number)
        .find(
          ({ section, key, change }) =>
            sections[section]![0] === title &&
            key === `${depth} ${Number(address)}` &&
            change !== 'gone',
        );
      const frame = / → frame \d+ \((page 0x\w+) of guest 0\)/.exec(line?.text ?? '')?.[1];
      said.push(`${number} ${/^page 0x\w+/.exec(after)?.[0] ?? (after === 'none' ? '-' : '+')}`);
      shown.push(`${number} ${frame ?? (line === undefined ? '-' : '+')}`);
    }
    expect(shown).toEqual(said);
    expect(said.filter((text) => text.includes('page')).length).toBeGreaterThan(2);
    expect(said.filter((text) => text.endsWith('-')).length).toBeGreaterThan(0);
  },
);

test("buffered stores are those in the engine's store buffers", () => {
  const [subject, result] = runOf('litmus/1-fault/store-buffering.yaml', STORES, true);
  const { tasks } = subject.board.controller;
  let most = 0;
  recordRun(subject, result.run.decisions, (step, _, stores) => {
    const waiting = stores.map((own) => own.map(({ at, value }) => [at, value >>> 0]));
    expect(waiting, `step ${step.number}`).toEqual(tasks.map((task) => task.stores.waiting));
    most = Math.max(most, ...waiting.map(({ length }) => length));
  });
  expect(most).toBeGreaterThan(1);
});

test('the common part of two schedules, and where they diverge', () => {
  const { subject, failing, passing } = find(R2, 'R2', 'lock-free', 'nonpae');
  const { tracks, parting, twins, sources } = playerOf(subject, failing, {
    passing: passing!,
    tokens: ['umbra5.a', 'umbra5.b'],
    sourceOf,
  });
  const [here, there] = tracks.map((track) => new Track(track!)) as [Track, Track];
  const whose = (track: Track) => (step: number) => {
    const { number: _, before, after, ...same } = track.step(step);
    return same;
  };
  const shared = Array.from({ length: parting! }, (_, step) => step);
  expect(shared.map(whose(there))).toEqual(shared.map(whose(here)));
  expect(whose(there)(parting!)).not.toEqual(whose(here)(parting!));
  expect(twins!.slice(0, parting!)).toEqual(shared);
  const others = twins!.flatMap((twin, step) => (step >= parting! && twin >= 0 ? [step] : []));
  expect(others.length).toBeGreaterThan(100);
  for (const step of others) {
    const { place, name, line, hostCpu } = here.step(step);
    expect(there.step(twins![step]!)).toMatchObject({ place, name, line, hostCpu });
  }
  const { file, line } = here.step(here.flags.get('break')!);
  expect(sources[file]).toBe(readFileSync(file, 'utf8'));
  expect(sources[file]!.split('\n')[line - 1]).toContain('writeBack');
  expect(tracks.map((track) => track!.token)).toEqual(['umbra5.a', 'umbra5.b']);
  expect(here.data.story.findings.length).toBe(2);
});

test('a run of hundreds of steps takes a few hundred kilobytes', () => {
  const { subject, failing, passing } = find(R2, 'R2', 'lock-free', 'nonpae');
  const data = playerOf(subject, failing, { passing: passing!, sourceOf });
  expect(JSON.stringify(data).length).toBeLessThan(500_000);
});
