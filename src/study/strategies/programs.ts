/** What guests run to tell ways of virtualizing them apart. */

import { NONE, type Program, Prot, Sys } from '../../guest/program.ts';
import { StreamBuilder } from '../../guest/traces/builder.ts';
import { openProgram } from '../../guest/traces/reader.ts';
import { samplePath } from '../../guest/traces/samples.ts';
import { makeWorkload } from '../../guest/workloads/catalogue.ts';
import { Draw } from '../../guest/workloads/draw.ts';

const PAGE = 0x1000;
const DATA = 0x0810_0000;
const READ_WRITE = Prot.Read | Prot.Write;

const alone = (name: string, pages: number, stream: StreamBuilder): Program => ({
  name,
  processes: [
    {
      command: name,
      regions: pages === 0 ? [] : [{ start: DATA, end: DATA + pages * PAGE, prot: READ_WRITE }],
      threads: [stream.syscall(Sys.exitGroup, NONE).build()],
    },
  ],
});

const workload = (name: string) => (seed: number) => makeWorkload({ name, seed });
const trace = (name: Parameters<typeof samplePath>[0]) => () => openProgram(samplePath(name));

/** Those that mostly compute first, those that mostly change what is mapped last. */
export const PROGRAMS = {
  pigz: trace('pigz'),
  sort: trace('sort'),
  pipeline: trace('pipeline'),
  'cow-storm': workload('cow-storm'),
  'fork-bomb': workload('fork-bomb'),
  'mmap-churn': workload('mmap-churn'),
} as const satisfies Readonly<Record<string, (seed: number) => Program>>;

export type ProgramName = keyof typeof PROGRAMS;

/** A guest that boots, runs a process that ends at once, and powers off. */
export const nothing = (): Program => alone('nothing', 0, new StreamBuilder());

/** Writes `pages` pages; then reads a word of any of them, `reads` times. */
export function scattered(seed: number, pages: number, reads: number): Program {
  const draw = new Draw('scattered', seed);
  const stream = new StreamBuilder();
  for (const page of draw.order(pages)) stream.store(DATA + page * PAGE);
  for (let i = 0; i < reads; i++) {
    stream.load(DATA + draw.below(pages) * PAGE + draw.below(1024) * 4);
  }
  return alone('scattered', pages, stream);
}

/** Pages whose entries are changed. */
export const CHANGED_PAGES = 64;

/**
 * Takes the right to write from all of its pages and gives it back, `rounds` times, `batch`
 * pages with each system call: so many entries are changed twice a round.
 */
export function changes(seed: number, batch: number, rounds: number): Program {
  const draw = new Draw('changes', seed);
  const stream = new StreamBuilder();
  for (const page of draw.order(CHANGED_PAGES)) stream.store(DATA + page * PAGE);
  for (let round = 0; round < rounds; round++) {
    for (const prot of [Prot.Read, READ_WRITE]) {
      for (const group of draw.order(CHANGED_PAGES / batch)) {
        stream.syscall(Sys.mprotect, DATA + group * batch * PAGE, batch * PAGE, prot);
      }
    }
  }
  return alone('changes', CHANGED_PAGES, stream);
}
