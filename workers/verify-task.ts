/** What a thread of the pool of `umbra verify` does, on the board that it keeps warm. */

import { warmSubject } from '../src/explore/campaign/unit.ts';
import { parseLitmus } from '../src/explore/litmus/litmus.ts';
import type { Setting, Subject } from '../src/explore/subject.ts';
import type { Bounds } from '../src/explore/verify/bounded.ts';
import type { Node } from '../src/explore/verify/node.ts';
import {
  type BoundedResult,
  runBounded,
  runUnit,
  type UnitResult,
} from '../src/explore/verify/unit.ts';

interface Task {
  readonly path: string;
  readonly setting: Setting;
  /** What is in the file; undefined where it is to be read. */
  readonly text?: string;
}

const subjectOf = ({ path, setting, text }: Task): Subject =>
  warmSubject(path, setting, text === undefined ? undefined : parseLitmus(text, path));

export interface UnitTask extends Task {
  readonly nodes: readonly Node[];
  /** Runs, at most. */
  readonly most: number;
}

export interface BoundedTask extends Task {
  readonly bounds: Bounds;
  /** Seconds, at most. */
  readonly most: number;
}

export const unit = (task: UnitTask): UnitResult => runUnit(subjectOf(task), task.nodes, task.most);

export const bounded = (task: BoundedTask): BoundedResult =>
  runBounded(subjectOf(task), task.bounds, task.most);

/** Of a queue's plan, which has units of both. */
export const either = (task: UnitTask | BoundedTask): UnitResult | BoundedResult =>
  'bounds' in task ? bounded(task) : unit(task);
