/**
 * Small handwritten programs, each for a behaviour that the guest kernel and the paging code must
 * get right.
 */

import { NONE, type ProcessImage, type Program, Prot, Sys } from './program.ts';
import { StreamBuilder } from './traces/builder.ts';
import { orderOf } from './traces/order.ts';

const TEXT = 0x0804_8000;
const DATA = 0x0805_0000;
const HEAP = 0x0900_0000;
const PAGE = 0x1000;

const regions = [
  { start: TEXT, end: TEXT + 2 * PAGE, prot: Prot.Read | Prot.Exec },
  { start: DATA, end: DATA + 64 * PAGE, prot: Prot.Read | Prot.Write },
];

const image = (command: string, ...threads: StreamBuilder[]): ProcessImage => ({
  command,
  regions,
  threads: threads.map((thread) => thread.build()),
});

/** Write pages, read them back, and write what was read: demand-zero. */
function touch(): Program {
  const main = new StreamBuilder();
  for (let page = 0; page < 64; page++) {
    main.fetch(TEXT + page * 4).load(DATA + page * PAGE);
    main.store(DATA + page * PAGE + 8).modify(DATA + page * PAGE + 16);
  }
  // One that reaches into the next page.
  main.store(DATA + 5 * PAGE - 2, 4).load(DATA + 5 * PAGE);
  return { name: 'touch', processes: [image('touch', main)] };
}

/** Children share the parent's pages until one side writes: copy-on-write. */
function fork(): Program {
  const parent = new StreamBuilder();
  for (let page = 0; page < 16; page++) parent.store(DATA + page * PAGE);
  parent.syscall(Sys.fork, 1).syscall(Sys.fork, NONE);
  for (let page = 0; page < 16; page++) parent.modify(DATA + page * PAGE);
  parent.syscall(Sys.fork, 2).syscall(Sys.wait4).syscall(Sys.wait4).syscall(Sys.wait4);
  for (let page = 0; page < 16; page++) parent.load(DATA + page * PAGE);
  const child = (first: number): StreamBuilder => {
    const stream = new StreamBuilder();
    for (let round = 0; round < 2000; round++) {
      stream.fetch(TEXT).modify(DATA + ((first + round) % 32) * PAGE + (round % 64) * 4);
    }
    return stream;
  };
  return {
    name: 'fork',
    processes: [image('parent', parent), image('child', child(0)), image('child', child(7))],
  };
}

/** Map, protect, unmap and map again; the heap up and down. */
function churn(): Program {
  const main = new StreamBuilder().syscall(Sys.brk, HEAP);
  for (let round = 0; round < 50; round++) {
    const at = 0x4000_0000 + (round % 7) * 16 * PAGE;
    main.syscall(Sys.mmap2, at, 16 * PAGE, Prot.Read | Prot.Write);
    for (let page = 0; page < 16; page++) main.store(at + page * PAGE + round * 4);
    main.syscall(Sys.mprotect, at + 4 * PAGE, 4 * PAGE, Prot.Read).load(at + 5 * PAGE);
    main.syscall(Sys.mprotect, at + 4 * PAGE, 2 * PAGE, Prot.Read | Prot.Write);
    main.modify(at + 4 * PAGE + round * 4).syscall(Sys.munmap, at + 8 * PAGE, 8 * PAGE);
    main.syscall(Sys.brk, HEAP + ((round % 5) + 1) * PAGE).store(HEAP + 8);
    main.syscall(Sys.munmap, at, 8 * PAGE);
  }
  return { name: 'churn', processes: [image('churn', main)] };
}

/** Threads of one process, which hand their turn to one another. */
function threads(): Program {
  const main = new StreamBuilder().syscall(Sys.clone, 0, 1).syscall(Sys.clone, 0, 2);
  const others = [new StreamBuilder(), new StreamBuilder()] as const;
  for (let round = 0; round < 100; round++) {
    main.modify(DATA + round * 4).syscall(Sys.switchTo, 1);
    others[0].modify(DATA + round * 4).syscall(Sys.switchTo, 2);
    others[1].modify(DATA + round * 4).syscall(Sys.switchTo, 0);
  }
  main.syscall(Sys.switchTo, 1).load(DATA).syscall(Sys.exitGroup);
  others[0].syscall(Sys.exit, 0, 2);
  others[1].syscall(Sys.exit, 0, 0);
  const process = image('threads', main, ...others);
  return { name: 'threads', processes: [{ ...process, order: orderOf(process.threads) }] };
}

/**
 * Concurrent threads: each on pages of its own, all counting on one page with locked operations.
 * The result does not depend on the schedule.
 */
function parallel(): Program {
  const workers = 3;
  const main = new StreamBuilder();
  for (let i = 1; i <= workers; i++) main.syscall(Sys.clone, 0, i);
  const work = (stream: StreamBuilder, mine: number): StreamBuilder => {
    const own = 0x4000_0000 + mine * 64 * PAGE;
    for (let round = 0; round < 20; round++) {
      stream.syscall(Sys.mmap2, own, 8 * PAGE, Prot.Read | Prot.Write);
      for (let page = 0; page < 8; page++) {
        stream
          .fetch(TEXT)
          .store(own + page * PAGE)
          .modify(own + page * PAGE + round * 4);
        stream.locked(DATA + (page % 2) * 4).store(DATA + (mine + 1) * PAGE + round * 4);
      }
      if (round < 19) stream.syscall(Sys.munmap, own + 4 * PAGE, 4 * PAGE);
    }
    return stream;
  };
  const others = Array.from({ length: workers }, (_, i) => work(new StreamBuilder(), i + 1));
  work(main, 0)
    .syscall(Sys.join)
    .load(DATA)
    .load(DATA + 4);
  for (const stream of others) stream.syscall(Sys.exit, 0, NONE);
  return { name: 'parallel', processes: [image('parallel', main, ...others)] };
}

const programs = {
  touch,
  fork,
  churn,
  threads,
  parallel,
} as const satisfies Readonly<Record<string, () => Program>>;

export type BuiltinName = keyof typeof programs;

/** By names, of which not every one is there. */
export const builtinPrograms: Readonly<Record<string, () => Program>> = programs;
