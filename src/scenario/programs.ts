/**
 * The names of the programs that a scenario can give its guests, beside traces. They are
 * in its schema, so that an editor can complete them.
 */

import { type BuiltinName, builtinPrograms } from '../guest/programs.ts';
import { type WorkloadName, workloads } from '../guest/workloads/catalogue.ts';

/** Programs that are made from a seed. */
export const WORKLOADS = Object.keys(workloads) as readonly WorkloadName[];

/** Programs written by hand, the same every time. */
export const BUILTINS = Object.keys(builtinPrograms) as readonly BuiltinName[];
