/**
 * A run drawn from a seed: guests, vCPUs, host CPUs, paging forms, disciplines, policies of
 * the scheduler and of the paging code, time slices, the number of cached page tables, CPUs that
 * go offline and allocations that fail, all at random; and what it must end with. The programs are those whose outcome
 * does not depend on who comes first, so each guest's memory must be what a single vCPU
 * on a single host CPU leaves.
 */

import { ALL_DEFECTS, type DefectId, SCHEDULE_DEFECTS } from '../../shared/defects.ts';
import { DISCIPLINES, type DisciplineName } from '../../shared/discipline.ts';
import type { PagingName } from '../../shared/entry.ts';
import { type PagingPolicy, POLICY_CHOICES } from '../../shared/paging-policy.ts';
import type { ProgramSource } from '../guest/load.ts';
import { workloads } from '../guest/workloads/catalogue.ts';
import { Draw } from '../guest/workloads/draw.ts';
import { type Hotplug, hotplugMistakes } from '../host/hotplug.ts';
import { POLICIES } from '../host/policy.ts';
import { type GuestSpec, Machine, type MachineSpec } from '../machine.ts';
import { type CheckedRun, runChecked } from './checked-run.ts';

/** What guests run; of each the outcome is the same on any number of vCPUs. `seed` is drawn. */
const PROGRAMS: readonly ((seed: number) => ProgramSource)[] = [
  ...['touch', 'fork', 'churn', 'parallel'].map(
    (name) => (): ProgramSource => ({ kind: 'builtin', name }),
  ),
  ...Object.keys(workloads).map(
    (name) =>
      (seed: number): ProgramSource => ({ kind: 'workload', name, seed }),
  ),
];

/** Programs that differ only in their seed are few, so that references are found again. */
const PROGRAM_SEEDS = 8;

/** Enough for any of them on eight vCPUs. */
const GUEST_PAGES = 1024;

/** How often the running machine is stopped and looked at. */
const SAMPLE_MS = 100;

/** What a guest may be killed of when the host is short of memory. */
const SHORT_OF_MEMORY =
  /^(out of memory allocating p(te|md) page|failed to get page \d+|Cannot populate switcher mapping)$/;

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
}

export interface StressOptions {
  readonly fixed?: Fixed;
  /** Told of the machine once it is booted. */
  readonly started?: (machine: Machine) => void;
  readonly patienceMs?: number;
}

export interface StressRun {
  readonly seed: number;
  readonly spec: MachineSpec;
  readonly run: CheckedRun;
  readonly machine: Machine;
  /** What is wrong with it, in words; empty when nothing is. */
  readonly faults: readonly string[];
  /** What was looked at: invariants, the machine's end and each guest's. */
  readonly checks: number;
}

/** Draw a machine, run it, and hold it to what it must end with. */
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
  if (run.ending.kind === 'interrupted') {
    return { seed, spec, run, machine, faults, checks: run.samples };
  }
  if (run.ending.kind === 'oops' || run.ending.kind === 'cpu died') {
    faults.push(`${run.ending.kind}: ${run.ending.message}`);
  } else if (run.ending.kind === 'done') {
    for (const [i, guest] of run.guests.entries()) {
      faults.push(...(await wrongEnd(guest, spec.guests[i]!, spec)));
    }
  }
  return { seed, spec, run, machine, faults, checks: run.samples + 2 + run.guests.length };
}

async function wrongEnd(
  { name, reason, memory }: CheckedRun['guests'][number],
  guest: GuestSpec,
  { failAllocationAfter }: MachineSpec,
): Promise<string[]> {
  if (failAllocationAfter !== undefined && SHORT_OF_MEMORY.test(reason)) return [];
  if (reason !== 'Power down') return [`${name} ended with "${reason}"`];
  const expected = await alone(guest.program);
  if (memory.user === expected) return [];
  return [`${name} left memory ${memory.user}, and alone it leaves ${expected}`];
}

const references = new Map<string, Promise<string>>();

