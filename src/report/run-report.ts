/** The report of a run as data, for text and JSON. */

import {
  ACCESS_COUNTERS,
  COUNTER_INFOS,
  Counter,
  type CounterId,
  HYPERCALL_NAMES,
} from '../../shared/counters.ts';
import type { DisciplineName } from '../../shared/discipline.ts';
import { Dead } from '../../shared/lguest.ts';
import type { Virtualization } from '../../shared/virtualization.ts';
import { defectsOf } from '../assembly.ts';
import type { CheckedRun } from '../check/checked-run.ts';
import type { MemoryDigest } from '../check/digest.ts';
import { type CostTable, costTable } from '../cost/model.ts';
import type { Hotplug } from '../host/hotplug.ts';
import { migrationsIn } from '../host/placement.ts';
import type { PolicyName, ReplayName } from '../host/policy.ts';
import type { Ending, Machine } from '../machine.ts';
import {
  AS_LGUEST,
  fieldName,
  type PagingPolicy,
  POLICY_NAMES,
} from '../paging/policies/declared.ts';
import { type CostReport, costReport } from './costs.ts';
import { warmingUp } from './warming-up.ts';

/** Raised whenever a field changes its meaning or goes away. */
export const SCHEMA_VERSION = 1;

/** Counters without kinds (unlike `switcher_remaps.cached`). */
type PlainId = Exclude<CounterId, `${string}.${string}`>;

/** The kinds of counters with kinds. */
type KindOf<Id extends string> =
  Extract<CounterId, `${Id}.${string}`> extends `${Id}.${infer K}` ? K : never;

/** Sums over a host CPU, a guest, or the machine; shared/counters.ts says what each is. */
export interface Statistics extends Readonly<Record<PlainId, number>> {
  /** Memory accesses that completed: of programs, guest kernel and Switcher. */
  readonly accesses: number;
  readonly tlb_hits: number;
  readonly switcher_remaps: Readonly<Record<KindOf<'switcher_remaps'>, number>>;
  readonly hypercalls: Readonly<Record<string, number>>;
}

export interface GuestReport extends Statistics {
  readonly name: string;
  readonly command: string;
  readonly ending: 'powered off' | 'killed' | 'still running';
  readonly reason: string;
  readonly memory: MemoryDigest;
  /** Accesses of its trace that were not made; 0 for a program that is no trace. */
  readonly not_replayed: number;
}

export interface RunReport {
  readonly schema_version: typeof SCHEMA_VERSION;
  readonly configuration: {
    readonly host_cpus: number;
    readonly paging: string;
    readonly policy: PolicyName | ReplayName;
    readonly seed: number;
    readonly defects: readonly string[];
    readonly discipline: DisciplineName;
    readonly vcpus: readonly number[];
    /** How each guest's addresses become the host's. */
    readonly virtualization: readonly Virtualization[];
    readonly quantum: { readonly least: number; readonly most: number };
    /** Of each guest. */
    readonly paging_policy: readonly PolicyReport[];
    readonly guest_memory_pages: readonly number[];
    readonly host_memory_frames: number;
    readonly hotplug: readonly Hotplug[];
    /** null: all are granted. */
    readonly fail_allocation_after: number | null;
  };
  readonly ending: Ending;
  readonly boot_ms: number;
  readonly seconds: number;
  readonly accesses_per_s: number;
  readonly faults_per_s: number;
  /** Of warming up; null if the run was too short to tell. */
  readonly warm_up_s: number | null;
  readonly warm_accesses_per_s: number | null;
  /** Time slices begun. */
  readonly slices: number;
  /** Page tables and copies on write: asked for, and refused. */
  readonly allocations: number;
  readonly failed_allocations: number;
  /** The result of the configured hotplug. */
  readonly hotplug: {
    /** How often a CPU found itself offline, and back. */
    readonly went_offline: number;
    readonly came_back: number;
    /** vCPUs that an offline CPU gave to another. */
    readonly handed_over: number;
  };
  /** How much of a placement was run, for each vCPU; null under another policy. */
  readonly placement: readonly PlacedReport[] | null;
  readonly total: Statistics;
  readonly guests: readonly GuestReport[];
  readonly host_cpus: readonly Statistics[];
  /** Simulated cycles. */
  readonly costs: CostReport;
  /** Violations of isolation and reference counts; empty for none. */
  readonly violations: readonly string[];
}

/** A vCPU under `replay:FILE`. */
export interface PlacedReport {
  /** Its name in the file. */
  readonly name: string;
  readonly stretches: number;
  /** The stretches that it began before its guest ended. */
  readonly stretches_run: number;
  readonly migrations: number;
  readonly migrations_run: number;
}

/**
 * Whether the run is a success: all guests ended by themselves, did all they had to, and nothing
 * leaked.
 */
export const succeeded = (report: RunReport): boolean =>
  report.ending.kind === 'done' &&
  report.violations.length === 0 &&
  report.guests.every((guest) => guest.ending === 'powered off');

