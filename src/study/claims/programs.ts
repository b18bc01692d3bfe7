/** Programs of guests that test lguest's claims, one each. */

import { NONE, type Program, Sys } from '../../guest/program.ts';
import { StreamBuilder } from '../../guest/traces/builder.ts';
import { Draw } from '../../guest/workloads/draw.ts';
import { imageOf, PAGE, READ_WRITE, wordOf } from '../programs.ts';

/**
 * The copy-on-write micro-benchmark: a process writes `pages` pages; then, `rounds` times, a
 * copy of it writes them all again, each of which the guest's kernel has to copy.
 */
export function copyOnWrite(seed: number, pages: number, rounds: number): Program {
  const draw = new Draw('copy-on-write', seed);
  const parent = new StreamBuilder();
  for (const page of draw.order(pages)) parent.store(wordOf(draw, page));
  for (let round = 1; round <= rounds; round++) {
    parent.syscall(Sys.forkCopy, round).syscall(Sys.wait4);
  }
  const copies = Array.from({ length: rounds }, () => {
    const copy = new StreamBuilder();
    for (const page of draw.order(pages)) copy.store(wordOf(draw, page));
    return imageOf('copy', 0, copy.syscall(Sys.exitGroup));
  });
  return { name: 'copy-on-write', processes: [imageOf('parent', pages, parent), ...copies] };
}

/** Processes that do hardly a thing before the next one's turn, `rounds` times each. */
export function contextSwitches(seed: number, processes: number, rounds: number): Program {
  const draw = new Draw('context-switches', seed);
  const pages = 8;
  const work = (stream: StreamBuilder): StreamBuilder => {
    for (let round = 0; round < rounds; round++) {
      stream.modify(wordOf(draw, draw.below(pages))).syscall(Sys.schedule);
    }
    return stream;
  };
  const parent = new StreamBuilder();
  for (let child = 1; child < processes; child++) parent.syscall(Sys.fork, child);
  work(parent);
  for (let child = 1; child < processes; child++) parent.syscall(Sys.wait4);
  const children = Array.from({ length: processes - 1 }, () =>
    imageOf('child', pages, work(new StreamBuilder()).syscall(Sys.exitGroup)),
  );
  return { name: 'context-switches', processes: [imageOf('parent', pages, parent), ...children] };
}

/**
 * A process uses `pages` pages, again after each of `rounds` changes of a kernel mapping: a page
 * of its own goes to the balloon, which takes it out of the kernel's mapping, and comes back.
 */
export function kernelChanges(seed: number, pages: number, rounds: number): Program {
  const draw = new Draw('kernel-changes', seed);
  const stream = new StreamBuilder();
  const useAll = (): void => {
    for (const page of draw.order(pages)) stream.modify(wordOf(draw, page));
  };
  useAll();
  for (let round = 0; round < rounds; round++) {
    stream.syscall(Sys.inflate, 1).syscall(Sys.deflate, 1);
    useAll();
  }
  return { name: 'kernel-changes', processes: [imageOf('user', pages, stream)] };
}

/**
 * A process and `children` others, each of which writes `pages` pages and stays until all have:
 * as much of the shadow tables as can be is in use at the same time.
 */
export function manySpaces(seed: number, children: number, pages: number): Program {
  const draw = new Draw('many-spaces', seed);
  // Far apart, so that each page takes a last-level table of its own.
  const far = (page: number): number => 0x1000_0000 + page * 0x0040_0000;
  const region = (page: number) => ({ start: far(page), end: far(page) + PAGE, prot: READ_WRITE });
  const regions = Array.from({ length: pages }, (_, page) => region(page));
  const child = () => {
    const stream = new StreamBuilder();
    for (let round = 0; round < 4; round++) {
      for (const page of draw.order(pages)) stream.modify(far(page) + draw.below(1024) * 4);
      stream.syscall(Sys.schedule);
    }
    return { command: 'child', regions, threads: [stream.syscall(Sys.exitGroup).build()] };
  };
  const parent = new StreamBuilder();
  for (let i = 1; i <= children; i++) parent.syscall(Sys.fork, i);
  for (let i = 1; i <= children; i++) parent.syscall(Sys.wait4);
  parent.syscall(Sys.fork, NONE).syscall(Sys.wait4);
  return {
    name: 'many-spaces',
    processes: [imageOf('parent', 0, parent), ...Array.from({ length: children }, child)],
  };
}
