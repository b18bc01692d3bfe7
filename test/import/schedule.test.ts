/**
 * Recorded schedules: the same from every tool, exactly; invalid ones are refused with their place.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePlacement } from '../../src/host/placement.ts';
import {
  type ImportedSchedule,
  importSchedule,
  placementText,
  type ScheduleOptions,
} from '../../src/import/schedule/import.ts';
import { formatSchedule, scheduleReport } from '../../src/import/schedule/report.ts';
import { inDirectory } from '../guest/traces/helpers.ts';
import { complaintOfImport } from './lackey.ts';
import { type Said, TOOLS, textBy } from './schedule-texts.ts';

async function imported(
  text: string | Uint8Array,
  options: ScheduleOptions = {},
): Promise<ImportedSchedule> {
  return await inDirectory(async (directory) => {
    const file = join(directory, 't');
    writeFileSync(file, text);
    return await importSchedule(file, options);
  });
}

const complaint = (text: string | Uint8Array, options?: ScheduleOptions): Promise<string> =>
  complaintOfImport(imported(text, options));

/** CPU, start, duration and cause of each stretch of each vCPU. */
const stretchesOf = ({ vcpus }: ImportedSchedule) =>
  vcpus.map(({ stretches }) => stretches.map(({ cpu, at, ns, cause }) => [cpu, at, ns, cause]));

/** Two vCPUs: one sleeps and is woken elsewhere, one is balanced, then moved by the stopper. */
const SCHEDULE: readonly Said[] = [
  { at: 1000, cpu: 2, prev: 0, next: 101, state: 'R' },
  { at: 2000, cpu: 5, prev: 100, next: 0, state: 'S' },
  { at: 5000, cpu: 2, by: 101, pid: 100 },
  { at: 5000, cpu: 2, by: 101, pid: 100, from: 5, to: 2 },
  { at: 7000, cpu: 2, prev: 101, next: 100, state: 'R+' },
  { at: 8000, cpu: 5, by: 0, pid: 101, from: 2, to: 5 },
  { at: 9000, cpu: 5, prev: 0, next: 101, state: 'R' },
  { at: 12_000, cpu: 5, by: 101, pid: 18 },
  { at: 12_000, cpu: 5, prev: 101, next: 18, state: 'R' },
  { at: 13_000, cpu: 5, by: 18, pid: 101, from: 5, to: 7 },
  { at: 14_000, cpu: 5, prev: 18, next: 0, state: 'S' },
  { at: 14_000, cpu: 7, prev: 0, next: 101, state: 'R' },
  { at: 20_000, cpu: 2, prev: 100, next: 0, state: 'S' },
];

describe.each(Object.keys(TOOLS))('%s', (tool) => {
  test('gives the CPU, the duration and the cause of each stretch', async () => {
    const schedule = await imported(textBy(tool, SCHEDULE));
    expect(stretchesOf(schedule)).toEqual([
      [
        [5, 0, 1000, undefined],
        [2, 6000, 13_000, 'wake-up'],
      ],
      [
        [2, 0, 6000, undefined],
        [5, 8000, 3000, 'balance'],
        [7, 13_000, 6000, 'affinity'],
      ],
    ]);
    expect(schedule.cpus).toEqual([2, 5, 7]);
    expect(scheduleReport(schedule)).toMatchObject({
      lost_events: 0,
      gaps: 0,
      duration_ns: 19_000,
    });
    const { vcpus } = parsePlacement(placementText(schedule), 'p');
    expect(vcpus.map(({ hostCpus, ns }) => [hostCpus, ns])).toEqual([
      [
        [1, 0],
        [1000, 13_000],
      ],
      [
        [0, 1, 2],
        [6000, 3000, 6000],
      ],
    ]);
  });

  test('gives back any schedule', async () => {
    const steps = fc.array(
      fc.record({ cpu: fc.nat(3), task: fc.nat(2), later: fc.integer({ min: 1, max: 99 }) }),
      { minLength: 1, maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const { said, expected } = scheduleOf(all);
        fc.pre(expected.some((stretches) => stretches.length > 0));
        const { vcpus } = await imported(textBy(tool, said));
        const found = vcpus.map(({ stretches }) => stretches.map(({ cpu, ns }) => [cpu, ns]));
        expect(found).toEqual(expected.filter((stretches) => stretches.length > 0));
      }),
      { numRuns: 15 },
    );
  });
});

