/** Programs of guests that compare ways to virtualize them. */

import { NONE, type Program, Prot, Sys } from '../../guest/program.ts';
import { StreamBuilder } from '../../guest/traces/builder.ts';
import { Draw } from '../../guest/workloads/draw.ts';
import { DATA, imageOf, PAGE, READ_WRITE, wordOf } from '../programs.ts';

const alone = (name: string, pages: number, stream: StreamBuilder): Program => ({
  name,
  processes: [imageOf(name, pages, stream.syscall(Sys.exitGroup, NONE))],
});

/** A guest that boots, runs a process that ends at once, and powers off. */
export const nothing = (): Program => alone('nothing', 0, new StreamBuilder());

/** Writes `pages` pages; then reads a word of any of them, `reads` times. */
export function scattered(seed: number, pages: number, reads: number): Program {
  const draw = new Draw('scattered', seed);
  const stream = new StreamBuilder();
  for (const page of draw.order(pages)) stream.store(DATA + page * PAGE);
  for (let i = 0; i < reads; i++) stream.load(wordOf(draw, draw.below(pages)));
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
