/**
 * A run drawn from a seed: guests, how they are virtualized, vCPUs, host CPUs, paging forms,
 * disciplines, policies of the scheduler and of the paging code, time slices, the number of cached
 * page tables, kernel threads beside the program, CPUs that go offline and allocations that fail,
 * all at random; and the expected end. The programs have a result that does not depend on the
 * schedule, so each guest's memory must be what a single vCPU on a single host CPU leaves.
 */

import { DISCIPLINES, type DisciplineName } from '../../shared/discipline.ts';
import type { Virtualization } from '../../shared/virtualization.ts';
import { ALL_DEFECTS, type DefectId, SCHEDULE_DEFECTS } from '../defects.ts';
import { loadProgram, type ProgramSource } from '../guest/load.ts';
import { KERNEL_WORK, type KernelThread } from '../guest/program.ts';
import { workloads } from '../guest/workloads/catalogue.ts';
import { Draw } from '../guest/workloads/draw.ts';
import type { PagingName } from '../hardware/entry.ts';
import { type Hotplug, hotplugMistakes } from '../host/hotplug.ts';
import { POLICIES } from '../host/policy.ts';
import { type GuestSpec, Machine, type MachineSpec } from '../machine.ts';
import { ofEach, PAGING_POLICIES, type PagingPolicy } from '../paging/policies/declared.ts';
import { type CheckedRun, runChecked } from './checked-run.ts';

/**
 * How often a workload is among those drawn from, where that is not once: what others hardly do
 * is told of tables that are being evicted, and of that it takes much to meet what goes wrong.
 */
const SHARES: Readonly<Record<string, number>> = { 'swap-storm': 10 };

type Drawn = (seed: number, times: number) => ProgramSource;

/** The guests' programs, whose results are the same on any number of vCPUs. */
const PROGRAMS: readonly Drawn[] = [
  ...['touch', 'fork', 'churn', 'parallel'].map(
    (name) => (): ProgramSource => ({ kind: 'builtin', name }),
  ),
  ...Object.entries(workloads).flatMap(([name, { size }]) =>
    Array.from(
      { length: SHARES[name] ?? 1 },
      (): Drawn => (seed, times) => ({ kind: 'workload', name, seed, size: size * times }),
    ),
  ),
];

/** By which number the size of a workload is multiplied. */
const SIZES = [1, 4];

/** Programs that differ only in their seed are few, so that references are found again. */
const PROGRAM_SEEDS = 8;

/** Enough for any of them on eight vCPUs. */
const GUEST_PAGES = 1024;

/** How often the running machine is stopped and checked. */
const SAMPLE_MS = 100;

/** Reasons for which a guest may be killed when the host is short of memory. */
export const SHORT_OF_MEMORY =
  /^(out of memory allocating (p(te|md) page|a nested table)|failed to get page \d+|Cannot populate switcher mapping)$/;

/** Dimensions that are not drawn but given. */
export interface Fixed {
  readonly discipline?: DisciplineName;
  readonly paging?: PagingName;
  readonly cpus?: number;
  /** Of each guest. */
  readonly vcpus?: number;
  readonly guests?: number;
  /** Those that are on; drawn are all or none as written, and none under other disciplines. */
  readonly defects?: readonly DefectId[];
  readonly virtualization?: Virtualization;
}

export interface StressOptions {
  readonly fixed?: Fixed;
  /** Told of each machine once it is booted, those that say what memory is due too. */
  readonly started?: (machine: Machine) => void;
  readonly patienceMs?: number;
}

export interface StressRun {
  readonly seed: number;
  readonly spec: MachineSpec;
  readonly run: CheckedRun;
  readonly machine: Machine;
  /** Violations, in words; empty for none. */
  readonly faults: readonly string[];
  /** The checks: invariants, the machine's end and each guest's. */
  readonly checks: number;
  /** It was interrupted before all checks, without a violation so far. */
  readonly cutShort: boolean;
}

