/** A recorded schedule, made into a placement: which vCPU was on which host CPU, how long. */

import { matchesGlob } from 'node:path';
import { csvFormatRows } from 'd3-dsv';
import { UserError } from '../../errors.ts';
import { PLACEMENT_COLUMNS } from '../../host/placement.ts';
import { foreignFormat } from '../foreign.ts';
import { examineInput, readInput } from '../input.ts';
import { Place } from '../lines.ts';
import { LineSplitter, shown } from '../text-lines.ts';
import { parseEventLine } from './event-line.ts';
import { type RecordedTask, Recording } from './recording.ts';

/** The names of QEMU's vCPU threads. */
export const VCPU_THREADS = 'CPU */KVM';

export interface ScheduleOptions {
  /** A glob over names of tasks. */
  readonly comm?: string | undefined;
  readonly pids?: readonly number[] | undefined;
  readonly progress?: (doneBytes: number, totalBytes: number) => void;
}

/** A recording, and the tasks of it that are to be vCPUs: vCPU n is the nth, by pid. */
export interface ImportedSchedule {
  readonly file: string;
  readonly recording: Recording;
  readonly vcpus: readonly RecordedTask[];
  /** CPUs on which one of them ran, by number: host CPU n is the nth. */
  readonly cpus: readonly number[];
}

/**
 * Reads text of ftrace, trace-cmd report, perf script or Perfetto's systrace. UserError with line
 * and column for a line that is none, for events out of order, and if no task is picked.
 */
export async function importSchedule(
  file: string,
  { comm, pids, progress = () => {} }: ScheduleOptions,
): Promise<ImportedSchedule> {
  const input = await examineInput(file, empty);
  const place = new Place(file);
  const recording = new Recording(place);
  const lines = new LineSplitter(place, (line) => {
    const event = parseEventLine(line, place);
    if (event !== undefined) recording.add(event);
    return true;
  });
  let isText = false;
  for await (const chunk of readInput(input, (bytes) => progress(bytes, input.bytes))) {
    if (!isText) mustBeText(chunk.subarray(0, 1 << 16), file);
    isText = true;
    lines.push(chunk);
  }
  lines.end();
  recording.finish();
  if (recording.switches === 0) {
    throw new UserError(
      `${file}: found ${recording.events} events and no sched_switch among them, expected ` +
        `some. ${HOW}`,
    );
  }
  const vcpus = picked(
    file,
    recording,
    comm ?? (pids === undefined ? VCPU_THREADS : undefined),
    pids,
  );
  const cpus = new Set(vcpus.flatMap(({ stretches }) => stretches.map(({ cpu }) => cpu)));
  return { file, recording, vcpus, cpus: [...cpus].toSorted((a, b) => a - b) };
}

/** As the file of a placement. */
export function placementText({ vcpus, cpus }: ImportedSchedule): string {
  const rows = vcpus.flatMap(({ pid, comms, stretches }, vcpu) =>
    stretches.map(({ cpu, at, ns, cause = '' }) =>
      [vcpu, cpus.indexOf(cpu), at, ns, cause, cpu, pid, comms.at(-1)!].map(String),
    ),
  );
  return `${csvFormatRows([[...PLACEMENT_COLUMNS], ...rows])}\n`;
}

const HOW =
  'Record one: perf sched record COMMAND, and perf script > FILE; or trace-cmd record -e ' +
  'sched COMMAND, and trace-cmd report > FILE.';

function picked(
  file: string,
  { tasks }: Recording,
  comm: string | undefined,
  pids: readonly number[] = [],
): RecordedTask[] {
  const ran = [...tasks.values()].filter(({ stretches }) => stretches.length > 0);
  const missing = pids.filter((pid) => !ran.some((task) => task.pid === pid));
  const chosen = ran.filter(
    (task) =>
      pids.includes(task.pid) ||
      (comm !== undefined && task.comms.some((name) => isLike(name, comm))),
  );
  const wanted =
    missing.length > 0 ? `a task with pid ${missing.join(', ')}` : `a task called ${comm}`;
  if (chosen.length > 0 && missing.length === 0) return chosen.toSorted((a, b) => a.pid - b.pid);
  const time = ({ stretches }: RecordedTask): number => stretches.reduce((n, { ns }) => n + ns, 0);
  const busiest = ran.toSorted((a, b) => time(b) - time(a)).slice(0, 5);
  const names = busiest.map(({ comms, pid }) => `${comms.at(-1)} (${pid})`).join(', ');
  const others = Math.max(0, ran.length - busiest.length);
  const found = ran.length === 0 ? 'no task that ran' : `${names} and ${others} other tasks`;
  throw new UserError(
    `${file}: found ${found}, expected ${wanted}. Say which tasks are the vCPUs: --comm 'GLOB', ` +
      '--pid N,N.',
  );
}

/** A / in a name is no folder. */
const isLike = (name: string, glob: string): boolean =>
  matchesGlob(name.replaceAll('/', '∕'), glob.replaceAll('/', '∕'));

const empty = (file: string): UserError =>
  new UserError(`${file}: found an empty file, expected events of the scheduler. ${HOW}`);

/** A known other format is named, instead of the first line that does not fit. */
function mustBeText(head: Uint8Array, file: string): void {
  const foreign = foreignFormat(head);
  if (foreign === undefined || foreign.format === 'schedule') return;
  const { what, line, column, found } = foreign;
  throw new UserError(
    `${file}:${line}:${column}: found ${shown(found)}: this is ${what}, expected text of ` +
      `perf script, trace-cmd report or ftrace. ${HOW}`,
  );
}