/** At each step a CPU switches to a task, or goes idle if it runs it already. */
function scheduleOf(steps: readonly { cpu: number; task: number; later: number }[]) {
  const running = [0, 0, 0, 0];
  const since: number[] = [];
  const expected: [number, number][][] = [[], [], []];
  const said: Said[] = [];
  let at = 0;
  const change = (cpu: number, next: number): void => {
    const prev = running[cpu]!;
    said.push({ at, cpu, prev, next, state: next === 0 ? 'S' : 'R' });
    if (prev !== 0) expected[prev - 100]!.push([cpu, at - since[cpu]!]);
    running[cpu] = next;
    since[cpu] = at;
  };
  // Every CPU has an event while it is idle, so that its first task is known.
  for (const cpu of running.keys()) said.push({ at, cpu, by: 0, pid: 50 });
  for (const { cpu, task, later } of steps) {
    at += later * 1000;
    const there = running.indexOf(100 + task);
    if (there >= 0) change(there, 0);
    if (there !== cpu) change(cpu, 100 + task);
  }
  at += 1000;
  for (const cpu of running.keys()) if (running[cpu] !== 0) change(cpu, 0);
  return { said, expected };
}

describe('a recording of a real machine', async () => {
  const packed = readFileSync(new URL('schedules/perf-script.txt.gz', import.meta.url));
  const schedule = await imported(packed);

  test('has every switch of its vCPUs', () => {
    const lines = gunzipSync(packed).toString().split('\n');
    const taken = (pid: number): number[] =>
      lines
        .filter((line) => line.includes(` next_pid=${pid} `))
        .map((line) => Number(/\[(\d+)\]/.exec(line)![1]));
    for (const { pid, stretches } of schedule.vcpus) {
      expect(stretches.map(({ cpu }) => cpu)).toEqual(taken(pid));
    }
    expect(schedule.vcpus.map(({ comms }) => comms.at(-1))).toEqual(
      [0, 1, 2, 3].map((id) => `CPU ${id}/KVM`),
    );
  });

  test('is summarized', () => {
    expect(formatSchedule(scheduleReport(schedule)).split('\n').slice(1, 3)).toEqual([
      '  no events lost',
      '4 vCPUs on 2 host CPUs, 63 stretches, 5 migrations: 5 by affinity',
    ]);
  });
});

