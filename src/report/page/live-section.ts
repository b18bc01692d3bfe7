/**
 * Live progress of work: how much is done, how fast, coverage, and failures so far.
 */

import { grouped, perSecond } from '../../numbers.ts';
import { escaped } from './escaped.ts';
import { facts, type PageTable, paragraph, table } from './parts.ts';

/** How far work is. */
export interface Advance {
  /** In `unit`, a plural. */
  readonly done: number;
  /** Where it is known. */
  readonly all?: number | undefined;
  readonly unit: string;
  /** A second; undefined where it is not known. */
  readonly rate: number | undefined;
  /** In words. */
  readonly eta: string;
  readonly failures: number;
}

export interface LiveFailure {
  /** Of what: a seed, a test. */
  readonly of: string;
  readonly says: string;
  /** The command that does it again. */
  readonly again: string;
}

export interface LivePage {
  /** The command. */
  readonly title: string;
  /** `under way`, `done`, `interrupted` */
  readonly state: string;
  readonly advance: Advance;
  /** Further facts, such as coverage. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** The first ones, the newest first. */
  readonly failed: readonly LiveFailure[];
  readonly tables: readonly PageTable[];
}

/** A bar, and the figures. */
function advancePart(state: string, { done, all, unit, rate, eta, failures }: Advance): string {
  const share = all === undefined || all === 0 ? undefined : Math.floor((100 * done) / all);
  const bar =
    `<progress${all ? ` max="${all}" value="${Math.min(done, all)}"` : ''} ` +
    `aria-label="${escaped(unit)} done"></progress>`;
  const capital = unit[0]!.toUpperCase() + unit.slice(1);
  return [
    ...(share === undefined ? [] : [bar]),
    facts([
      ['State', state],
      [
        capital,
        share === undefined ? grouped(done) : `${grouped(done)} of ${grouped(all!)} (${share} %)`,
      ],
      ['Rate', rate === undefined ? '–' : `${perSecond(rate)} ${unit}/s`],
      ['Time left', eta],
      ['Failures', grouped(failures)],
    ]),
  ].join('\n');
}

export const liveSection = ({ state, advance, facts: more, failed, tables }: LivePage): string =>
  [
    advancePart(state, advance),
    ...(more.length === 0 ? [] : [facts(more)]),
    ...(failed.length === 0
      ? [paragraph('Nothing has gone wrong so far.')]
      : [
          table({
            caption: 'What went wrong, the newest first',
            head: ['Of', 'What', 'Repeat it'],
            rows: failed.map(({ of, says, again }) => [of, says, again]),
          }),
        ]),
    ...tables.map(table),
  ].join('\n');
