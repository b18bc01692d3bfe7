/**
 * Lines of ftrace, trace-cmd report, perf script and Perfetto's systrace text, as far as they tell
 * of the scheduler. All have task, CPU in brackets, time and event in this order:
 *
 *     CPU 3/KVM-2950    [014] d....   576.161432: sched_migrate_task: comm=… pid=… …
 *     <idle>-0     (-----) [026] 12.097105: sched_switch: swapper/26:0 [120] R ==> CPU 0/KVM:38610 [120]
 *     migration/9      67 [009] 105373.359904:       sched:sched_migrate_task: comm=… pid=… …
 *
 * A task's name may have anything in it, spaces too, so it is what stands before its pid.
 */

import type { Place } from '../lines.ts';
import { shown } from '../text-lines.ts';

export interface Task {
  readonly pid: number;
  readonly comm: string;
}

interface Happened {
  readonly cpu: number;
  /** Whole seconds, and nanoseconds on top of them. */
  readonly seconds: number;
  readonly ns: number;
  /** Where the time stands in the line, from 1. */
  readonly timeColumn: number;
  /** On whose CPU time it happened. */
  readonly by: Task;
}

export type SchedEvent =
  | (Happened & {
      readonly type: 'switch';
      readonly prev: Task;
      readonly state: string;
      readonly next: Task;
    })
  | (Happened & {
      readonly type: 'migrate';
      readonly pid: number;
      readonly from: number;
      readonly to: number;
      readonly isRealTime: boolean;
    })
  /** It is being woken, with the waker's CPU; or it is awake. */
  | (Happened & { readonly type: 'waking' | 'awake'; readonly pid: number })
  /** The current task becomes another program. */
  | (Happened & { readonly type: 'exec' })
  | (Happened & { readonly type: 'other' })
  /** The number of lost events; NaN if unknown. */
  | { readonly type: 'lost'; readonly count: number };

const CPU = /\[(?<cpu>\d+)\]/.source;
const TIME = /(?<time>(?<s>\d+)\.(?<frac>\d{1,9})):/.source;

const header = (...parts: readonly string[]): RegExp => new RegExp(`^\\s*${parts.join('\\s+')}$`);

/** `comm-pid (tgid) [cpu] flags time: event: …`; flags of any width, or none. */
const FTRACE = header(
  String.raw`(?<comm>.+?)-(?<pid>\d+)`,
  String.raw`(?:\([\s\d-]*\)\s+)?${CPU}`,
  String.raw`(?:\S+\s+)?${TIME}`,
  String.raw`(?<event>[\w-]+):(?<rest>.*)`,
);

/** `comm pid/tid [cpu] time: period system:event: …` */
const PERF = header(
  String.raw`(?<comm>.*?)\s*(?<!\S)(?:-?\d+\/)?(?<pid>-?\d+)`,
  CPU,
  TIME,
  String.raw`(?:\d+\s+)?(?:[\w-]+:)?(?<event>[\w-]+):(?<rest>.*)`,
);