describe('causes of moves in a recording of a real machine', () => {
  const text = gunzipSync(
    readFileSync(new URL('schedules/causes.txt.gz', import.meta.url)),
  ).toString();
  const causes = async (lines: string) => {
    const { vcpus } = scheduleReport(
      await imported(lines, { comm: '{moves-*,is-moved,exe,sleeps}' }),
    );
    return Object.fromEntries(
      vcpus.map(({ comm, migrations }) => [
        comm,
        Object.entries(migrations).filter(([, n]) => n > 0),
      ]),
    );
  };

  test('are those that its program made', async () => {
    expect(await causes(text)).toEqual({
      'moves-itself': [['affinity', 12]],
      exe: [
        ['balance', 1],
        ['exec', 2],
      ],
      'is-moved': [
        // From the destination CPU, setting an affinity looks like balancing.
        ['balance', 1],
        ['affinity', 1],
      ],
      'moves-another': [
        ['wake-up', 1],
        ['balance', 1],
      ],
      sleeps: [['balance', 1]],
    });
  });

  test('without sched_waking and sched_process_exec are less exact, and none is unknown', async () => {
    const without = text.replace(/^.*sched_(?:waking|process_exec):.*\n/gm, '');
    expect(await causes(without)).toMatchObject({
      'moves-itself': [['affinity', 12]],
      exe: [
        ['balance', 1],
        ['affinity', 2],
      ],
    });
  });

  test('are exec also where only the name shows it, and balancing by an idle CPU’s stopper', async () => {
    const said: readonly Said[] = [
      { at: 0, cpu: 1, prev: 0, next: 100, state: 'R' },
      { at: 1000, cpu: 1, by: 100, pid: 18 },
      { at: 2000, cpu: 1, prev: 100, next: 18, state: 'R' },
      { at: 3000, cpu: 1, by: 18, pid: 100, from: 1, to: 2 },
      { at: 4000, cpu: 2, prev: 0, next: 100, state: 'R' },
      { at: 9000, cpu: 2, prev: 101, next: 18, state: 'R' },
      { at: 9000, cpu: 1, by: 0, pid: 18 },
      { at: 10_000, cpu: 2, by: 18, pid: 101, from: 2, to: 1 },
      { at: 11_000, cpu: 1, prev: 0, next: 101, state: 'R' },
      { at: 19_000, cpu: 1, prev: 101, next: 0, state: 'S' },
    ];
    // From here on task 101 is 100 under another name.
    const lines = textBy('ftrace', said)
      .replaceAll('pid=101', 'pid=100')
      .replaceAll('-101 ', '-100 ');
    expect(stretchesOf(await imported(lines, { pids: [100] }))).toEqual([
      [
        [1, 0, 2000, undefined],
        [2, 4000, 5000, 'exec'],
        [1, 11_000, 8000, 'balance'],
      ],
    ]);
  });
});

const LINE =
  '     CPU 0/KVM-100     [005] d..3. 1212277.000002: sched_waking: comm=x pid=7 prio=120 target_cpu=000';

describe('lost events', () => {
  test.each([
    ['CPU:5 [LOST 12 EVENTS]', 12, 1],
    ['CPU:5 [204600 EVENTS DROPPED]', 204_600, 1],
    ['CPU:5 [EVENTS DROPPED]', 0, 1],
    ['# entries-in-buffer/entries-written: 40/400   #P:4', 360, 1],
    ['            app  1153 [004] 1212277.000001: PERF_RECORD_LOST lost 15', 15, 1],
    ['Processed 1130 events and lost 3 chunks!', 3, 1],
    ['# entries-in-buffer/entries-written: 40/40   #P:4', 0, 0],
  ])('%s', async (line, lost, gaps) => {
    const text = `${line}\n${textBy('ftrace', SCHEDULE)}`;
    expect(scheduleReport(await imported(text))).toMatchObject({ lost_events: lost, gaps });
  });

  test('that are not counted show where the rest is inconsistent', async () => {
    const without = SCHEDULE.filter((_, i) => i !== 4);
    const schedule = await imported(textBy('ftrace', without));
    const report = scheduleReport(schedule);
    expect(report).toMatchObject({ lost_events: 0, gaps: 1 });
    expect(formatSchedule(report)).toContain(
      'events are missing, in 1 place: what a task did there',
    );
    // The time of the switch is between the events around it.
    expect(stretchesOf(schedule)[0]!.map(([cpu]) => cpu)).toEqual([5, 2]);
  });

  test('are not assumed for skewed clocks: the task arrives before it leaves', async () => {
    const skewed: readonly Said[] = [
      { at: 0, cpu: 1, prev: 0, next: 100, state: 'R' },
      { at: 900, cpu: 2, prev: 0, next: 100, state: 'R' },
      { at: 1000, cpu: 1, prev: 100, next: 0, state: 'R' },
      { at: 5000, cpu: 2, prev: 100, next: 0, state: 'S' },
    ];
    const schedule = await imported(textBy('trace-cmd report -t, with flags', skewed));
    expect(schedule.recording.gaps).toBe(0);
    expect(stretchesOf(schedule)[0]!.map(([cpu, , ns]) => [cpu, ns])).toEqual([
      [1, 900],
      [2, 4100],
    ]);
  });
});

