/**
 * The order in which the threads of a traced process ran. Valgrind runs one thread at a time: a
 * segment is the work of a thread from taking valgrind's lock until another thread takes it. Calls,
 * with changes of thread, are numbered from 0 through all segments.
 */

import { NONE, type OperationStream, type ProcessOrder, Sys } from '../program.ts';

/** i386 and, behind ONLY_TRAPS of calls.ts, x86-64: kill, tkill, tgkill and the two that queue. */
const SIGNALS = [37, 238, 270, 178, 335, ...[62, 200, 234, 129, 297].map((nr) => 0x800 + nr)];

/**
 * Calls whose effect other threads meet without a call of their own, so that what these did
 * before and after stays before and after: on memory, by a fork's copy of it, by a signal.
 */
const BARRIERS: ReadonlySet<number> = new Set([
  ...[Sys.mmap2, Sys.munmap, Sys.mprotect, Sys.brk, Sys.fork],
  ...SIGNALS,
]);

/** Numbers calls as they come. */
export class OrderRecorder {
  readonly #threads: number[][] = [];
  #calls = 0;
  #behindBarrier = 0;

  /** A segment of this thread begins. */
  begin(thread: number): void {
    this.#threads[thread] ??= [];
    this.#threads[thread].push(this.#calls, this.#behindBarrier);
  }

  call(nr: number): void {
    this.#calls++;
    if (BARRIERS.has(nr)) this.#behindBarrier = this.#calls;
  }

  /** Undefined for a process of one thread, which needs no order. */
  order(threads: number): ProcessOrder | undefined {
    if (threads === 1) return undefined;
    return Array.from({ length: threads }, (_, thread) => this.#threads[thread] ?? []);
  }
}

/** The order that the calls in the streams themselves tell, of a program that says none. */
export function orderOf(threads: readonly OperationStream[]): ProcessOrder | undefined {
  if (threads.length === 1) return undefined;
  const recorder = new OrderRecorder();
  const calls = threads.map(callsOf);
  for (let thread = 0; thread < threads.length; ) {
    recorder.begin(thread);
    thread = recordSegment(recorder, calls[thread]!);
  }
  return recorder.order(threads.length);
}

/** Returns which thread went on after it. */
function recordSegment(recorder: OrderRecorder, calls: Iterator<Call>): number {
  for (let next = calls.next(); !next.done; next = calls.next()) {
    const [nr, a, b] = next.value;
    recorder.call(nr);
    if (nr === Sys.switchTo) return a;
    if (nr === Sys.exit) return b;
    if (nr === Sys.exitGroup) return NONE;
  }
  return NONE;
}

/** Its number and the first two of its arguments. */
type Call = readonly [nr: number, a: number, b: number];

function* callsOf(stream: OperationStream): Generator<Call> {
  let position = 0;
  for (let index = 0; position < stream.length; index++) {
    const { count, calls } = stream.block(index);
    position += count;
    // By the time that this goes on, the block's memory may be another's.
    const words = calls.slice();
    for (let k = 0; k < words.length; k += 4) yield [words[k]!, words[k + 1]!, words[k + 2]!];
  }
}
