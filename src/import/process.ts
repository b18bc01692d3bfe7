import { type OpKind, Sys } from '../guest/program.ts';
import type { ProcessIndex } from '../guest/traces/format.ts';
import type { StreamWriter } from '../guest/traces/writer.ts';
import { CallTranslator, type ProcessCalls } from './calls.ts';
import { AddressFold, NOWHERE, SLOT_SHIFT } from './fold.ts';
import type { LineSink, Place } from './lines.ts';
import { MemoryCalls } from './memory-calls.ts';
import { type Message, parseMessages } from './messages.ts';
import { AddressSpace } from './space.ts';
import { Threads } from './threads.ts';

/** What an import wants to know beyond the process itself. */
export interface ProcessOptions {
  /** Opens the stream of one more thread. */
  readonly stream: () => StreamWriter;
  /** Process of the program by its pid in the original run, NONE if it is not imported. */
  readonly processOf: (pid: number) => number;
}

/** Repairs that make the replay possible, for the report. */
export interface ProcessNotes {
  readonly pid: number;
  /** Processes that this one started, by pid. */
  readonly children: readonly number[];
  /** System calls by valgrind's name for them. */
  readonly calls: Readonly<Record<string, number>>;
  /** Calls that are not in the trace but whose effect is. */
  readonly repairs: number;
  /** Accesses in the file that came after the process had ended. */
  readonly afterEnd: number;
  /**
   * Bytes that it mapped, never used, and had mapped at its end: the guest has no room for them.
   */
  readonly untouched: number;
}

/** Turns one trace file, line by line, into the streams of one process. */
export class ProcessImport implements LineSink {
  readonly #place: Place;
  readonly #space = new AddressSpace();
  readonly #fold: AddressFold;
  readonly #memory: MemoryCalls;
  readonly #threads: Threads;
  readonly #calls: CallTranslator;
  #stream: StreamWriter;
  #pid: number | undefined;
  #command = '';
  #repairs = 0;
  #afterEnd = 0;

