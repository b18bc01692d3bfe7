/**
 * A machine from boot to the end: memory, workers for the host CPUs, guests on them.
 */

import { ACCESS_COUNTERS } from '../shared/counters.ts';
import type { Host } from '../shared/host.ts';
import { Stop } from '../shared/machine-record.ts';
import {
  assemble,
  type GuestShape,
  layoutOf,
  type MachineShape,
  SWITCHER_ADDR,
} from './assembly.ts';
import { UserError } from './errors.ts';
import { MAX_VCPUS, MIN_PAGES } from './guest/kernel/layout.ts';
import { factsOf, loadPrograms, type ProgramFacts, type ProgramSource } from './guest/load.ts';
import { tooMuchMemory } from './guest/room.ts';
import { blocksOf } from './guest/shared-blocks.ts';
import type { HostCpuEnd } from './host/host-cpu-api.ts';
import {
  endThreads,
  type HostCpuThread,
  keepThreads,
  takeThreads,
} from './host/host-cpu-threads.ts';
import { checkHotplug, type Hotplug } from './host/hotplug.ts';
import { close, launch } from './host/launcher.ts';
import { hostCpusOf, readPlacement } from './host/placement.ts';
import { isReplay, type PolicyName, placementFile, type ReplayName } from './host/policy.ts';
import { type Quantum, Scheduler, type Scheduling } from './host/scheduler.ts';
import { letGo } from './platform.ts';
import type { TraceRecorder } from './trace/recorder.ts';

export interface GuestSpec extends GuestShape {
  readonly name: string;
  readonly program: ProgramSource;
}

export interface MachineSpec extends MachineShape {
  readonly guests: readonly GuestSpec[];
  readonly policy: PolicyName | ReplayName;
  readonly quantum: Quantum;
  /** Host CPUs that are offline for a while; by default none. */
  readonly hotplug?: readonly Hotplug[];
  /** How many page tables and copies on write are granted after boot; by default all. */
  readonly failAllocationAfter?: number;
}

/** Watchers of the run. */
export interface Observers {
  readonly trace?: TraceRecorder | undefined;
  /** Called when so many host CPUs have come up. */
  readonly booted?: ((hostCpus: number) => void) | undefined;
}

/** A worker ended, or threw an error of ours. */
interface CpuDeath {
  readonly kind: 'cpu died';
  readonly hostCpu: number;
  readonly message: string;
}

/** It was given up: its CPUs may hang in anything. */
interface NoProgress {
  readonly kind: 'no progress';
  readonly message: string;
}

/** How a run ended. */
export type Ending =
  | { readonly kind: 'done' }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'oops'; readonly hostCpu: number; readonly message: string }
  | NoProgress
  | CpuDeath;

/** How far a machine had come. */
export interface PaceSample {
  /** Since the first entry. */
  readonly seconds: number;
  /** Memory accesses of all guests until then. */
  readonly accesses: number;
}

export interface Run {
  readonly ending: Ending;
  /** From the first entry to the end. */
  readonly seconds: number;
  /** In order, the first at 0 and the last at the end. */
  readonly pace: readonly PaceSample[];
}

/** Between two samples at first; with each doubling of MOST_SAMPLES half of them are let go. */
const PACE_MS = 20;
const MOST_SAMPLES = 4000;

/** How long none of the workers may come up before something must be wrong. */
const BOOT_PATIENCE_MS = 60_000;

export class Machine {
  readonly spec: MachineSpec;
  /** Of each guest's program. */
  readonly programs: readonly ProgramFacts[];
  readonly host: Host;
  /** How its vCPUs are scheduled. */
  readonly scheduling: Scheduling;
  /** Milliseconds that booting took. */
  readonly bootMs: number;
  readonly #threads: readonly HostCpuThread[];
  /** It was run, or closed. */
  #ended = false;
  readonly #scheduler: Scheduler;
  readonly #died: Promise<CpuDeath>;
  readonly #givenUp = Promise.withResolvers<NoProgress>();

  private constructor(
    spec: MachineSpec,
    programs: readonly ProgramFacts[],
    host: Host,
    threads: readonly HostCpuThread[],
    died: Promise<CpuDeath>,
    scheduling: Scheduling,
    bootMs: number,
  ) {
    this.spec = spec;
    this.programs = programs;
    this.host = host;
    this.#threads = threads;
    this.#died = died;
    this.bootMs = bootMs;
    this.scheduling = scheduling;
    this.#scheduler = new Scheduler(host, scheduling);
  }

