/**
 * Schedules to step through: what each step did, and the machine after each. Plain JSON, made by
 * src/explore/story/player.ts, shown by mount.ts. A run has hundreds of steps, or thousands, most
 * of which change little, so texts and lines are kept once and named by number.
 */

import type { Mark, Part, Story } from '../story.ts';

export interface PlayerData {
  readonly schema_version: 1;
  /** The schedule; then a passing one, if there is one to compare with. */
  readonly tracks: readonly [TrackData, TrackData?];
  /** The first step that is not the same in both; undefined for one alone. */
  readonly parting?: number;
  /** Of each step of the first track the number of the same access in the second; −1 for none. */
  readonly twins?: readonly number[];
  /** Files of the source that steps are in, from `src/…` or `shared/…`. */
  readonly sources: Readonly<Record<string, string>>;
}

/** A text of `texts`, by its number. */
export type Text = number;

export interface TrackData {
  readonly story: Story;
  /** For `umbra replay`; undefined where none is at hand. */
  readonly token?: string;
  readonly texts: readonly string[];
  readonly places: readonly PlaceData[];
  readonly steps: readonly StepData[];
  /** What happens between steps, on a step's CPU before that step, in order. */
  readonly marks: readonly MarkData[];
  readonly machine: MachineData;
}

/** Where in the source: part, function, file, line from 1. Of hardware name and file are ''. */
export type PlaceData = readonly [part: Part, name: string, file: string, line: number];

export type StepData = readonly [
  hostCpu: number,
  /** −1 for none. */
  vcpu: number,
  /** A number of `places`. */
  where: number,
  does: Text,
  place: Text,
  before: Text,
  /** −1 where nothing was written. */
  after: Text | -1,
  /** Names of the locks that are held, with commas between; −1 for none. */
  locks: Text | -1,
];

export type MarkData = readonly [step: number, kind: Mark['kind'], text: Text];

/** As `umbra inspect` shows it, line by line; each section begins with a line without a key. */
export interface MachineData {
  /** Its view: one of VIEWS in inspection.ts. */
  readonly sections: readonly (readonly [title: string, view: string])[];
  readonly lines: readonly LineData[];
  /** After step 0: numbers of `lines`. */
  readonly first: readonly number[];
  /** For each step, from step 0 on, which changes nothing: the changes to the lines before. */
  readonly changes: readonly (readonly Splice[])[];
}

export type LineData = readonly [section: number, key: string, depth: number, text: string];

/** From line `at`, as it is numbered before the step, `removed` go and others come. */
export type Splice = readonly [at: number, removed: number, ...inserted: number[]];
