/** A side of a line, made ready to be measured in this isolate. */

import { enableCompileCache } from 'node:module';
import { stayOnOne } from '../src/cores.ts';
import type { Line, Side } from './pair.ts';
import { PARTS, type PartName } from './parts.ts';
import { warmUpAlone } from './warm-up.ts';

/** The message to a worker of a line. */
export interface LineData {
  readonly part: PartName;
  readonly name: string;
  /** Of several pairs of isolates that measure it, to which it belongs. */
  readonly pair: number;
}

export async function namedLine({ part, name }: LineData, parts = PARTS): Promise<Line> {
  // Isolates start in half the time so. Machines that a line boots have workers of their own,
  // which are not concerned.
  enableCompileCache();
  const line = (await parts[part]()).find((one) => one.name === name);
  if (line === undefined) throw new Error(`there is no line '${name}'`);
  return line;
}

/**
 * Warmed up, at the same time as the other side on any core, and from now on the core of its pair
 * alone. The yardstick's process takes after the thread that starts it. Sides with threads of their
 * own would be in one another's way, and need the cores.
 */
export async function makeReady(side: Side, line: Line, pair: number): Promise<void> {
  if (line.threads) return;
  if (line.rounds === undefined) await warmUpAlone(side);
  stayOnOne(pair);
}