  /**
   * Lay out memory, start the workers and load the programs. Throws UserError for what
   * the user can mend; no worker is left running then.
   */
  static async boot(spec: MachineSpec, { trace, booted: told }: Observers = {}): Promise<Machine> {
    const start = performance.now();
    validate(spec);
    // Fails here, in words, before a worker is started.
    layoutOf(spec);
    const scheduling = schedulingOf(spec);
    // They take longest: they come up while memory is laid out.
    const threads = takeThreads(spec.hostCpus);
    const died = Promise.race(threads.map(deathOf));
    try {
      const programs = spec.guests.map((guest) => guest.program);
      // Fails here, in words, rather than in each worker.
      const loaded = loadPrograms(programs);
      const { shared, host } = assemble({ ...spec, blocks: blocksOf(loaded) });
      for (const program of loaded) program.close?.();
      for (const lg of host.guests) launch(lg);
      let up = 0;
      const booted = Promise.all(
        threads.map(async ({ api }, index) => {
          await api.boot({ shared, index, programs, scheduling, trace: trace?.ports[index] });
          told?.(++up);
        }),
      );
      const dead = await Promise.race([booted, died, standstill(() => up)]);
      if (!Array.isArray(dead)) throw new Error(dead?.message ?? 'the workers do not come up');
      const programFacts = loaded.map(factsOf);
      const ms = performance.now() - start;
      return new Machine(spec, programFacts, host, threads, died, scheduling, ms);
    } catch (error) {
      await endThreads(threads);
      throw error;
    }
  }

  /** Run all guests to their end, once. Memory is as the workers left it. */
  async run(): Promise<Run> {
    if (this.#ended) throw new Error('a machine is run once, and not after it is closed');
    this.#ended = true;
    this.host.machine.failAllocationsAfter(this.spec.failAllocationAfter ?? -1);
    for (const cpu of this.host.vcpus) this.#scheduler.enqueue(cpu);
    const start = performance.now();
    const pace = this.#watchPace(start);
    // A CPU that meets a bug tells the others to stop, so all of them come back.
    const ends = Promise.all(
      this.#threads.map(({ api }, hostCpu) =>
        api.run().catch((error) => brokenRun(error, hostCpu)),
      ),
    );
    const first = await Promise.race([ends, this.#died, this.#givenUp.promise]);
    const ending = Array.isArray(first) ? this.#endingOf(first) : first;
    const seconds = (performance.now() - start) / 1000;
    pace.end(seconds);
    if (ending.kind !== 'done') this.#stop(Stop.Failed);
    const isWhole = ending.kind === 'done' || ending.kind === 'interrupted';
    await (isWhole ? keepThreads : endThreads)(this.#threads);
    return { ending, seconds, pace: pace.samples };
  }

  #watchPace(start: number) {
    const { cpus, guests } = this.host;
    const counters = cpus.flatMap((_, cpu) => guests.map((_, i) => this.host.counters(cpu, i)));
    const accesses = (): number =>
      counters.reduce((sum, one) => ACCESS_COUNTERS.reduce((n, kind) => n + one.get(kind), sum), 0);
    let samples: PaceSample[] = [{ seconds: 0, accesses: 0 }];
    const take = (seconds: number): void => {
      samples.push({ seconds, accesses: accesses() });
      if (samples.length > MOST_SAMPLES) samples = samples.filter((_, i) => i % 2 === 0);
    };
    const timer = setInterval(() => take((performance.now() - start) / 1000), PACE_MS);
    return {
      end: (seconds: number): void => {
        clearInterval(timer);
        take(seconds);
      },
      get samples(): readonly PaceSample[] {
        return samples;
      },
    };
  }

  /** Give back all that the guests had. After run, once. */
  free(): void {
    for (const lg of this.host.guests) close(this.host, lg);
  }

  /** Let go of the workers of a machine that is not to run. */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await endThreads(this.#threads);
  }

  /** Let the CPUs leave their loops; run() then returns. */
  interrupt(): void {
    this.#stop(Stop.Interrupted);
  }

  /** End a run that does not get on, whatever its CPUs are doing. */
  giveUp(message: string): void {
    this.#givenUp.resolve({ kind: 'no progress', message });
  }

  /** For tests: end a host CPU's worker as a crash would. */
  async killHostCpu(index: number): Promise<void> {
    await this.#threads[index]!.thread.terminate();
  }

  #stop(reason: typeof Stop.Failed | typeof Stop.Interrupted): void {
    this.host.machine.requestStop(reason);
    this.#scheduler.wakeAll();
  }

  #endingOf(ends: readonly (HostCpuEnd | CpuDeath)[]): Ending {
    for (const [hostCpu, end] of ends.entries()) {
      if ('kind' in end) return end;
      if (end.oops !== undefined) return { kind: 'oops', hostCpu, message: end.oops.message };
    }
    const interrupted = this.host.machine.stop === Stop.Interrupted;
    return { kind: interrupted ? 'interrupted' : 'done' };
  }
}

