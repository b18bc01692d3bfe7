/** What a thread of the generator's pool does: one unit, on the boards that it keeps warm. */

import type { GenerateUnit } from '../src/explore/generate/plan.ts';
import { runUnit, type UnitResult } from '../src/explore/generate/unit.ts';

export const unit = ({ space, programs }: GenerateUnit): UnitResult => runUnit(space, programs);
