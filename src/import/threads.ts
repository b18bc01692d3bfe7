import { NONE, type ProcessOrder, Sys } from '../guest/program.ts';
import { OrderRecorder } from '../guest/traces/order.ts';
import type { StreamWriter } from '../guest/traces/writer.ts';
import { OPTIONS, type Place } from './lines.ts';

/**
 * The running thread. Valgrind runs one thread at a time and reports each change; the streams get a
 * call at each of these points, so that a replay can follow.
 */
export class Threads {
  readonly #place: Place;
  readonly #stream: () => StreamWriter;
  readonly all: TracedThread[] = [];
  current: TracedThread;
  /** The process has ended: what still comes is valgrind's tidying up. */
  ended = false;
  /** A SCHED line was seen. */
  scheduled = false;
  /** Threads that were cloned and have not run yet. */
  readonly #unborn: TracedThread[] = [];
  readonly #order = new OrderRecorder();
  /** For a format that names its threads: their tids, and the running one. */
  readonly #named = new Map<string, number>();
  #name = '';

  constructor(place: Place, stream: () => StreamWriter) {
    this.#place = place;
    this.#stream = stream;
    this.current = this.#add(0);
    this.#order.begin(0);
  }

  /** A call of the running thread. */
  syscall(nr: number, a = 0, b = 0, c = 0): void {
    this.current.stream.syscall(nr, a, b, c);
    this.#order.call(nr);
  }

  /** In which order they ran. */
  get order(): ProcessOrder | undefined {
    return this.#order.order(this.all.length);
  }

  /** `acquired lock`: thread `tid` runs from here on. */
  acquired(tid: number, reason: string): void {
    this.scheduled = true;
    const next = this.#find(tid, reason.startsWith('thread_wrapper('));
    const last = this.current;
    if (next === last) return;
    if (last.exitStatus === undefined) this.syscall(Sys.switchTo, next.index);
    else this.#exit(last, next.index);
    this.current = next;
    this.#order.begin(next.index);
  }

  /** A thread of a format that names threads and tells of nothing else runs from here on. */
  goOn(name: string): void {
    if (name === this.#name) return;
    this.#name = name;
    const known = this.#named.get(name);
    if (known === undefined) this.#named.set(name, this.#named.size + 1);
    const tid = this.#named.get(name)!;
    if (known === undefined && tid > 1) this.syscall(Sys.clone, CLONE_VM, this.clone());
    this.acquired(tid, known === undefined ? 'thread_wrapper(' : '');
  }

  /** A system call names the thread that makes it; it must be the one that runs. */
  check(tid: number): void {
    const { current } = this;
    if (current.tid === 0) current.tid = tid;
    if (current.tid === tid) return;
    if (!this.scheduled) throw this.#unscheduled(tid);
    throw this.#place.error(
      `found a call of thread ${tid} while thread ${current.tid} runs, expected an ` +
        `"acquired lock" line of thread ${tid} before it. Lines of the trace are missing: ` +
        'copy or make it again.',
    );
  }

  /** clone succeeded: the index of the thread it made. */
  clone(): number {
    const taken = new Set(this.all.map(({ tid }) => tid));
    let tid = 1;
    while (taken.has(tid)) tid++;
    const thread = this.#add(tid);
    this.#unborn.push(thread);
    return thread.index;
  }

  /** The running thread called exit. Its slot is free from now on. */
  exit(status: number): void {
    this.current.exitStatus = status;
    this.current.tid = GONE;
  }

  /** The end of the trace: no thread follows an exit that is still pending. */
  finish(): void {
    if (this.current.exitStatus !== undefined) this.#exit(this.current, NONE);
    const [unborn] = this.#unborn;
    if (unborn !== undefined && !this.scheduled) throw this.#unscheduled(unborn.tid);
  }

  #exit(thread: TracedThread, next: number): void {
    this.syscall(Sys.exit, thread.exitStatus!, next);
    thread.exitStatus = undefined;
  }

  #find(tid: number, starts: boolean): TracedThread {
    const { current } = this;
    // A child of fork begins in the middle, in whatever thread called fork.
    if (current.tid === 0) {
      current.tid = tid;
      return current;
    }
    if (!starts || this.all.length === 1) {
      const thread = this.all.find((one) => one.tid === tid);
      if (thread !== undefined) return thread;
    } else {
      // Expected is the lowest free slot; a thread that was just leaving may still have held it.
      const expected = this.#unborn.findIndex((one) => one.tid === tid);
      const [thread] = this.#unborn.splice(Math.max(expected, 0), 1);
      if (thread !== undefined) {
        thread.tid = tid;
        return thread;
      }
    }
    throw this.#place.error(
      `found thread ${tid} running, expected a thread that a clone in the trace had made. ` +
        `Make the trace again with all of ${OPTIONS}.`,
    );
  }

  #unscheduled(tid: number): Error {
    return this.#place.error(
      `found a second thread (${tid}), expected "acquired lock" lines that say when it ` +
        'runs. Make the trace again with --trace-sched=yes: valgrind --tool=lackey ' +
        `${OPTIONS} --log-file=NAME.%p COMMAND.`,
    );
  }

  #add(tid: number): TracedThread {
    const thread = {
      index: this.all.length,
      stream: this.#stream(),
      tid,
      exitStatus: undefined,
    };
    this.all.push(thread);
    return thread;
  }
}

/** One thread of the process, running, waiting or gone. */
export interface TracedThread {
  /** Place among the process's threads. */
  readonly index: number;
  readonly stream: StreamWriter;
  /** Valgrind's number for it, a slot that is used again; 0 while it is not known. */
  tid: number;
  /** exit's status, once it was called: the call waits for the thread that goes on. */
  exitStatus: number | undefined;
}

const CLONE_VM = 0x100;

/** The tid of a thread that has none any more. */
const GONE = -1;