/** What a program leaves on one vCPU and one host CPU. */
function alone(program: ProgramSource): Promise<string> {
  const key = JSON.stringify(program);
  const known = references.get(key);
  if (known !== undefined) return known;
  const quantum = { least: 5000, most: 5000 };
  const guests: GuestSpec[] = [{ name: 'alone', program, paging: 'nonpae', pages: GUEST_PAGES }];
  const reference = Machine.boot({ hostCpus: 1, guests, policy: 'pinned', quantum, seed: 0 })
    .then(runChecked)
    .then((run) => {
      const { reason, memory } = run.guests[0]!;
      if (reason !== 'Power down') throw new Error(`alone, ${key} ends with "${reason}"`);
      return memory.user;
    });
  references.set(key, reference);
  return reference;
}

/** The machine that a seed stands for. What is fixed changes nothing of what else is drawn. */
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
  // As written, what was half done when memory ran out stays so: it leaks.
  const allocations = draw.below(8) === 0 ? draw.below(150) : undefined;
  const mayFail = !asWritten || defects.length === 0;
  const guests = Array.from({ length: orGiven(1 + draw.below(2), fixed.guests) }, (_, i) => ({
    ...drawGuest(draw, asWritten, fixed),
    pagingPolicy: drawPolicy(seed, i),
  }));
  return {
    ...{ seed, hostCpus, policy, discipline, guests, hotplug },
    quantum: { least, most },
    defects,
    ...(allocations === undefined || !mayFail ? {} : { failAllocationAfter: allocations }),
  };
}

/** Whether a defect is on that shows only with several vCPUs, on several CPUs. */
const takesSeveral = ({ defects = [] }: Fixed): boolean =>
  defects.some((id) => SCHEDULE_DEFECTS.includes(id));

const atLeast = (least: number, drawn: number): number => Math.max(least, drawn);

/** As written, several vCPUs are known to go wrong: that is for those who ask for it. */
function drawDiscipline(draw: Draw, fixed: Fixed): DisciplineName {
  const drawn = draw.below(DISCIPLINES.length);
  const repaired = DISCIPLINES.filter((name) => name !== 'as-written');
  const several = (fixed.vcpus ?? (takesSeveral(fixed) ? 2 : 1)) > 1;
  return several ? repaired[drawn % repaired.length]! : DISCIPLINES[drawn]!;
}

/** The drawn value is drawn in any case. */
const orGiven = <T>(drawn: T, given: T | undefined): T => given ?? drawn;

function drawGuest(draw: Draw, asWritten: boolean, fixed: Fixed): GuestSpec {
  const program = draw.pick(PROGRAMS)(draw.below(PROGRAM_SEEDS));
  const paging = orGiven(draw.pick(['nonpae', 'pae'] as const), fixed.paging);
  const several = takesSeveral(fixed);
  const drawn = atLeast(several ? 2 : 1, draw.pick([1, 2, 4, 8]));
  // As written, one vCPU to a guest is all that the code is made for.
  const vcpus = asWritten && !several ? 1 : drawn;
  return {
    ...{ program, paging, pages: GUEST_PAGES },
    name: program.kind === 'trace' ? program.path : program.name,
    vcpus: orGiven(vcpus, fixed.vcpus),
    pgdirs: draw.pick([2, 4, 8]),
  };
}

/** In every other guest lguest's; its draws are its own, so that nothing else is another for it. */
function drawPolicy(seed: number, guest: number): Partial<PagingPolicy> {
  const draw = new Draw('paging policy', seed * 2 + guest);
  if (draw.below(2) === 0) return {};
  return {
    setPte: draw.pick(POLICY_CHOICES.setPte),
    eviction: draw.pick(POLICY_CHOICES.eviction),
    kernelMappings: draw.pick(POLICY_CHOICES.kernelMappings),
    kernelChange: draw.pick(POLICY_CHOICES.kernelChange),
    prefault: draw.pick([1, 4, 16]),
    reclaim: draw.pick(POLICY_CHOICES.reclaim),
  };
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
