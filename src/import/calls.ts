import { Sys } from '../guest/program.ts';
import type { Place } from './lines.ts';
import type { Emit, MemoryCalls } from './memory-calls.ts';
import type { Call, Outcome } from './messages.ts';
import type { Threads } from './threads.ts';

/** The parts of a process that its system calls act on. */
export interface ProcessCalls {
  readonly memory: MemoryCalls;
  readonly threads: Threads;
  readonly processOf: (pid: number) => number;
  readonly emit: Emit;
  /** An argument as one word, folded if it is an address. */
  readonly word: (value: bigint) => number;
}

/**
 * Added to the number of a call that only traps, if that is not an i386 number or
 * is one of Sys: a failed mmap2 must not map, and 64-bit Linux has other numbers.
 */
const ONLY_TRAPS = 0x800;

/** Calls that tell an i386 trace by their numbers; brk, the first of most programs, is one. */
const I386: ReadonlyMap<string, number> = new Map([
  ['exit', 1],
  ['exit_group', 252],
  ['sys_brk', 45],
  ['sys_munmap', 91],
  ['sys_clone', 120],
  ['sys_mprotect', 125],
]);

const OURS: ReadonlySet<number> = new Set(Object.values(Sys));

/** Of a process: five levels of page tables, the lower half. */
const ADDRESS_SPACE = 2 ** 56;

const CLONE_VM = 0x100;
const CLONE_VFORK = 0x4000;
const WNOHANG = 1;

/** The result of a call; `pending`: unknown from the trace. */
type Fate = Outcome | { readonly type: 'pending' };

/**
 * Translates the system calls of one process. A call goes into the stream when its
 * result is known, so an asynchronous one comes behind the switch to the thread that
 * ran meanwhile: at that place the original run had its result.
 */
export class CallTranslator {
  readonly #place: Place;
  readonly #process: ProcessCalls;
  /** Calls by valgrind's name for them. */
  readonly counts = new Map<string, number>();
  /** Processes started, by pid. */
  readonly children: number[] = [];
  /** The call whose result is on a later line, mostly the next. */
  #open: Call | undefined;
  /** Asynchronous calls by the tid that waits. */
  readonly #waiting = new Map<number, Call>();
  #i386 = false;

  constructor(place: Place, process: ProcessCalls) {
    this.#place = place;
    this.#process = process;
  }

  called(call: Call, outcome: Outcome | undefined): void {
    this.#process.threads.check(call.tid);
    this.#broken(call.tid);
    this.counts.set(call.name, (this.counts.get(call.name) ?? 0) + 1);
    const i386 = I386.get(call.name);
    if (i386 !== undefined) this.#i386 = i386 === call.nr;
    this.#open = call;
    if (outcome !== undefined) this.result(outcome);
  }

  /** The result of the open call. A child of fork begins with one whose call its parent made. */
  result(outcome: Outcome): void {
    const call = this.#open;
    if (call === undefined) return;
    this.#open = undefined;
    if (outcome.type === 'async') this.#waiting.set(call.tid, call);
    else this.#done(call, outcome);
  }

