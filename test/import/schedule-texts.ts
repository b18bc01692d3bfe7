/** One schedule as each of the tools would print it. */

export interface Switch {
  /** Nanoseconds, and the host CPU. */
  readonly at: number;
  readonly cpu: number;
  /** Pids; 0 is idle. */
  readonly prev: number;
  readonly next: number;
  readonly state: string;
}

export interface Migrate {
  readonly at: number;
  /** The CPU and the task that the event is recorded on. */
  readonly cpu: number;
  readonly by: number;
  readonly pid: number;
  readonly from: number;
  readonly to: number;
}

export interface Wake {
  readonly at: number;
  readonly cpu: number;
  readonly by: number;
  readonly pid: number;
}

export type Said = Switch | Migrate | Wake;

/** Names of tasks by pid; with a space, a slash, a minus and digits in them. */
export function nameOf(pid: number): string {
  if (pid === 0) return 'swapper';
  return pid < 100 ? `migration/${pid}` : `CPU ${pid - 100}/KVM`;
}

const second = (at: number, digits: number): string =>
  `${Math.floor(at / 1e9) + 1_212_277}.${String(Math.floor((at % 1e9) / 10 ** (9 - digits))).padStart(digits, '0')}`;

const by = (said: Said): number => ('prev' in said ? said.prev : said.by);

function fields(said: Said): [event: string, words: string] {
  if ('prev' in said) {
    const { cpu, prev, next, state } = said;
    const name = (pid: number): string => (pid === 0 ? `swapper/${cpu}` : nameOf(pid));
    return [
      'sched_switch',
      `prev_comm=${name(prev)} prev_pid=${prev} prev_prio=120 prev_state=${state} ==> next_comm=${name(next)} next_pid=${next} next_prio=120`,
    ];
  }
  if ('from' in said) {
    const { pid, from, to } = said;
    return [
      'sched_migrate_task',
      `comm=${nameOf(pid)} pid=${pid} prio=120 orig_cpu=${from} dest_cpu=${to}`,
    ];
  }
  const { pid, cpu } = said;
  return [
    'sched_waking',
    `comm=${nameOf(pid)} pid=${pid} prio=120 target_cpu=${String(cpu).padStart(3, '0')}`,
  ];
}

/** As libtraceevent's plugin prints them. */
function plugin(said: Said): [event: string, words: string] {
  const [event, words] = fields(said);
  if ('prev' in said) {
    const { cpu, prev, next, state } = said;
    const name = (pid: number): string => (pid === 0 ? `swapper/${cpu}` : nameOf(pid));
    return [event, `${name(prev)}:${prev} [120] ${state} ==> ${name(next)}:${next} [120]`];
  }
  return 'from' in said ? [event, words] : [event, `${nameOf(said.pid)}:${said.pid} [120] CPU:000`];
}

const cpuOf = (cpu: number): string => `[${String(cpu).padStart(3, '0')}]`;

const task = (pid: number): string =>
  `${(pid === 0 ? '<idle>' : nameOf(pid)).padStart(16)}-${String(pid).padEnd(7)}`;

const ftrace =
  (flags: string, digits = 6, tgid = '') =>
  (said: Said): string => {
    const [event, words] = fields(said);
    const columns = [
      task(by(said)),
      tgid,
      cpuOf(said.cpu),
      flags,
      second(said.at, digits).padStart(12),
    ];
    return `${columns.filter((column) => column !== '').join(' ')}: ${event}: ${words}`;
  };

/** By tool: the text before, and each event in a line. */
export const TOOLS: Readonly<
  Record<string, { before: readonly string[]; line: (said: Said) => string }>
> = {
  'perf script': {
    before: [],
    line(said) {
      const [event, words] = fields(said);
      const pid = by(said);
      return `${nameOf(pid).padStart(16)} ${String(pid).padStart(5)} ${cpuOf(said.cpu)} ${second(said.at, 6)}: ${`sched:${event}`.padStart(24)}: ${words}`;
    },
  },
  'perf script -F pid,tid,cpu,time,event,trace --ns': {
    before: [],
    line(said) {
      const [event, words] = fields(said);
      const pid = by(said);
      return `${pid}/${pid} ${cpuOf(said.cpu)} ${second(said.at, 9)}: sched:${event}: ${words}`;
    },
  },
  ftrace: {
    before: ['# tracer: nop', '#', '# entries-in-buffer/entries-written: 9/9   #P:4', '#'],
    line: ftrace('d..3.'),
  },
  'ftrace of an older kernel': { before: ['# tracer: nop'], line: ftrace('d...') },
  'trace-cmd report': {
    before: ['version = 7', 'CPU 3 is empty', 'cpus=8'],
    line(said) {
      const [event, words] = plugin(said);
      return `${task(by(said))} ${cpuOf(said.cpu)} ${second(said.at, 6)}: ${`${event}:`.padEnd(21)} ${words}`;
    },
  },
  'trace-cmd report -t, with flags': { before: ['cpus=8'], line: ftrace('d..2...', 9) },
  'systrace of Perfetto': {
    before: [
      '# tracer: nop',
      '#',
      '#           TASK-PID    TGID   CPU#  ||||    TIMESTAMP  FUNCTION',
    ],
    line: ftrace('d..3', 6, '(-----)'),
  },
};

export const textBy = (tool: string, all: readonly Said[]): string => {
  const { before, line } = TOOLS[tool]!;
  return `${[...before, ...all.map(line)].join('\n')}\n`;
};
