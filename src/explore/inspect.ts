/** A schedule looked at on its way: the machine just after some of its steps. */

import { inspect, type Section, type Wanted } from '../report/inspection.ts';
import type { Decisions } from './engine/turn.ts';
import { type RecordedStep, recordRun } from './story/recording.ts';
import type { Subject } from './subject.ts';

/** What is looked for: a step by its number from 0, or the n-th event of all CPUs, counted from 1. */
export type Stop = { readonly step: number } | { readonly event: number };

export interface Stopped {
  readonly step: RecordedStep;
  /** Events of all CPUs up to here. */
  readonly events: number;
  readonly sections: readonly Section[];
}

/** Thrown to end a run that nobody is interested in any more. */
const ENOUGH = Symbol('enough');

/**
 * Do a schedule again up to the last of some stops, and look at each. In the order of `stops`;
 * undefined where the schedule does not come so far.
 */
export function inspectSchedule(
  subject: Subject,
  decisions: Decisions,
  stops: readonly Stop[],
  wanted: Wanted,
): (Stopped | undefined)[] {
  const found: (Stopped | undefined)[] = stops.map(() => undefined);
  let events = 0;
  try {
    recordRun(subject, decisions, (step, host) => {
      events += step.events.length;
      for (const [i, stop] of stops.entries()) {
        if (found[i] !== undefined) continue;
        const isHere = 'step' in stop ? step.number === stop.step : events >= stop.event;
        if (isHere) found[i] = { step, events, sections: inspect(host, wanted) };
      }
      if (found.every((one) => one !== undefined)) throw ENOUGH;
    });
  } catch (error) {
    if (error !== ENOUGH) throw error;
  }
  return found;
}