/** What stands between events and tells nothing: comments, what trace-cmd says first, stacks. */
const SILENT =
  /^\s*(?:#.*|TRACE:|version = \S+|cpus=\d+|CPU \d+ is empty|trace\.dat:?|=>.*|<stack trace>|.*\bPERF_RECORD_(?!LOST)\w+.*|[0-9a-f]{6,16} .*|)$/;

const LOST: readonly RegExp[] = [
  /^CPU:\d+ \[LOST (\d+) EVENTS\]$/,
  /^CPU:\d+ \[(\d+) EVENTS DROPPED\]$/,
  /^CPU:\d+ \[(?:LOST EVENTS|EVENTS DROPPED)\]$/,
  /PERF_RECORD_LOST(?:_SAMPLES)? lost (\d+)$/,
  /^Processed \d+ events and lost (\d+) chunks!$/,
];

/** `# entries-in-buffer/entries-written: 4/400`: the first were overwritten. */
const OVERWRITTEN = /^# entries-in-buffer\/entries-written: (\d+)\/(\d+)/;

const SWITCH: readonly RegExp[] = [
  /^prev_comm=(.*) prev_pid=(\d+) prev_prio=-?\d+ prev_state=(\S+) ==> next_comm=(.*) next_pid=(\d+) next_prio=-?\d+/,
  /^(.*):(\d+) \[-?\d+\] (\S+) ==> (.*):(\d+) \[-?\d+\]/,
];
const MIGRATE = /^comm=.* pid=(\d+) prio=(-?\d+) orig_cpu=(\d+) dest_cpu=(\d+)/;
const WAKE: readonly RegExp[] = [/^comm=.* pid=(\d+) prio=-?\d+/, /^.*:(\d+) \[-?\d+\]/];

const WAKES = ['sched_waking', 'sched_wakeup', 'sched_wakeup_new'];

/** Priorities below are the real-time classes'. */
const FIRST_FAIR_PRIO = 100;

/** Undefined for a line that tells nothing. UserError for one that is none of these. */
export function parseEventLine(line: string, place: Place): SchedEvent | undefined {
  const match = PERF.exec(line) ?? FTRACE.exec(line);
  const parts = match?.groups as Record<HeaderPart, string> | undefined;
  if (parts === undefined) return lostIn(line) ?? silent(line, place);
  const happened = {
    cpu: Number(parts.cpu),
    seconds: Number(parts.s),
    ns: Number(parts.frac.padEnd(9, '0')),
    timeColumn: line.indexOf(parts.time, line.indexOf(']')) + 1,
    by: { pid: Number(parts.pid), comm: parts.comm },
  };
  const { event } = parts;
  const rest = parts.rest.trim();
  const malformed = (expected: string) => {
    const column = line.length - parts.rest.trimStart().length + 1;
    return place.error(`found ${shown(rest)}, expected ${expected}`, column);
  };
  if (event === 'PERF_RECORD_LOST') return lostIn(line);
  if (event === 'sched_switch') {
    const [, prevComm, prevPid, state, nextComm, nextPid] = firstOf(SWITCH, rest) ?? [];
    if (nextPid === undefined) {
      throw malformed(
        'prev_comm=NAME prev_pid=N prev_prio=N prev_state=S ==> next_comm=NAME next_pid=N ' +
          'next_prio=N, or NAME:N [N] S ==> NAME:N [N]',
      );
    }
    const prev = { pid: Number(prevPid), comm: prevComm! };
    return {
      ...happened,
      type: 'switch',
      prev,
      state: state!,
      next: { pid: Number(nextPid), comm: nextComm! },
    };
  }
  if (event === 'sched_migrate_task') {
    const [, pid, prio, from, to] = MIGRATE.exec(rest)?.map(Number) ?? [];
    if (to === undefined) throw malformed('comm=NAME pid=N prio=N orig_cpu=N dest_cpu=N');
    const isRealTime = prio! < FIRST_FAIR_PRIO;
    return { ...happened, type: 'migrate', pid: pid!, from: from!, to, isRealTime };
  }
  if (WAKES.includes(event)) {
    const [, pid] = firstOf(WAKE, rest) ?? [];
    if (pid === undefined) throw malformed('comm=NAME pid=N prio=N …, or NAME:N [N] …');
    const type = event === 'sched_waking' ? 'waking' : 'awake';
    return { ...happened, type, pid: Number(pid) };
  }
  if (event === 'sched_process_exec') return { ...happened, type: 'exec' };
  return { ...happened, type: 'other' };
}

type HeaderPart = 'comm' | 'pid' | 'cpu' | 'time' | 's' | 'frac' | 'event' | 'rest';

function firstOf(shapes: readonly RegExp[], text: string): RegExpExecArray | undefined {
  for (const shape of shapes) {
    const match = shape.exec(text);
    if (match !== null) return match;
  }
  return undefined;
}

function lostIn(line: string): SchedEvent | undefined {
  const overwritten = OVERWRITTEN.exec(line);
  if (overwritten !== null) {
    return { type: 'lost', count: Number(overwritten[2]) - Number(overwritten[1]) };
  }
  const match = firstOf(LOST, line.trim());
  return match && { type: 'lost', count: Number(match[1] ?? Number.NaN) };
}

/** Undefined for a line that need not be understood; else says where it ceases to be an event. */
function silent(line: string, place: Place): undefined {
  if (SILENT.test(line)) return undefined;
  const cpu = /[-\s]\d+\s+(?:\([\s\d-]*\)\s+)?\[\d+\]\s*/.exec(line);
  if (cpu === null) {
    throw place.error(
      `found ${shown(line.trim())}, expected a line of an event: NAME-PID [CPU] TIME: ` +
        'EVENT: … of ftrace, or NAME PID [CPU] TIME: EVENT: … of perf script',
      line.search(/\S/) + 1,
    );
  }
  const behind = cpu.index + cpu[0].length;
  const time = /^(?:\S+\s+)?\d+\.\d{1,9}:\s+/.exec(line.slice(behind));
  const at = behind + (time?.[0].length ?? 0);
  const expected = time === null ? 'SECONDS.FRACTION: behind the CPU' : 'EVENT: behind the time';
  throw place.error(`found ${shown(line.slice(at))}, expected ${expected}`, at + 1);
}
