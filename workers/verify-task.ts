/** What a thread of the pool of `umbra verify` does, on the board that it keeps warm. */

import { warmSubject } from '../src/explore/campaign/unit.ts';
import type { Setting } from '../src/explore/subject.ts';
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
}

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

export const unit = ({ path, setting, nodes, most }: UnitTask): UnitResult =>
  runUnit(warmSubject(path, setting), nodes, most);

export const bounded = ({ path, setting, bounds, most }: BoundedTask): BoundedResult =>
  runBounded(warmSubject(path, setting), bounds, most);
