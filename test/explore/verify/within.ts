/** All behaviours within bounds, unit by unit. */

import type { Subject } from '../../../src/explore/subject.ts';
import type { Bounds } from '../../../src/explore/verify/bounded.ts';
import { BoundedFrontier } from '../../../src/explore/verify/bounded-frontier.ts';
import { runBounded } from '../../../src/explore/verify/unit.ts';

/** `most`: runs of a unit; `until`: polled after each of them. */
export function within(
  subject: Subject,
  bounds: Bounds,
  { most = 3000, until = (_: BoundedFrontier): boolean => false } = {},
): BoundedFrontier {
  const frontier = new BoundedFrontier(bounds);
  for (let due = frontier.due(); due && !until(frontier); due = frontier.due()) {
    due.add(runBounded(subject, due.part, most));
  }
  return frontier;
}

/** The digests of all. */
export function tracesWithin(subject: Subject, bounds: Bounds): Set<string> {
  const met = new Set<string>();
  const frontier = new BoundedFrontier(bounds);
  for (let due = frontier.due(); due; due = frontier.due()) {
    const result = runBounded(subject, due.part, 3000);
    for (const { traces } of result.met) for (const trace of traces) met.add(trace);
    due.add(result);
  }
  return met;
}