  /** An asynchronous call of the running thread came back. */
  resumed(tid: number, nr: number, outcome: Outcome): void {
    this.#process.threads.check(tid);
    const call = this.#waiting.get(tid);
    if (call === undefined || call.nr !== nr) {
      throw this.#place.error(
        `found the return of call ${nr} of thread ${tid}, expected a call of it that had ` +
          'gone to wait. Lines of the trace are missing: copy or make it again.',
      );
    }
    this.#waiting.delete(tid);
    this.#done(call, outcome);
  }

  /** The thread runs again, for this reason: if not for its call, a signal broke that off. */
  acquired(tid: number, reason: string): void {
    if (!reason.endsWith('[async]')) this.#broken(tid);
  }

  /** The end of the trace: what was still under way only traps. */
  finish(): void {
    const { threads } = this.#process;
    for (const [tid, call] of this.#waiting) {
      const thread = threads.all.find((one) => one.tid === tid);
      if (thread !== undefined) thread.stream.syscall(...this.#plain(call));
    }
    if (this.#open !== undefined && !threads.ended) this.#process.emit(...this.#plain(this.#open));
  }

  #broken(tid: number): void {
    const call = this.#waiting.get(tid);
    if (call === undefined) return;
    this.#waiting.delete(tid);
    this.#done(call, { type: 'pending' });
  }

  #done(call: Call, fate: Fate): void {
    if (!this.#took(call, fate)) this.#process.emit(...this.#plain(call));
  }

  /** Puts the call into the stream if it does something in the guest too. */
  #took(call: Call, fate: Fate): boolean {
    const { memory, threads, emit, processOf } = this.#process;
    const [a, b, c] = [0, 1, 2].map((i) => Number(argument(call, i))) as [number, number, number];
    // A signal breaks off a wait for a child just when the child has ended.
    if (fate.type === 'pending' && waits(call)) {
      emit(Sys.wait4, 0, 0, 0);
      return true;
    }
    if (fate.type !== 'success') return false;
    const { value } = fate;
    switch (call.name) {
      case 'sys_brk':
        this.#within(value);
        return memory.brk(a, value);
      case 'sys_mmap2':
      case 'sys_mmap':
      case 'old_mmap':
        this.#within(value, b);
        memory.map(value, b, c);
        return true;
      case 'sys_munmap':
        this.#within(a, b);
        memory.unmap(a, b);
        return true;
      case 'sys_mprotect':
      case 'sys_pkey_mprotect':
        this.#within(a, b);
        memory.protect(a, b, c);
        return true;
      case 'sys_mremap':
        this.#within(a, b, c, value);
        memory.remap(a, b, c, value);
        return true;
      case 'exit':
        threads.exit(a);
        return true;
      case 'exit_group':
        emit(Sys.exitGroup, a, 0, 0);
        this.finish();
        threads.ended = true;
        return true;
      case 'sys_clone':
        if (!beginsThread(call)) break;
        emit(Sys.clone, flagsOf(call), threads.clone(), 0);
        return true;
      case 'sys_fork':
      case 'sys_vfork':
        break;
      default:
        if (!waits(call) || (value === 0 && call.name !== 'sys_waitid')) return false;
        emit(Sys.wait4, 0, 0, 0);
        return true;
    }
    this.children.push(value);
    emit(Sys.fork, processOf(value), 0, 0);
    return true;
  }

  /** Of a call that succeeded: addresses and lengths of a process. */
  #within(...numbers: readonly number[]): void {
    const wrong = numbers.find((number) => number < 0 || number >= ADDRESS_SPACE);
    if (wrong === undefined) return;
    throw this.#place.error(
      `found a call that succeeded with ${wrong} in it, expected addresses and lengths below ` +
        '2^56. The trace is damaged: copy or make it again.',
    );
  }

  /** The call as one that only traps. */
  #plain(call: Call): [nr: number, a: number, b: number, c: number] {
    const nr = this.#i386 && !OURS.has(call.nr) ? call.nr : ONLY_TRAPS + call.nr;
    const word = (i: number) => this.#process.word(argument(call, i));
    return [nr, word(0), word(1), word(2)];
  }
}

/** Whether the call waits for a child, as our wait4 does, rather than only asking. */
const flagsOf = (call: Call): number => Number.parseInt(call.args[0] ?? '0', 16);

const beginsThread = (call: Call): boolean =>
  (flagsOf(call) & (CLONE_VM | CLONE_VFORK)) === CLONE_VM;

function waits(call: Call): boolean {
  if (call.name === 'sys_wait4' || call.name === 'sys_waitpid') {
    return (Number(argument(call, 2)) & WNOHANG) === 0;
  }
  return call.name === 'sys_waitid' && (Number(argument(call, 3)) & WNOHANG) === 0;
}

/** An argument as valgrind printed it: decimal, or hexadecimal with or without 0x; 0 if absent. */
function argument(call: Call, i: number): bigint {
  const text = call.args[i] ?? '0';
  const digits = text.replace(/^-/, '');
  const hex = /^0x/i.test(digits) ? digits : /[a-f]/i.test(digits) ? `0x${digits}` : digits;
  return digits === text ? BigInt(hex) : -BigInt(hex);
}