/** Draw a machine, run it, and compare its end with the expected one. */
export async function stress(seed: number, options: StressOptions = {}): Promise<StressRun> {
  const { fixed = {}, started, patienceMs } = options;
  const spec = drawMachine(seed, fixed);
  const machine = await Machine.boot(spec);
  started?.(machine);
  const run = await runChecked(machine, {
    sampleEveryMs: SAMPLE_MS,
    ...(patienceMs === undefined ? {} : { patienceMs }),
  });
  const faults = [...run.violations];
  let checks = run.samples;
  // A violation ends a run by interrupting it, too.
  let cutShort = run.ending.kind === 'interrupted';
  if (!cutShort) checks += 2;
  if (run.ending.kind === 'oops' || run.ending.kind === 'cpu died') {
    faults.push(`${run.ending.kind}: ${run.ending.message}`);
  } else if (run.ending.kind === 'done') {
    for (const [i, guest] of run.guests.entries()) {
      const wrong = await wrongEnd(guest, spec.guests[i]!, spec, started);
      if (wrong === undefined) cutShort = true;
      else {
        faults.push(...wrong);
        checks++;
      }
    }
  }
  cutShort &&= faults.length === 0;
  return { seed, spec, run, machine, faults, checks, cutShort };
}

/** Undefined if it was interrupted before that could be told. */
async function wrongEnd(
  { name, reason, memory }: CheckedRun['guests'][number],
  guest: GuestSpec,
  { failAllocationAfter }: MachineSpec,
  started: StressOptions['started'],
): Promise<string[] | undefined> {
  if (failAllocationAfter !== undefined && SHORT_OF_MEMORY.test(reason)) return [];
  if (reason !== 'Power down') return [`${name} ended with "${reason}"`];
  const expected = await alone(guest.program, started);
  if (expected === undefined) return undefined;
  if (memory.user === expected) return [];
  return [`${name} left memory ${memory.user}, and alone it leaves ${expected}`];
}

const references = new Map<string, string>();

/** The final memory on one vCPU and one host CPU; undefined if that run was interrupted. */
async function alone(
  { kernelThreads: _, ...program }: ProgramSource,
  started: StressOptions['started'],
): Promise<string | undefined> {
  const key = JSON.stringify(program);
  const known = references.get(key);
  if (known !== undefined) return known;
  const quantum = { least: 5000, most: 5000 };
  const guests: GuestSpec[] = [{ name: 'alone', program, paging: 'nonpae', pages: GUEST_PAGES }];
  const machine = await Machine.boot({ hostCpus: 1, guests, policy: 'pinned', quantum, seed: 0 });
  started?.(machine);
  const run = await runChecked(machine);
  if (run.ending.kind === 'interrupted') return undefined;
  const { reason, memory } = run.guests[0]!;
  if (reason !== 'Power down') throw new Error(`alone, ${key} ends with "${reason}"`);
  references.set(key, memory.user);
  return memory.user;
}

/** The machine of a seed. Fixed choices do not affect the other draws. */
export function drawMachine(seed: number, fixed: Fixed = {}): MachineSpec {
  const draw = new Draw('', seed);
  const drawn = drawDiscipline(draw, fixed);
  const discipline = fixed.discipline ?? drawn;
  const asWritten = discipline === 'as-written';
  const several = takesSeveral(fixed);
  const hostCpus = orGiven(atLeast(several ? 2 : 1, 1 + draw.below(4)), fixed.cpus);
  const least = draw.pick([1, 10, 100, 1000, 10_000]);
  const most = least * draw.pick([1, 4, 16]);
  const policy = draw.pick(POLICIES);
  const drawnDefects = draw.pick([ALL_DEFECTS, []]);
  const defects = fixed.defects ?? (asWritten ? drawnDefects : []);
  const hotplug = draw.below(3) === 0 ? drawHotplug(draw, hostCpus) : [];
  // As written, work that memory exhaustion interrupts is not undone: it leaks.
  const allocations = draw.below(8) === 0 ? draw.below(150) : undefined;
  const mayFail = !asWritten || defects.length === 0;
  const guests = Array.from({ length: orGiven(1 + draw.below(2), fixed.guests) }, (_, i) =>
    drawBeside(seed, i, drawGuest(draw, asWritten, fixed), fixed),
  );
  return {
    seed,
    hostCpus,
    policy,
    discipline,
    guests,
    hotplug,
    quantum: { least, most },
    defects,
    ...(allocations === undefined || !mayFail ? {} : { failAllocationAfter: allocations }),
  };
}

/** Whether a defect is on that shows only with several vCPUs, on several CPUs. */
const takesSeveral = ({ defects = [] }: Fixed): boolean =>
  defects.some((id) => SCHEDULE_DEFECTS.includes(id));

const atLeast = (least: number, drawn: number): number => Math.max(least, drawn);

