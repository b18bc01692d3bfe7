/** A run's report as JSON, read again for how often each event happened. */

import type { Subject } from '../cost/sensitivity.ts';
import { byEvent } from '../cost/table.ts';
import { UserError } from '../errors.ts';
import { textOf } from '../yaml/text-of.ts';
import { type Repeated, repeatedBy } from './repeated.ts';
import type { RunReport } from './run-report.ts';

/** By the path as its name. Throws UserError if it is no such report. */
export function readOccurrences(path: string): Subject & Repeated {
  const text = textOf(path, 'give a file that --json of umbra start or umbra run has written');
  let report: unknown;
  try {
    report = JSON.parse(text);
  } catch {
    throw new UserError(`${path}: found text that is not JSON, expected the report of a run`);
  }
  const occurrences = byEvent((id) => {
    const count = at(report, ['costs', 'total', 'by_event', id, 'count']);
    if (typeof count === 'number' && count >= 0) return count;
    throw new UserError(
      `${path}: found no number of times for ${id}, expected the report of a run of this umbra ` +
        '(--json of umbra start or umbra run)',
    );
  });
  return { name: path, occurrences, ...repeatedBy(report as RunReport, path) };
}

function at(value: unknown, path: readonly string[]): unknown {
  let here = value;
  for (const step of path) here = (here as Record<string, unknown> | null | undefined)?.[step];
  return here;
}