  constructor(place: Place, options: ProcessOptions) {
    this.#place = place;
    this.#fold = new AddressFold(() =>
      place.error(
        'found memory in more than 768 places of 4 MiB, expected at most as many: a guest ' +
          'has 3 GiB of addresses for a program. Trace a smaller run: less memory, fewer ' +
          'threads, or a 32-bit build of the program.',
      ),
    );
    this.#threads = new Threads(place, options.stream);
    this.#stream = this.#threads.current.stream;
    const emit = (nr: number, a: number, b: number, c: number) =>
      this.#threads.syscall(nr, a, b, c);
    this.#memory = new MemoryCalls(this.#fold, this.#space, emit);
    const calls: ProcessCalls = {
      memory: this.#memory,
      threads: this.#threads,
      processOf: options.processOf,
      emit,
      word: (value) => this.#word(value),
    };
    this.#calls = new CallTranslator(place, calls);
  }

  access(kind: OpKind, high: number, low: number, size: number): void {
    if (this.#threads.ended) {
      this.#afterEnd++;
      return;
    }
    let base = high === 0 ? this.#fold.low[low >>> SLOT_SHIFT]! : NOWHERE;
    if (base === NOWHERE) base = this.#base(high, low);
    const address = (base | (low & SLOT_MASK)) >>> 0;
    if ((low & PAGE_MASK) + size > PAGE_BYTES) this.#across(kind, high, low, size, address);
    else {
      if (!this.#space.allows(kind, address)) this.#admit(kind, address);
      this.#stream.access(kind, address, size);
    }
  }

  /** Thread `name` goes on here; one that is new is started by the one that ran. */
  thread(name: string): void {
    this.#threads.goOn(name);
    this.#stream = this.#threads.current.stream;
  }

  message(text: string): boolean {
    const messages = parseMessages(text);
    if (messages === undefined) return false;
    for (const message of messages) this.#message(message);
    return true;
  }

  /** The trace ended. */
  finish(): ProcessIndex {
    if (!this.#threads.ended) this.#calls.finish();
    this.#threads.finish();
    const brk = this.#memory.initialBrk;
    const { order } = this.#threads;
    return {
      command: this.#command,
      regions: this.#space.regions(),
      ...(brk === undefined ? {} : { brk }),
      folds: this.#fold.folds(),
      threads: this.#threads.all.map(({ stream }) => stream.index()),
      ...(order === undefined ? {} : { order }),
    };
  }

  notes(): ProcessNotes {
    return {
      pid: this.#pid ?? 0,
      children: this.#calls.children,
      calls: Object.fromEntries(this.#calls.counts),
      repairs: this.#repairs + this.#memory.repairs,
      afterEnd: this.#afterEnd,
      untouched: this.#memory.untouched,
    };
  }

  #message(message: Message): void {
    const said = message.type === 'call' ? message.call : message;
    if ('pid' in said) this.#checkPid(said.pid);
    if (message.type === 'banner') this.#banner(message.text);
    if (this.#threads.ended) return;
    switch (message.type) {
      case 'acquired':
        this.#threads.acquired(message.tid, message.reason);
        this.#stream = this.#threads.current.stream;
        this.#calls.acquired(message.tid, message.reason);
        break;
      case 'sched':
        this.#threads.scheduled = true;
        break;
      case 'call':
        this.#calls.called(message.call, message.outcome);
        break;
      case 'resumed':
        this.#calls.resumed(message.tid, message.nr, message.outcome);
        break;
      case 'result':
        this.#calls.result(message.outcome);
    }
  }

  /** One file is one process; a child that writes into its parent's log would be lost in it. */
  #checkPid(pid: number): void {
    this.#pid ??= pid;
    if (pid === this.#pid) return;
    throw this.#place.error(
      `found a line of process ${pid} in the trace of process ${this.#pid}, expected one ` +
        'process in a file. Make the trace again with --log-file=NAME.%p, so that each ' +
        'process has its own file, and import the files together.',
    );
  }

  #banner(text: string): void {
    const command = /^Command: (.*)$/.exec(text);
    if (command !== null && this.#command === '') this.#command = command[1]!.trim();
    const tool = /^([A-Z]\w+), an? /.exec(text);
    if (tool === null) return;
    if (this.#threads.all.some(({ stream }) => stream.length > 0)) {
      throw this.#place.error(
        'found the beginning of a second program, expected one program in a file. Make the ' +
          'trace again with --log-file=NAME.%p, so that each process has its own file.',
      );
    }
    if (this.#place.line > 1 || tool[1] === 'Lackey') return;
    throw this.#place.error(
      `found the output of valgrind's ${tool[1]}, expected that of Lackey. Make the trace ` +
        'with --tool=lackey --trace-mem=yes --trace-syscalls=yes --trace-sched=yes ' +
        '--log-file=NAME.%p.',
    );
  }

  /** The slot's place, found on its first use. */
  #base(high: number, low: number): number {
    const slot = high * 1024 + (low >>> SLOT_SHIFT);
    if (!this.#fold.placed(slot)) {
      this.#fold.place(slot);
      this.#memory.open(slot);
    }
    return this.#fold.base(high, low);
  }

  /** An access to two pages, which may have gone to different places. */
  #across(kind: OpKind, high: number, low: number, size: number, address: number): void {
    if (!this.#space.allows(kind, address)) this.#admit(kind, address);
    const first = PAGE_BYTES - (low & PAGE_MASK);
    const nextLow = (low + first) >>> 0;
    const nextHigh = nextLow === 0 ? high + 1 : high;
    const next = (this.#base(nextHigh, nextLow) | (nextLow & SLOT_MASK)) >>> 0;
    if (!this.#space.allows(kind, next)) this.#admit(kind, next);
    if (next === address + first) this.#stream.access(kind, address, size);
    else {
      this.#stream.access(kind, address, first);
      this.#stream.access(kind, next, size - first);
    }
  }

  /**
   * Where the model says that a replay would fault and the original run did not, the
   * trace is missing a call (shmat, or one of a kind that is not followed) or valgrind
   * is more generous than the hardware. The call that makes it right goes before it.
   */
  #admit(kind: OpKind, address: number): void {
    const repair = this.#space.admit(kind, address);
    if (repair === undefined) return;
    this.#repairs++;
    const { start, end, prot, unmapped } = repair;
    this.#threads.syscall(unmapped ? Sys.mmap2 : Sys.mprotect, start, end - start, prot);
  }

  /** An argument as one word: an address is folded if something is known to be there. */
  #word(value: bigint): number {
    const bits = BigInt.asUintN(64, value);
    const low = Number(BigInt.asUintN(32, bits));
    const high = Number(bits >> 32n);
    const slot = high * 1024 + (low >>> SLOT_SHIFT);
    if (high === 0 || value < 0n || !this.#fold.placed(slot)) return low;
    return (this.#fold.base(high, low) | (low & SLOT_MASK)) >>> 0;
  }
}

const PAGE_BYTES = 4096;
const PAGE_MASK = PAGE_BYTES - 1;
const SLOT_MASK = (1 << SLOT_SHIFT) - 1;