/** Resolves when a worker ends before it is told to. */
async function deathOf({ thread }: HostCpuThread, hostCpu: number): Promise<CpuDeath> {
  return { kind: 'cpu died', hostCpu, message: await thread.ended };
}

/** An error of ours inside a CPU's loop: comlink brings name, message and stack. */
function brokenRun(error: Error, hostCpu: number): CpuDeath {
  return { kind: 'cpu died', hostCpu, message: error.stack ?? error.message };
}

/** How its vCPUs are scheduled. Throws UserError for a placement that is none of this machine's. */
export function schedulingOf(spec: MachineSpec): Scheduling {
  const { policy, quantum, hotplug = [] } = spec;
  return { policy: isReplay(policy) ? placementFor(spec, policy) : policy, quantum, hotplug };
}

function placementFor({ guests, hostCpus, hotplug = [] }: MachineSpec, policy: ReplayName) {
  const placement = readPlacement(placementFile(policy));
  const { file, vcpus } = placement;
  const needed = hostCpusOf(placement);
  if (hotplug.length > 0) {
    throw new UserError(`${file} says where vCPUs go, and hotplug would move them elsewhere`);
  }
  if (hostCpus < needed) {
    throw new UserError(
      `${file} places vCPUs on host CPU ${needed - 1}, and this machine has ${hostCpus} host ` +
        `CPUs: give it ${needed} (--cpus)`,
    );
  }
  const has = guests.reduce((sum, guest) => sum + (guest.vcpus ?? 1), 0);
  if (has === vcpus.length) return placement;
  throw new UserError(
    `${file} places ${vcpus.length} vCPUs, and this machine has ${has}: give it as many, by ` +
      'guests and by --vcpus of each',
  );
}

/** Resolves when a count has not changed for as long as booting may take. */
async function standstill(count: () => number): Promise<undefined> {
  for (let before = -1; before !== count(); await after(BOOT_PATIENCE_MS)) before = count();
}

const after = (ms: number): Promise<undefined> =>
  new Promise((resolve) => {
    letGo(setTimeout(() => resolve(undefined), ms));
  });

/** Fields of a guest that do not go with its others, and why. */
export function misfits(
  guest: {
    readonly [K in 'nx' | 'paging' | 'vcpus' | 'virtualization']?: GuestSpec[K] | undefined;
  },
): (readonly ['nx' | 'vcpus', string])[] {
  const { nx, paging, vcpus = 1, virtualization } = guest;
  const one = `found ${vcpus}, expected 1: with direct paging a guest has one vCPU`;
  const none = 'found true, expected false: nonpae has no bit for it (paging: pae has)';
  return [
    ...(virtualization === 'direct' && vcpus > 1 ? [['vcpus', one] as const] : []),
    ...(nx === true && paging !== 'pae' ? [['nx', none] as const] : []),
  ];
}

function validate(spec: MachineSpec): void {
  checkHotplug(spec.hotplug ?? [], spec.hostCpus);
  for (const guest of spec.guests) {
    const mistake = tooMuchMemory(guest, spec.switcherAddr ?? SWITCHER_ADDR);
    if (mistake === undefined) continue;
    const { found, expected } = mistake;
    throw new UserError(
      `guest ${guest.name} has ${found} of memory, expected ${expected} (--guest-memory)`,
    );
  }
  for (const guest of spec.guests) {
    const { name, pages, vcpus = 1 } = guest;
    for (const [field, text] of misfits(guest)) {
      throw new UserError(`${field} of guest ${name}: ${text}`);
    }
    if (vcpus < 1 || vcpus > MAX_VCPUS) {
      throw new UserError(
        `guest ${name} has ${vcpus} vCPUs, and its kernel runs on 1 to ${MAX_VCPUS} (--vcpus)`,
      );
    }
    if (pages < MIN_PAGES) {
      throw new UserError(
        `guest ${name} has ${pages} pages of memory, and its kernel alone needs ${MIN_PAGES} ` +
          `(${(MIN_PAGES * 4) / 1024} MiB): give it more (--guest-memory)`,
      );
    }
  }
}
