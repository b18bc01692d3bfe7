/**
 * The names of the programs that a scenario can give its guests, beside traces. They are
 * in its schema, so that an editor can complete them.
 */

import { builtinPrograms } from '../guest/programs.ts';
import { workloads } from '../guest/workloads/catalogue.ts';

/** Programs that are made from a seed. */
export const WORKLOADS: readonly string[] = Object.keys(workloads);

/** Programs written by hand, the same every time. */
export const BUILTINS: readonly string[] = Object.keys(builtinPrograms);
