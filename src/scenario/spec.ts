/** The machine that a scenario describes, and what it must come to. */

import { basename, extname, resolve } from 'node:path';
import type { DisciplineName } from '../../shared/discipline.ts';
import { type CostTable, costTable } from '../cost/model.ts';
import type { PresetName } from '../cost/presets.ts';
import { ALL_DEFECTS, type DefectId } from '../defects.ts';
import { PAGE_SIZE } from '../hardware/address.ts';
import type { PagingName } from '../hardware/entry.ts';
import {
  isReplay,
  type PolicyName,
  placementFile,
  type ReplayName,
  replayOf,
} from '../host/policy.ts';
import type { GuestSpec, MachineSpec } from '../machine.ts';
import type { Expectation } from '../report/expectation.ts';
import { pagingPolicyOf } from '../yaml/paging-policy.ts';
import type { ScenarioFile } from './parse.ts';
import type { Scenario } from './schema.ts';

const MIB_PAGES = (1 << 20) / PAGE_SIZE;

/** Operations of a time slice, drawn from `least` to `most`. */
export interface Slice {
  readonly least: number;
  readonly most: number;
}

/** Values from the command line that override the file. */
export interface Overrides {
  readonly discipline?: DisciplineName;
  /** Of all guests. */
  readonly paging?: PagingName;
  readonly cpus?: number;
  /** Of all guests. */
  readonly vcpus?: number;
  readonly policy?: PolicyName | ReplayName;
  readonly slice?: Slice;
  readonly seed?: number;
  readonly defects?: readonly DefectId[];
}

export function specOf({ scenario, folder }: ScenarioFile, overrides: Overrides): MachineSpec {
  const { slice, defects, host_memory, fail_allocation_after } = scenario;
  const on = overrides.defects ?? (defects === undefined ? undefined : defectsOn(defects));
  return {
    hostCpus: overrides.cpus ?? scenario.cpus,
    policy: overrides.policy ?? policyOf(scenario.policy, folder),
    quantum: overrides.slice ?? sliceOf(slice),
    seed: overrides.seed ?? scenario.seed,
    discipline: overrides.discipline ?? scenario.discipline,
    hotplug: scenario.hotplug,
    guests: scenario.guests.flatMap((guest) => guestsOf(guest, folder, overrides)),
    ...(on === undefined ? {} : { defects: on }),
    ...(host_memory === undefined ? {} : { frames: inPages(host_memory) }),
    ...(fail_allocation_after === undefined ? {} : { failAllocationAfter: fail_allocation_after }),
  };
}

/** Paths in a scenario count from where it is. */
const policyOf = (policy: Scenario['policy'], folder: string): MachineSpec['policy'] =>
  isReplay(policy) ? replayOf(resolve(folder, placementFile(policy))) : policy;

/**
 * What the run must come to. It was written for the discipline, the defects and the vCPUs of the
 * file, so with others given there is nothing to expect but that all goes well.
 */
export function expectationOf(
  { scenario: { expect } }: ScenarioFile,
  { discipline, defects, vcpus }: Overrides,
): Expectation | undefined {
  const isAsWritten = (discipline ?? defects ?? vcpus) === undefined;
  if (expect === undefined || !isAsWritten) return undefined;
  const { ending, reason } = expect;
  return {
    endings: typeof ending === 'string' ? [ending] : ending,
    ...(reason === undefined ? {} : { reason: new RegExp(reason) }),
  };
}

/** What events cost, of the file or by a preset that was given: then by that alone. */
export function costsOf({ scenario: { costs } }: ScenarioFile, preset?: PresetName): CostTable {
  if (preset !== undefined || costs === undefined) return costTable(preset);
  if (typeof costs === 'string') return costTable(costs);
  return costTable(costs.preset, costs.cycles);
}

export const tracePath = (trace: string, folder: string): string => resolve(folder, trace);

type Guest = Scenario['guests'][number];

/** The guests that one entry of a scenario stands for. */
export function guestsOf(guest: Guest, folder: string, overrides: Overrides): GuestSpec[] {
  const { paging = guest.paging, vcpus = guest.vcpus } = overrides;
  const { count, memory, pgdirs, nx, virtualization, paging_policy: policy } = guest;
  const { kernel_threads: kernelThreads } = guest;
  const name = guest.name ?? nameOf(guest.program);
  return Array.from({ length: count }, (_, i) => ({
    name: count === 1 ? name : `${name}-${i + 1}`,
    program: {
      ...programOf(guest.program, folder),
      ...(kernelThreads === undefined ? {} : { kernelThreads }),
    },
    pages: typeof memory === 'number' ? memory * MIB_PAGES : memory.pages,
    paging,
    vcpus,
    pgdirs,
    virtualization,
    // A form given on the command line may have no NX.
    ...(nx === undefined ? {} : { nx: nx && paging === 'pae' }),
    ...(policy === undefined ? {} : { pagingPolicy: pagingPolicyOf(policy) }),
  }));
}

function programOf(program: Guest['program'], folder: string): GuestSpec['program'] {
  if ('trace' in program) return { kind: 'trace', path: tracePath(program.trace, folder) };
  if ('builtin' in program) return { kind: 'builtin', name: program.builtin };
  const { workload, seed, size, threads } = program;
  return {
    kind: 'workload',
    name: workload,
    seed,
    ...(size === undefined ? {} : { size }),
    ...(threads === undefined ? {} : { threads }),
  };
}

function nameOf(program: Guest['program']): string {
  if ('trace' in program) return basename(program.trace, extname(program.trace));
  return 'builtin' in program ? program.builtin : program.workload;
}

const sliceOf = (slice: Scenario['slice']): Slice =>
  typeof slice === 'number' ? { least: slice, most: slice } : slice;

const inPages = (memory: number | { readonly frames: number }): number =>
  typeof memory === 'number' ? memory * MIB_PAGES : memory.frames;

function defectsOn(defects: NonNullable<Scenario['defects']>): readonly DefectId[] {
  if (defects === 'all') return ALL_DEFECTS;
  return defects === 'none' ? [] : defects;
}