/** As written, several vCPUs are known to fail: only on request. */
function drawDiscipline(draw: Draw, fixed: Fixed): DisciplineName {
  const drawn = draw.below(DISCIPLINES.length);
  const repaired = DISCIPLINES.filter((name) => name !== 'as-written');
  const several = (fixed.vcpus ?? (takesSeveral(fixed) ? 2 : 1)) > 1;
  return several ? repaired[drawn % repaired.length]! : DISCIPLINES[drawn]!;
}

/** The drawn value is drawn in any case. */
const orGiven = <T>(drawn: T, given: T | undefined): T => given ?? drawn;

function drawGuest(draw: Draw, asWritten: boolean, fixed: Fixed): GuestSpec {
  const program = draw.pick(PROGRAMS)(draw.below(PROGRAM_SEEDS), draw.pick(SIZES));
  const paging = orGiven(draw.pick(['nonpae', 'pae'] as const), fixed.paging);
  const several = takesSeveral(fixed);
  const drawn = atLeast(several ? 2 : 1, draw.pick([1, 2, 4, 8]));
  // As written, one vCPU to a guest is all that the code is made for.
  const vcpus = asWritten && !several ? 1 : drawn;
  return {
    program,
    paging,
    pages: GUEST_PAGES,
    name: program.kind === 'trace' ? program.path : program.name,
    vcpus: orGiven(vcpus, fixed.vcpus),
    pgdirs: draw.pick([2, 2, 4, 8]),
  };
}

/** Choices with random numbers of their own, so that they do not affect the others. */
function drawBeside(seed: number, i: number, guest: GuestSpec, fixed: Fixed): GuestSpec {
  const drawOf = (what: string): Draw => new Draw(what, seed * 2 + i);
  const virtualization = drawVirtualization(drawOf('virtualization'), guest, fixed);
  const kernelThreads = drawKernelThreads(drawOf('kernel threads'));
  const program = kernelThreads === undefined ? guest.program : { ...guest.program, kernelThreads };
  const oneVcpu = virtualization === 'direct' && fixed.vcpus === undefined;
  return {
    ...guest,
    program,
    virtualization,
    ...(oneVcpu ? { vcpus: 1 } : {}),
    pgdirs: drawPgdirs(drawOf('pgdirs'), guest),
    ...(virtualization === 'shadow' ? { pagingPolicy: drawPolicy(drawOf('paging policy')) } : {}),
  };
}

/** Where a discipline or defects are asked for, those are the shadow's. */
function drawVirtualization(
  draw: Draw,
  { vcpus }: GuestSpec,
  { discipline, defects, ...fixed }: Fixed,
): Virtualization {
  const drawn = draw.pick(['shadow', 'shadow', 'shadow', 'nested', 'direct'] as const);
  if (fixed.virtualization !== undefined) return fixed.virtualization;
  if (discipline !== undefined || defects !== undefined) return 'shadow';
  return drawn === 'direct' && fixed.vcpus !== undefined && vcpus! > 1 ? 'nested' : drawn;
}

/** Undefined in every other guest: those that its program has, which most have not. */
function drawKernelThreads(draw: Draw): readonly KernelThread[] | undefined {
  if (draw.below(2) === 0) return undefined;
  return Array.from({ length: 1 + draw.below(3) }, () => {
    const work = draw.pick(KERNEL_WORK);
    return { work, rounds: draw.pick(work === 'swap' ? [16, 128, 1024] : [4, 16, 64]) };
  });
}

/**
 * In every other guest a few fewer than it has top levels: its processes', and its kernel's own.
 */
function drawPgdirs(draw: Draw, { program, pgdirs = 4 }: GuestSpec): number {
  if (draw.below(2) > 0) return pgdirs;
  return Math.max(2, loadProgram(program).processes.length - draw.below(3));
}

/** In every other guest lguest's. */
function drawPolicy(draw: Draw): Partial<PagingPolicy> {
  if (draw.below(2) === 0) return {};
  return ofEach((name) =>
    draw.pick<string | number>(PAGING_POLICIES[name].options),
  ) as PagingPolicy;
}

/** CPUs that go and come, one of them online at any time. */
function drawHotplug(draw: Draw, hostCpus: number): Hotplug[] {
  const plan: Hotplug[] = [];
  for (let i = draw.below(12); i > 0; i--) {
    const cpu = draw.below(hostCpus);
    const absence = { cpu, after: draw.below(400), for: 1 + draw.below(200) };
    if (hotplugMistakes([...plan, absence], hostCpus).length === 0) plan.push(absence);
  }
  return plan;
}