describe('tasks', () => {
  const text = textBy('ftrace', SCHEDULE);

  test('are selected by name and by pid', async () => {
    const pids = async (options: ScheduleOptions) =>
      (await imported(text, options)).vcpus.map(({ pid }) => pid);
    expect(await pids({ comm: 'CPU [1-9]/*' })).toEqual([101]);
    expect(await pids({ pids: [101, 18] })).toEqual([18, 101]);
    expect(await pids({ comm: '*0/KVM', pids: [18] })).toEqual([18, 100]);
  });

  test('that do not exist are refused, with a list of those that do', async () => {
    expect(await complaint(text, { comm: 'qemu*' })).toBe(
      "t: found CPU 1/KVM (101), CPU 0/KVM (100), migration/18 (18) and 0 other tasks, expected a task called qemu*. Say which tasks are the vCPUs: --comm 'GLOB', --pid N,N.",
    );
    expect(await complaint(text, { pids: [100, 7] })).toMatch(/expected a task with pid 7\./);
  });
});

describe('an invalid recording is refused with its place', () => {
  const lines = textBy('ftrace', SCHEDULE).trimEnd().split('\n');
  const withLine = (line: string): string =>
    `${[...lines.slice(0, 6), line, ...lines.slice(6)].join('\n')}\n`;

  test.each([
    ['hello', /^t:7:1: found "hello", expected a line of an event/],
    [LINE.slice(0, 30), /^t:7:30: found "d", expected SECONDS\.FRACTION/],
    [LINE.slice(0, 45), /^t:7:30: found "d\.\.3\. 1212277\.00", expected SECONDS\.FRACTION/],
    [LINE.slice(0, 58), /^t:7:52: found "sched_w", expected EVENT: behind the time/],
    [
      `${LINE.split('sched_waking')[0]}sched_waking: comm=x`,
      /^t:7:66: found "comm=x", expected comm=NAME pid=N/,
    ],
    [
      `${LINE.split('sched_waking')[0]}sched_switch: prev_comm=x prev_pid=1 prev_prio=120 prev_state=R ==> next_comm=`,
      /^t:7:66: found "prev_comm=x prev_pid=1 prev_prio=120 pre…", expected prev_comm=NAME/,
    ],
    [
      `${LINE.split('sched_waking')[0]}sched_migrate_task: comm=x pid=1 prio=120 orig_cpu=3`,
      /^t:7:72: found "comm=x pid=1 prio=120 orig_cpu=3", expected .*dest_cpu=N/,
    ],
    [
      LINE.replace('[005]', '[002]').replace('.000002', '.000000'),
      /^t:7:\d+: found a time 1000 ns before that of CPU 2's last event/,
    ],
  ])('%s', async (line, words) => {
    expect(await complaint(withLine(line))).toMatch(words);
  });

  test('a file that was cut short', async () => {
    const text = lines.join('\n');
    expect(await complaint(text)).toMatch(
      new RegExp(
        `^t:${lines.length}:\\d+: found ".*" and then nothing, expected the end of the line`,
      ),
    );
    expect(
      await complaint(
        readFileSync(new URL('schedules/perf-script.txt.gz', import.meta.url)).subarray(0, 2000),
      ),
    ).toMatch(/^t is cut short: its gzip data ends/);
  });

  test.each([
    [
      '',
      /^t: found an empty file, expected events of the scheduler\. Record one: perf sched record/,
    ],
    [`${LINE}\n`, /^t: found 1 events and no sched_switch among them/],
    ['PERFILE2…', /^t:1:1: found "PERFILE2": this is a recording of perf record \(perf script -i/],
    ['0x40: R 0x50\n#eof\n', /this is the output of Pin’s pinatrace, expected text of perf script/],
  ])('%j', async (text, words) => {
    expect(await complaint(text)).toMatch(words);
  });
});
