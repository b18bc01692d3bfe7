/** The expected and the actual result of a run. */

import { type RunReport, succeeded } from './run-report.ts';

/**
 * `done`: every guest ended by itself. `killed`: the host killed one. `oops`: the host
 * died. `violated`: something that must hold does not.
 */
export const ENDINGS = ['done', 'killed', 'oops', 'violated'] as const;

export type EndingName = (typeof ENDINGS)[number];

export interface Expectation {
  /** Any of these will do. */
  readonly endings: readonly EndingName[];
  /** A pattern for the reason of a guest's death, the oops or a violation. */
  readonly reason?: RegExp;
}

/** The result of a run: its name, and its message. None: it was interrupted. */
export function outcomeOf(
  report: RunReport,
): { readonly ending: EndingName; readonly reasons: readonly string[] } | undefined {
  const { ending, violations, guests } = report;
  if (ending.kind === 'oops') return { ending: 'oops', reasons: [ending.message] };
  if (ending.kind !== 'done') return undefined;
  // A violation is worse than a death: an expected death does not excuse a leak.
  if (violations.length > 0) return { ending: 'violated', reasons: violations };
  if (succeeded(report)) return { ending: 'done', reasons: [] };
  return { ending: 'killed', reasons: guests.map((guest) => guest.reason) };
}

export function isAsExpected(report: RunReport, { endings, reason }: Expectation): boolean {
  const outcome = outcomeOf(report);
  if (outcome === undefined || !endings.includes(outcome.ending)) return false;
  if (reason === undefined || outcome.ending === 'done') return true;
  return outcome.reasons.some((text) => reason.test(text));
}

const IN_WORDS: Readonly<Record<EndingName, string>> = {
  done: 'every guest ended by itself',
  killed: 'a guest was killed',
  oops: 'the host died',
  violated: 'an invariant was broken',
};

/** One line for a person. */
export function formatExpectation(report: RunReport, expected: Expectation): string {
  const outcome = outcomeOf(report);
  const what = outcome === undefined ? 'the run was interrupted' : IN_WORDS[outcome.ending];
  if (isAsExpected(report, expected)) return `As expected: ${what}.\n`;
  const matching = expected.reason === undefined ? '' : `, for a reason like ${expected.reason}`;
  return (
    `Not as expected: ${what}; expected was: ` +
    `${expected.endings.map((ending) => IN_WORDS[ending]).join(', or ')}${matching}.\n`
  );
}
