/** A worker of the generator's pool, with boards that it keeps warm. */

import type { FirstFind } from '../src/explore/generate/each-defect.ts';
import type { Space } from '../src/explore/generate/plan.ts';
import type { Program } from '../src/explore/generate/programs.ts';
import { firstFind, runUnit, type UnitResult } from '../src/explore/generate/unit.ts';

export interface GenerateTask {
  readonly space: Space;
  readonly programs: readonly Program[];
}

/** All of them. */
export const unit = ({ space, programs }: GenerateTask): UnitResult => runUnit(space, programs);

/** Until one fails. */
export const first = ({ space, programs }: GenerateTask): FirstFind => firstFind(space, programs);
