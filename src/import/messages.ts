/** Valgrind's own lines between the accesses, told apart and taken to pieces. */

export type Message =
  /** `==pid== text`: what the tool says of itself and of the command. */
  | { readonly type: 'banner'; readonly pid: number; readonly text: string }
  /** `--pid-- SCHED[tid]: acquired lock (reason)`: the thread runs from here on. */
  | {
      readonly type: 'acquired';
      readonly pid: number;
      readonly tid: number;
      readonly reason: string;
    }
  /** Any other SCHED message of the thread. */
  | { readonly type: 'sched'; readonly pid: number; readonly tid: number }
  | { readonly type: 'call'; readonly call: Call; readonly outcome: Outcome | undefined }
  /** An asynchronous call of the thread came back. */
  | {
      readonly type: 'resumed';
      readonly pid: number;
      readonly tid: number;
      readonly nr: number;
      readonly outcome: Outcome;
    }
  /** The result of the call on the line before. */
  | { readonly type: 'result'; readonly outcome: Outcome }
  | { readonly type: 'nothing' };

export interface Call {
  readonly pid: number;
  readonly tid: number;
  /** Number on the system that was traced. */
  readonly nr: number;
  /** Valgrind's word for it: sys_mmap2, exit_group, … */
  readonly name: string;
  /** As printed; strings that pointers point to are left out. */
  readonly args: readonly string[];
}

export type Outcome =
  | { readonly type: 'success'; readonly value: number }
  | { readonly type: 'failure' }
  /** The call goes on while other threads run; a `resumed` follows. */
  | { readonly type: 'async' };

const BANNER = /^==(\d+)== ?(.*)$/;
const SCHED = /^--(\d+)--\s+SCHED\[(\d+)\]:\s+(?:acquired lock \((.*)\)$)?/;
const CALL = /^SYSCALL\[(\d+),\s*(\d+)\]\(\s*(\d+)\)\s*(.*)$/;
const RESUMED = /^\.\.\. \[async\] (--> .*)$/;
const OUTCOME = /^--> (?:\[(?:pre-success|pre-fail)\] )?(Success|Failure|NoWriteResult|\[async\])/;
const VALUE = /\((0x[0-9a-f]+)/i;
const ARGUMENT = /\s*(-?(?:0x)?[0-9a-f]+)(?:\([^)]*\))?\s*[,)]/iy;
/** A call's line may go on with a message: results are printed without an end of line. */
const TRAILING = / (--\d+--\s+SCHED\[.*)$/;
const OTHER = /^(?:--\d+--|\*\*\d+\*\*|SCHEDSETJMP\()/;

/** The messages of one line, mostly one; undefined if valgrind prints no such line. */
export function parseMessages(text: string): Message[] | undefined {
  const trailing = TRAILING.exec(text);
  if (trailing !== null && trailing.index > 0) {
    const before = parseMessages(text.slice(0, trailing.index));
    const after = parseMessages(trailing[1]!);
    return before === undefined || after === undefined ? undefined : [...before, ...after];
  }
  const message = parseMessage(text);
  return message === undefined ? undefined : [message];
}

function parseMessage(text: string): Message | undefined {
  if (text.trim() === '') return { type: 'nothing' };
  const call = CALL.exec(text);
  if (call !== null) return parseCall(+call[1]!, +call[2]!, +call[3]!, call[4]!);
  const sched = SCHED.exec(text);
  if (sched !== null) {
    const [, pid, tid, reason] = sched;
    if (reason === undefined) return { type: 'sched', pid: +pid!, tid: +tid! };
    return { type: 'acquired', pid: +pid!, tid: +tid!, reason };
  }
  const banner = BANNER.exec(text);
  if (banner !== null) return { type: 'banner', pid: +banner[1]!, text: banner[2]! };
  const outcome = parseOutcome(text.trimStart());
  if (outcome !== undefined) return { type: 'result', outcome };
  return OTHER.test(text) ? { type: 'nothing' } : undefined;
}

function parseCall(pid: number, tid: number, nr: number, rest: string): Message {
  const resumed = RESUMED.exec(rest);
  if (resumed !== null) {
    const outcome = parseOutcome(resumed[1]!);
    if (outcome !== undefined) return { type: 'resumed', pid, tid, nr, outcome };
  }
  const name = /^\w*/.exec(rest)![0];
  const arrow = rest.lastIndexOf('--> ');
  const outcome = arrow < 0 ? undefined : parseOutcome(rest.slice(arrow));
  const args: string[] = [];
  ARGUMENT.lastIndex = rest.indexOf('(') + 1;
  for (let m = ARGUMENT.exec(rest); m !== null && args.length < 6; m = ARGUMENT.exec(rest)) {
    args.push(m[1]!);
    if (m[0].endsWith(')')) break;
  }
  return { type: 'call', call: { pid, tid, nr, name, args }, outcome };
}

function parseOutcome(text: string): Outcome | undefined {
  const match = OUTCOME.exec(text);
  if (match === null) return undefined;
  if (match[1] === '[async]') return { type: 'async' };
  if (match[1] === 'Failure') return { type: 'failure' };
  return { type: 'success', value: Number(VALUE.exec(text)?.[1] ?? 0) };
}
