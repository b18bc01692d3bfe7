/** A worker of the pool of `umbra verify`, with a board that it keeps warm. */

import { warmSubject } from '../src/explore/campaign/unit.ts';
import { parseLitmus } from '../src/explore/litmus/litmus.ts';
import type { Setting } from '../src/explore/setting.ts';
import type { Subject } from '../src/explore/subject.ts';
import type { BoundedPart } from '../src/explore/verify/bounded.ts';
import { estimate } from '../src/explore/verify/estimate.ts';
import type { UnitPart } from '../src/explore/verify/frontier.ts';
import {
  type BoundedResult,
  runBounded,
  runUnit,
  type UnitResult,
} from '../src/explore/verify/unit.ts';

interface Task {
  readonly path: string;
  readonly setting: Setting;
  /** The text of the file; undefined to read it. */
  readonly text?: string;
}

const subjectOf = ({ path, setting, text }: Task): Subject =>
  warmSubject(path, setting, text === undefined ? undefined : parseLitmus(text, path));

export type EstimateTask = Task & { readonly most: number };

export const estimated = (task: EstimateTask): number => estimate(subjectOf(task), task.most);

export type VerifyTask = Task &
  (UnitPart | BoundedPart) & {
    /** Runs, at most. */
    readonly most: number;
  };

export const unit = (task: VerifyTask): UnitResult | BoundedResult =>
  'bounds' in task
    ? runBounded(subjectOf(task), task, task.most)
    : runUnit(subjectOf(task), task.nodes, task.most);
