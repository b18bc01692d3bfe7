/** A line by its name, in an isolate that measures a side of it. */

import { enableCompileCache } from 'node:module';
import { inlineAsV8Does } from './own-inlining.ts';
import type { Line } from './pair.ts';

/** What a worker of a line is told. */
export interface LineData {
  readonly name: string;
  /** Of several isolates that measure it, which this one is. */
  readonly isolate: number;
}

/** What comes from it is compiled as the line wants it; flags are the whole process's. */
export async function namedLine(name: string): Promise<Line> {
  // The suite imports nearly everything; isolates of it start in half the time so. Machines
  // that a line boots have workers of their own, which are not concerned.
  enableCompileCache();
  const { SUITE } = await import('./suite.ts');
  const line = SUITE.flatMap(({ lines }) => lines).find((one) => one.name === name);
  if (line === undefined) throw new Error(`there is no line '${name}'`);
  if (line.inlining === 'V8') inlineAsV8Does();
  return line;
}
