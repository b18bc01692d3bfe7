/**
 * The stream of one thread of a workload, whose final memory is independent of the schedule: a
 * thread reads and writes words of its own, on pages that all threads of the process use; shared
 * words it increments by locked operations, and does not read.
 */

import { assert } from '../../errors.ts';
import { BLOCK_OPS, NONE, type OperationStream, type ProcessImage, Prot, Sys } from '../program.ts';
import { StreamBuilder } from '../traces/builder.ts';
import type { Draw } from './draw.ts';

export const PAGE = 0x1000;
const TEXT = 0x0804_8000;
/** Pages that exec maps for all threads; the last is of counters. */
const SHARED = 0x0810_0000;
export const SHARED_PAGES = 64;
const COUNTERS = SHARED + SHARED_PAGES * PAGE;
/** Neighbouring regions, one for each thread, below one last-level table. */
const AREA = 0x4000_0000;
export const AREA_PAGES = 12;

/** Threads and copied processes that can have words of their own on one page. */
export const MAX_SLOTS = 32;
const WORDS_A_SLOT = (PAGE / 4 / MAX_SLOTS) | 0;

/** A call that the kernel does nothing about: getpid. */
const GETPID = 20;

const READ_WRITE = Prot.Read | Prot.Write;

const regions = [
  { start: TEXT, end: TEXT + 2 * PAGE, prot: Prot.Read | Prot.Exec },
  { start: SHARED, end: COUNTERS + PAGE, prot: READ_WRITE },
];

export const imageOf = (command: string, ...threads: OperationStream[]): ProcessImage => ({
  command,
  regions,
  threads,
});

/** A thread that does all of its stream again and again, and ends. */
export function again(thread: Thread, times: number): OperationStream {
  while (thread.stream.length % BLOCK_OPS !== 0) thread.read(thread.draw.below(SHARED_PAGES));
  const once = thread.stream.build();
  const blocks = once.length / BLOCK_OPS;
  return { length: once.length * times, block: (index) => once.block(index % blocks) };
}

/** Nothing is mapped before the first operation: for a child that keeps the copied memory. */
export const copyOf = (command: string, ...threads: OperationStream[]): ProcessImage => ({
  command,
  regions: [],
  threads,
});

export class Thread {
  readonly stream = new StreamBuilder();
  readonly draw: Draw;
  /** Which words are its own. */
  readonly slot: number;

  constructor(draw: Draw, slot: number) {
    assert(slot < MAX_SLOTS, 'every slot has words of its own');
    this.draw = draw;
    this.slot = slot;
  }

