/** A free-running machine, inspected while it runs; the same here and in Node. */

import { ACCESS_COUNTERS, Counter } from '../../../shared/counters.ts';
import type { DisciplineName } from '../../../shared/discipline.ts';
import type { Host } from '../../../shared/host.ts';
import { Dead } from '../../../shared/lguest.ts';
import { Stop } from '../../../shared/machine-record.ts';
import { type CheckedRun, runChecked } from '../../check/checked-run.ts';
import { checkAll } from '../../check/invariants.ts';
import type { DefectId } from '../../defects.ts';
import type { PagingName } from '../../hardware/entry.ts';
import type { PolicyName } from '../../host/policy.ts';
import { pause, resume } from '../../host/safe-point.ts';
import { Machine } from '../../machine.ts';
import { inspect, type Section, type View } from '../../report/inspection.ts';

export interface Wanted {
  readonly workload: string;
  readonly size: number;
  readonly seed: number;
  readonly cpus: number;
  readonly vcpus: number;
  readonly paging: PagingName;
  readonly policy: PolicyName;
  /** Operations of a time slice. */
  readonly slice: number;
  readonly discipline: DisciplineName;
  readonly defects: readonly DefectId[];
}

/** The counts of each host CPU. */
export const COUNTED = {
  accesses: ACCESS_COUNTERS,
  walks: [Counter.Walks],
  faults: [Counter.FaultsFixed, Counter.FaultsPassedOn],
  migrations: [Counter.Migrations],
  shootdowns: [Counter.Shootdowns],
} as const satisfies Record<string, readonly number[]>;

export type Counts = Readonly<Record<keyof typeof COUNTED, number>>;

/** A machine at one moment. */
export interface Moment {
  /** Since it began to run. */
  readonly seconds: number;
  readonly cpus: readonly Counts[];
  /** TLBs, guest and shadow tables, as all CPUs stood at safe points. */
  readonly sections: readonly Section[];
}

export interface Ended {
  readonly ending: string;
  /** It was stopped before its end. */
  readonly interrupted: boolean;
  /** Violations of its invariants. */
  readonly violations: readonly string[];
  readonly seconds: number;
  readonly cpus: readonly Counts[];
  /** Of all user memory at the end, as `umbra run` has it. */
  readonly memory: string;
}

/** Between two looks. */
const LOOK_MS = 250;

/** Reference counts of all frames are too many to be read. */
const VIEWS: readonly View[] = ['cpus', 'guests', 'pgdirs', 'tables'];

const PAGES = 1024;

/** Until its end, or until `told` returns false. Throws UserError for what cannot be had. */
export async function runMachine(
  wanted: Wanted,
  told: (moment: Moment) => boolean,
): Promise<Ended> {
  const { workload, size, seed, cpus, vcpus, paging, policy, slice } = wanted;
  const machine = await Machine.boot({
    hostCpus: cpus,
    policy,
    quantum: { least: slice, most: slice },
    seed,
    discipline: wanted.discipline,
    defects: wanted.defects,
    guests: [
      {
        name: workload,
        program: { kind: 'workload', name: workload, seed, size },
        pages: PAGES,
        paging,
        vcpus,
      },
    ],
  });
  const { host } = machine;
  const began = performance.now();
  let over = false;
  const running = runChecked(machine).finally(() => {
    over = true;
  });
  const violations = await watched(
    machine,
    () => over,
    (sections) =>
      told({ seconds: (performance.now() - began) / 1000, cpus: countsOf(host), sections }),
  );
  const run = await running;
  return {
    ending: endingOf(run),
    interrupted: run.ending.kind === 'interrupted',
    violations: violations.length > 0 ? violations : run.violations,
    seconds: run.seconds,
    cpus: countsOf(host),
    memory: run.guests[0]!.memory.user,
  };
}

/** A violation during the run, which ends it. */
async function watched(
  machine: Machine,
  isOver: () => boolean,
  told: (sections: readonly Section[]) => boolean,
): Promise<readonly string[]> {
  const { host } = machine;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    if (isOver() || host.machine.stop !== Stop.Running) return [];
    if (!(await pause(host, isOver))) return [];
    let goesOn = false;
    try {
      const violations = checkAll(host).map(({ text }) => text);
      goesOn = told(inspect(host, { views: VIEWS })) && violations.length === 0;
      if (!goesOn) return violations;
    } finally {
      if (!goesOn) machine.interrupt();
      resume(host);
    }
  }
}

function countsOf(host: Host): Counts[] {
  return host.cpus.map(({ index }) => {
    const counters = host.guests.map((_, guest) => host.counters(index, guest));
    const sum = (kinds: readonly number[]): number =>
      counters.reduce((n, one) => kinds.reduce((m, kind) => m + one.get(kind), n), 0);
    const counts = Object.entries(COUNTED).map(([name, kinds]) => [name, sum(kinds)]);
    return Object.fromEntries(counts) as Counts;
  });
}

function endingOf({ ending, guests }: CheckedRun): string {
  if (ending.kind === 'oops') return `the host died on CPU ${ending.hostCpu}: ${ending.message}`;
  if ('message' in ending) return ending.message;
  if (ending.kind === 'interrupted') return 'stopped';
  const killed = guests.find(({ dead }) => dead === Dead.Killed);
  return killed === undefined ? 'the guest ended by itself' : `the guest died: ${killed.reason}`;
}
