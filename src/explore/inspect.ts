/** Inspecting a schedule: the machine just after some of its steps. */

import type { Host } from '../../shared/host.ts';
import { inspect, type Section, type Wanted } from '../report/inspection.ts';
import type { Decisions } from './engine/controller.ts';
import { hexPage } from './story/guest-words.ts';
import { Places } from './story/places.ts';
import { type RecordedStep, recordRun, type Stores } from './story/recording.ts';
import type { Subject } from './subject.ts';

/** Where to stop: a step by its number from 0, or the n-th event of all CPUs, from 1. */
export type Stop = { readonly step: number } | { readonly event: number };

export interface Stopped {
  readonly step: RecordedStep;
  /** Events of all CPUs up to here. */
  readonly events: number;
  readonly sections: readonly Section[];
}

/** Thrown to end a run after the last stop. */
const ENOUGH = Symbol('enough');

/**
 * Replay a schedule up to the last stop, and inspect each. `found` is in the order of `stops`;
 * undefined where the schedule does not come so far, and then `events` are all that it has.
 */
export function inspectSchedule(
  subject: Subject,
  decisions: Decisions,
  stops: readonly Stop[],
  wanted: Wanted,
): { readonly found: readonly (Stopped | undefined)[]; readonly events: number } {
  const found: (Stopped | undefined)[] = stops.map(() => undefined);
  let events = 0;
  let places: Places | undefined;
  try {
    recordRun(subject, decisions, (step, host, stores) => {
      places ??= new Places(host, subject.litmus);
      places.note(step);
      events += step.events.length;
      for (const [i, stop] of stops.entries()) {
        if (found[i] !== undefined) continue;
        const isHere = 'step' in stop ? step.number === stop.step : events >= stop.event;
        if (isHere)
          found[i] = { step, events, sections: momentOf(subject, host, stores, places, wanted) };
      }
      if (found.every((one) => one !== undefined)) throw ENOUGH;
    });
  } catch (error) {
    if (error !== ENOUGH) throw error;
  }
  return { found, events };
}

/** The machine between two steps; `places`: as they are named by now. */
export function momentOf(
  { setting }: Pick<Subject, 'setting'>,
  host: Host,
  stores: Stores,
  places: Pick<Places, 'describe'>,
  wanted: Wanted,
): Section[] {
  const sections = inspect(host, wanted);
  // Under sequential consistency none ever waits.
  if (setting.memory !== 'tso' || !wanted.views.includes('stores')) return sections;
  const after = sections.findLastIndex(({ view }) => view === 'cpus') + 1;
  return sections.toSpliced(after, 0, ...storesSections(stores, places));
}

const storesSections = (stores: Stores, places: Pick<Places, 'describe'>): Section[] =>
  stores.map((waiting, cpu) => ({
    title: `host CPU ${cpu}, its store buffer`,
    view: 'stores',
    lines: [
      {
        key: 'waiting',
        depth: 0,
        text: waiting.length === 0 ? 'empty' : `${waiting.length} waiting, the oldest first`,
      },
      ...waiting.map(({ number, at, value }) => ({
        key: `store ${number}`,
        depth: 1,
        text: `${places.describe(at).name} = ${hexPage(value >>> 0)}, of step ${number}`,
      })),
    ],
  }));