/** `table`: what events cost. */
export function makeReport(
  machine: Machine,
  result: CheckedRun,
  table: CostTable = costTable(),
): RunReport {
  const { spec, host } = machine;
  const cpus = [...host.cpus.keys()];
  const guests = [...host.guests.keys()];
  const total = statistics(machine, cpus, guests);
  const faults = total.faults_fixed + total.faults_passed_on;
  return {
    schema_version: SCHEMA_VERSION,
    configuration: {
      host_cpus: spec.hostCpus,
      paging: [...new Set(spec.guests.map((guest) => guest.paging))].join(', '),
      policy: spec.policy,
      seed: spec.seed,
      defects: defectsOf(spec),
      discipline: spec.discipline ?? 'as-written',
      vcpus: spec.guests.map((guest) => guest.vcpus ?? 1),
      virtualization: spec.guests.map((guest) => guest.virtualization ?? 'shadow'),
      quantum: spec.quantum,
      paging_policy: spec.guests.map(({ pagingPolicy }) => policyReport(pagingPolicy)),
      guest_memory_pages: spec.guests.map((guest) => guest.pages),
      host_memory_frames: host.layout.config.frames,
      hotplug: spec.hotplug ?? [],
      fail_allocation_after: spec.failAllocationAfter ?? null,
    },
    ending: result.ending,
    boot_ms: machine.bootMs,
    seconds: result.seconds,
    accesses_per_s: total.accesses / result.seconds,
    faults_per_s: faults / result.seconds,
    ...warmingUp(result.pace),
    slices: host.machine.slices,
    allocations: host.machine.allocations,
    failed_allocations: host.machine.failedAllocations,
    hotplug: {
      went_offline: host.machine.wentOffline,
      came_back: host.machine.cameBack,
      handed_over: host.machine.handedOver,
    },
    placement: placedReport(machine),
    total,
    guests: result.guests.map((guest, i) => ({
      name: guest.name,
      command: machine.programs[i]!.command,
      ending: endingOf(guest.dead),
      reason: guest.reason,
      memory: guest.memory,
      not_replayed: guest.notReplayed,
      ...statistics(machine, cpus, [i]),
    })),
    host_cpus: cpus.map((cpu) => statistics(machine, [cpu], guests)),
    costs: costReport(host, table),
    violations: result.violations,
  };
}

function placedReport({ scheduling: { policy }, host }: Machine): PlacedReport[] | null {
  if (typeof policy === 'string' || !('vcpus' in policy)) return null;
  return policy.vcpus.map((vcpu, i) => {
    const run = Math.min(host.vcpus[i]!.stretches, vcpu.ns.length);
    return {
      name: vcpu.name,
      stretches: vcpu.ns.length,
      stretches_run: run,
      migrations: migrationsIn(vcpu),
      migrations_run: migrationsIn(vcpu, run),
    };
  });
}

/** By the names that scenarios have. */
type PolicyReport = Readonly<Record<string, string | number>>;

function policyReport(chosen: Partial<PagingPolicy> = {}): PolicyReport {
  const policy = { ...AS_LGUEST, ...chosen };
  return Object.fromEntries(POLICY_NAMES.map((name) => [fieldName(name), policy[name]]));
}

function endingOf(dead: Dead): GuestReport['ending'] {
  if (dead === Dead.PoweredOff) return 'powered off';
  return dead === Dead.Alive ? 'still running' : 'killed';
}

/** Counters of the given host CPUs for the given guests, added up. */
export function statistics(
  { host }: Pick<Machine, 'host'>,
  cpus: readonly number[],
  guests: readonly number[],
): Statistics {
  const pairs = cpus.flatMap((cpu) => guests.map((guest) => host.counters(cpu, guest)));
  const sum = (counter: number): number => pairs.reduce((n, pair) => n + pair.get(counter), 0);
  const counted: Record<string, number | Record<string, number>> = {};
  for (const [index, { id }] of COUNTER_INFOS.entries()) {
    const [what, kind] = id.split('.') as [string, string | undefined];
    if (kind === undefined) counted[what] = sum(index);
    else counted[what] = { ...(counted[what] as Record<string, number>), [kind]: sum(index) };
  }
  const accesses = ACCESS_COUNTERS.reduce((n, counter) => n + sum(counter), 0);
  const faults = sum(Counter.FaultsFixed) + sum(Counter.FaultsPassedOn) + sum(Counter.DirectFaults);
  return {
    accesses,
    // A walk that faults belongs to an access that has yet to complete.
    tlb_hits: accesses + faults - sum(Counter.Walks),
    hypercalls: hypercallsByName(sum),
    ...counted,
  } as Statistics;
}

function hypercallsByName(sum: (counter: number) => number): Record<string, number> {
  const entries = Object.entries(HYPERCALL_NAMES).map(
    ([number, name]) => [name, sum(Counter.Hypercalls + Number(number))] as const,
  );
  return Object.fromEntries(entries.filter(([, count]) => count > 0));
}
