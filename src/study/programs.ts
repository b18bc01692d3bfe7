/** Building blocks of the programs of studies. */

import { type Program, Prot } from '../guest/program.ts';
import type { StreamBuilder } from '../guest/traces/builder.ts';
import { openProgram } from '../guest/traces/reader.ts';
import { samplePath } from '../guest/traces/samples.ts';
import { makeWorkload } from '../guest/workloads/catalogue.ts';
import type { Draw } from '../guest/workloads/draw.ts';

export const PAGE = 0x1000;
export const DATA = 0x0810_0000;
export const READ_WRITE = Prot.Read | Prot.Write;

/** A process with `pages` pages at DATA. */
export const imageOf = (command: string, pages: number, stream: StreamBuilder) => ({
  command,
  regions: pages === 0 ? [] : [{ start: DATA, end: DATA + pages * PAGE, prot: READ_WRITE }],
  threads: [stream.build()],
});

/** Some word of a page. */
export const wordOf = (draw: Draw, page: number): number =>
  DATA + page * PAGE + draw.below(1024) * 4;

/** A program of the seed's; a trace is the same for each. */
export type Maker = (seed: number) => Program;

export const workload =
  (name: string): Maker =>
  (seed) =>
    makeWorkload({ name, seed });

export const trace =
  (name: Parameters<typeof samplePath>[0]): Maker =>
  () =>
    openProgram(samplePath(name));