  /** A word of its own on a shared page; on one line with those of other threads. */
  #own(page: number): number {
    const word = this.draw.below(WORDS_A_SLOT) * MAX_SLOTS + this.slot;
    return SHARED + (page % SHARED_PAGES) * PAGE + word * 4;
  }

  fetch(): this {
    this.stream.fetch(TEXT + this.draw.below(2 * PAGE - 4));
    return this;
  }

  read(page: number): this {
    this.stream.load(this.#own(page));
    return this;
  }

  write(page: number): this {
    this.stream.store(this.#own(page));
    return this;
  }

  /** All words of its own on a page: their values identify the page. */
  fill(page: number): this {
    for (let i = 0; i < WORDS_A_SLOT; i++) {
      this.stream.store(SHARED + (page % SHARED_PAGES) * PAGE + (i * MAX_SLOTS + this.slot) * 4);
    }
    return this;
  }

  /** Read, then write what depends on it. */
  change(page: number): this {
    this.stream.modify(this.#own(page));
    return this;
  }

  /** Any of the three. */
  touch(page: number): this {
    return [this.read, this.write, this.change][this.draw.below(3)]!.call(this, page);
  }

  /** One of 16 counters on one line, which all threads count up. */
  count(): this {
    this.stream.locked(COUNTERS + this.draw.below(16) * 4);
    return this;
  }

  /** Read the counters: for the last thread of a process. */
  readCounters(): this {
    for (let i = 0; i < 16; i++) this.stream.load(COUNTERS + i * 4);
    return this;
  }

  /** Into the kernel and back. */
  call(): this {
    this.stream.syscall(GETPID);
    return this;
  }

  schedule(): this {
    this.stream.syscall(Sys.schedule);
    return this;
  }

  inflate(pages: number): this {
    this.stream.syscall(Sys.inflate, pages);
    return this;
  }

  deflate(pages: number): this {
    this.stream.syscall(Sys.deflate, pages);
    return this;
  }

  fork(process: number): this {
    this.stream.syscall(Sys.fork, process);
    return this;
  }

  forkCopy(process: number): this {
    this.stream.syscall(Sys.forkCopy, process);
    return this;
  }

  forkByChild(process: number): this {
    this.stream.syscall(Sys.forkByChild, process);
    return this;
  }

  /** End the child that runs a process, which must not end by itself. */
  kill(process: number): this {
    this.stream.syscall(Sys.kill, process);
    return this;
  }

  /** The end of a process that another one kills: its result does not count. */
  pause(): OperationStream {
    return this.stream.syscall(Sys.pause).build();
  }

  wait(children = 1): this {
    for (let i = 0; i < children; i++) this.stream.syscall(Sys.wait4);
    return this;
  }

  exec(process: number): this {
    this.stream.syscall(Sys.execve, process);
    return this;
  }

  clone(thread: number): this {
    this.stream.syscall(Sys.clone, 0, thread);
    return this;
  }

  join(): this {
    this.stream.syscall(Sys.join);
    return this;
  }

  /** Page `page` of its own region. */
  #area(page: number): number {
    return AREA + (this.slot * AREA_PAGES + page) * PAGE;
  }

  map(page: number, pages: number): this {
    this.stream.syscall(Sys.mmap2, this.#area(page), pages * PAGE, READ_WRITE);
    return this;
  }

  unmap(page: number, pages: number): this {
    this.stream.syscall(Sys.munmap, this.#area(page), pages * PAGE);
    return this;
  }

  /** Move the mapping there to another part of its region. */
  move(page: number, pages: number, to: number): this {
    this.stream.syscall(Sys.mremap, this.#area(page), pages * PAGE, this.#area(to));
    return this;
  }

  protect(page: number, pages: number, writable: boolean): this {
    const prot = writable ? READ_WRITE : Prot.Read;
    this.stream.syscall(Sys.mprotect, this.#area(page), pages * PAGE, prot);
    return this;
  }

  readArea(page: number): this {
    this.stream.load(this.#area(page) + this.draw.below(PAGE / 4) * 4);
    return this;
  }

  changeArea(page: number): this {
    this.stream.modify(this.#area(page) + this.draw.below(PAGE / 4) * 4);
    return this;
  }

  /** The end of a thread that is not the first of its process. */
  exit(): OperationStream {
    return this.stream.syscall(Sys.exit, 0, NONE).build();
  }

  /** The end of a process's first thread ends the process. */
  end(): OperationStream {
    return this.stream.build();
  }
}

/**
 * The streams of a process whose threads do `work` at the same time. The first starts the
 * others, and afterwards waits for them and reads what they counted.
 */
export function together(
  draw: Draw,
  threads: number,
  work: (thread: Thread, index: number) => void,
  firstSlot = 0,
): OperationStream[] {
  const main = new Thread(draw, firstSlot);
  for (let i = 1; i < threads; i++) main.clone(i);
  work(main, 0);
  main.join();
  // Copied children count from their initial values, which depend on the schedule.
  if (firstSlot === 0) main.readCounters();
  const others = Array.from({ length: threads - 1 }, (_, i) => {
    const thread = new Thread(draw, firstSlot + i + 1);
    work(thread, i + 1);
    return thread.exit();
  });
  return [main.end(), ...others];
}
