/** All lines. */

import type { Line } from './pair.ts';
import { PARTS, type PartName } from './parts.ts';

/** Lines that are shown together. */
export interface Part {
  readonly name: PartName;
  readonly lines: readonly Line[];
}

export const SUITE: readonly Part[] = await Promise.all(
  (Object.keys(PARTS) as PartName[]).map(async (name) => ({ name, lines: await PARTS[name]() })),
);
