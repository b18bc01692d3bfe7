/**
 * A traced process drawn from a seed, whose threads share memory only in the order of their calls.
 */

import { NONE, type Program, Prot, Sys } from '../../src/guest/program.ts';
import { StreamBuilder } from '../../src/guest/traces/builder.ts';
import { orderOf } from '../../src/guest/traces/order.ts';
import { Draw } from '../../src/guest/workloads/draw.ts';

const PAGE = 0x1000;
const READ_WRITE = Prot.Read | Prot.Write;
/** Always mapped. */
const COMMON = 0x8000_0000;
const SLOT_PAGES = 3;
const SLOTS = Array.from({ length: 4 }, (_, i) => 0x4000_0000 + i * SLOT_PAGES * PAGE);
const WORDS = 8;
const FUTEX = 0x800 + 202;

interface Thread {
  readonly index: number;
  readonly stream: StreamBuilder;
  /** All calls below this number precede its next operation. */
  behind: number;
  children: number;
  gone: boolean;
}

class Drawn {
  readonly draw: Draw;
  readonly threads: Thread[] = [];
  readonly #mapped = new Set<number>();
  /** The last thread to use each word, and the number of calls by then. */
  readonly #used = new Map<number, { thread: Thread; calls: number }>();
  #calls = 0;
  #barrier = 0;
  accesses = 0;
  current: Thread;

  constructor(seed: number) {
    this.draw = new Draw('traced process', seed >>> 0);
    this.current = this.#thread();
  }

  #thread(): Thread {
    const index = this.threads.length;
    const thread = { index, stream: new StreamBuilder(), behind: 0, children: 0, gone: false };
    this.threads.push(thread);
    return thread;
  }

  #call(nr: number, a = 0, b = 0, c = 0): void {
    this.current.stream.syscall(nr, a, b, c);
    if (nr !== Sys.switchTo) this.current.behind = this.#calls;
    this.#calls++;
  }

  #barrierCall(nr: number, a = 0, b = 0, c = 0): void {
    this.#barrier = this.#calls;
    this.#call(nr, a, b, c);
  }

  /** A word that the running thread may use: its own, or one whose last use precedes. */
  access(): void {
    const bases = [COMMON, ...SLOTS.filter((base) => this.#mapped.has(base))];
    const base = bases[this.draw.below(bases.length)]!;
    const page = this.draw.below(SLOT_PAGES) * PAGE;
    const at = base + page + this.draw.below(WORDS) * 4;
    const last = this.#used.get(at);
    const { current } = this;
    if (last !== undefined && last.thread !== current && current.behind <= last.calls) return;
    this.#used.set(at, { thread: current, calls: this.#calls });
    const kinds = ['load', 'store', 'modify'] as const;
    current.stream[kinds[this.draw.below(3)]!](at);
    this.accesses++;
  }

  mapping(): void {
    const base = SLOTS[this.draw.below(SLOTS.length)]!;
    if (this.#mapped.has(base) && this.draw.below(2) === 0) {
      this.#barrierCall(Sys.munmap, base, SLOT_PAGES * PAGE);
      this.#mapped.delete(base);
    } else {
      this.#barrierCall(Sys.mmap2, base, SLOT_PAGES * PAGE, READ_WRITE);
      this.#mapped.add(base);
    }
  }

  futex(): void {
    this.#call(FUTEX, COMMON + 0x800, this.draw.below(2));
  }

  clone(): void {
    if (this.threads.length === 4) return;
    const child = this.#thread();
    child.behind = this.#calls + 1;
    this.#call(Sys.clone, 0, child.index);
  }

  forkOrWait(): void {
    if (this.current.children > 0) {
      this.current.children--;
      return this.#call(Sys.wait4);
    }
    this.current.children++;
    this.#barrierCall(Sys.fork, this.draw.below(2) === 0 ? NONE : 1);
  }

  /** Switch to another thread; now and then this one has exited. */
  change(): void {
    const others = this.threads.filter((thread) => thread !== this.current && !thread.gone);
    const next = others[this.draw.below(others.length)];
    if (next === undefined) return;
    const { current } = this;
    if (current.index > 0 && current.children === 0 && this.draw.below(6) === 0) {
      this.#call(Sys.exit, 0, next.index);
      current.gone = true;
    } else this.#call(Sys.switchTo, next.index);
    this.current = next;
    next.behind = Math.max(next.behind, this.#barrier);
  }

  end(): void {
    if (this.draw.below(2) === 0) this.#call(Sys.exitGroup);
  }
}

/** `accesses` does not count those of its children. */
export function drawProcess(seed: number): Program & { readonly accesses: number } {
  const drawn = new Drawn(seed);
  const { draw } = drawn;
  drawn.clone();
  for (let step = 0; step < 400; step++) {
    const what = draw.below(40);
    if (what < 2) drawn.mapping();
    else if (what < 4) drawn.futex();
    else if (what === 4) drawn.clone();
    else if (what === 5 && draw.below(4) === 0) drawn.forkOrWait();
    else if (what < 9) drawn.change();
    else drawn.access();
  }
  drawn.end();
  const threads = drawn.threads.map(({ stream }) => stream.build());
  const regions = [{ start: COMMON, end: COMMON + SLOT_PAGES * PAGE, prot: READ_WRITE }];
  const child = { command: 'child', regions, threads: [new StreamBuilder().build()] };
  const process = { command: 'drawn', regions, threads, order: orderOf(threads) };
  return { name: 'drawn', processes: [process, child], accesses: drawn.accesses };
}
