/**
 * A campaign in a report: what each strategy did on each test, and the schedules that went wrong.
 */

import { z } from 'zod';
import { formatChance, grouped } from '../../numbers.ts';
import { settingText } from '../litmus-setting.ts';
import { facts, folded, paragraph, table } from './parts.ts';

const strategy = z.object({
  strategy: z.string(),
  schedules: z.number(),
  steps: z.number(),
  failures: z.number(),
});

const unseen = z.object({ estimate: z.number(), low: z.number(), high: z.number() });

const setting = z.object({
  discipline: z.string(),
  paging: z.string(),
  memory: z.string().optional(),
  abridged: z.boolean().optional(),
  defects: z.array(z.string()),
  distinct: z.number(),
  /** Not in older files; null if no schedule was drawn. */
  unseen: unseen.nullish(),
  first_failures: z.array(z.object({ ending: z.string(), message: z.string(), token: z.string() })),
  strategies: z.array(strategy),
});

/** The part of the file of `umbra campaign --json` that is shown. */
export const campaign = z.object({
  schema_version: z.literal(1),
  seed: z.number(),
  units: z.object({ done: z.number(), all: z.number() }),
  schedules: z.number(),
  distinct: z.number(),
  failures: z.number(),
  tests: z.array(z.object({ path: z.string(), settings: z.array(setting) })),
});

export type Campaign = z.infer<typeof campaign>;

export function campaignSection({ tests, units, ...all }: Campaign): string {
  const settings = tests
    .flatMap(({ path, settings: own }) =>
      own.map((one) => ({ ...one, test: `${path}, ${settingText(one)}` })),
    )
    .toSorted((a, b) => sumOf(b.strategies, 'failures') - sumOf(a.strategies, 'failures'));
  const failed = settings.flatMap(({ test, first_failures }) =>
    first_failures.map(({ ending, message, token }) => [
      ...[test, `${ending}: ${message}`, `umbra replay ${token}`],
    ]),
  );
  return [
    facts([
      ['Seed', String(all.seed)],
      ['Units', `${grouped(units.done)} of ${grouped(units.all)}`],
      ['Schedules', `${grouped(all.schedules)}, ${grouped(all.distinct)} of them different`],
      ['Failures', grouped(all.failures)],
    ]),
    ...(failed.length === 0
      ? [paragraph('No schedule went wrong.')]
      : [
          table({
            caption: 'Went wrong',
            head: ['Test', 'What went wrong', 'Repeat it'],
            rows: failed,
          }),
        ]),
    table({
      caption: 'By test and setting, those that went wrong first',
      head: ['Test', 'Schedules', 'Different', 'Chance of a new one', 'Failures'],
      rows: settings.map(({ test, distinct, unseen: chance, strategies }) => [
        ...[test, grouped(sumOf(strategies, 'schedules')), grouped(distinct)],
        ...[chance ? formatChance(chance) : '–', grouped(sumOf(strategies, 'failures'))],
      ]),
    }),
    ...(settings.some((one) => one.unseen) ? [paragraph(UNSEEN)] : []),
    folded(
      'What each strategy did on each test',
      table({
        caption: 'What each strategy did',
        head: ['Test', 'Strategy', 'Schedules', 'Steps', 'Failures'],
        rows: settings.flatMap(({ test, strategies }) =>
          strategies.map((one) => [
            ...[test, one.strategy, grouped(one.schedules)],
            ...[grouped(one.steps), grouped(one.failures)],
          ]),
        ),
      }),
    ),
  ].join('\n');
}

const UNSEEN =
  'Different: schedules with a new order of conflicting accesses. Next to it, the chance ' +
  'that one more ' +
  'schedule of the same strategies shows a new order (Good–Turing, 95 %). It describes the ' +
  'strategies, ' +
  'and is no share of all behaviours: there may be many that they hardly ever show.';

const sumOf = (
  strategies: readonly z.infer<typeof strategy>[],
  what: 'schedules' | 'failures',
): number => strategies.reduce((sum, one) => sum + one[what], 0);
