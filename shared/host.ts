/**
 * The host as one thread sees it: views of shared memory without state of their own. Every worker
 * makes its own over the same memory.
 */

import { switchesFor } from '../src/defects.ts';
import type { Gva, Pfn, Ptr } from '../src/hardware/address.ts';
import { NO_FRAME, NULL, toPfn, toPtr } from '../src/hardware/address.ts';
import type { WasmMemory } from '../src/wasm.ts';
import { Counters } from './counters.ts';
import { Events } from './events.ts';
import { FrameKind, Frames } from './frames.ts';
import { HostCpu, scratchOf } from './host-cpu.ts';
import { LauncherMap, type Vma } from './launcher-map.ts';
import {
  formOf,
  type GuestConfig,
  type Layout,
  tooLittleMemory,
  totalSwitcherPages,
} from './layout.ts';
import { LgCpu } from './lg-cpu.ts';
import { Lguest } from './lguest.ts';
import { MAIN_SCRATCH, MachineRecord, Stop } from './machine-record.ts';
import { Pgdir } from './pgdir.ts';
import { prandomU32, seedRandom } from './random.ts';
import type { StepsFor } from './steps.ts';
import { makeMemory, Words } from './words.ts';

/** What a worker needs to join a machine; travels by postMessage. */
export interface SharedMachine {
  readonly layout: Layout;
  readonly memory: WasmMemory;
}

/** The main thread, in place of a host CPU's number. */
export const MAIN_THREAD = -1;

export class Host {
  declare readonly layout: Layout;
  /** The number under which this thread takes locks: its host CPU's, or the number of CPUs. */
  declare readonly thisCpu: number;
  declare readonly words: Words;
  declare readonly machine: MachineRecord;
  declare readonly frames: Frames;
  /** The last events of this thread's CPU. */
  declare readonly events: Events;
  declare readonly cpus: readonly HostCpu[];
  /** All but the one that this thread is. */
  declare readonly otherCpus: readonly HostCpu[];
  declare readonly guests: readonly Lguest[];
  declare readonly vcpus: readonly LgCpu[];
  declare readonly switcherAddr: Gva;
  /** The one page of zeroes. */
  declare readonly zeroPage: Pfn;
  /** `lg_switcher_pages` */
  declare readonly switcherPages: readonly Pfn[];

  /**
   * `cpu`: the host CPU that this thread is, or MAIN_THREAD. `stepsFor`: of the paging code.
   * `makeWords`: another leaf.
   */
  constructor(
    shared: SharedMachine,
    cpu: number,
    stepsFor: StepsFor,
    makeWords = (memory: WasmMemory, scratch: Ptr) => new Words(memory, scratch),
  ) {
    const { layout, memory } = shared;
    const { config, regions } = layout;
    const hostCpuAt = (i: number) => toPtr(regions.hostCpus.at + i * regions.hostCpus.stride);
    const main = cpu === MAIN_THREAD;
    const words = makeWords(
      memory,
      main ? toPtr(regions.machine.at + MAIN_SCRATCH) : scratchOf(hostCpuAt(cpu)),
    );
    this.layout = layout;
    this.thisCpu = main ? config.hostCpus : cpu;
    this.words = words;
    this.machine = new MachineRecord(words, regions.machine.at);
    const counters = config.guests.map((_, guest) => this.counters(main ? 0 : cpu, guest));
    const runningVcpu = (): number => this.cpus[this.thisCpu]?.runningVcpu ?? 0;
    this.frames = new Frames(words, layout, this.machine, this.thisCpu, counters, runningVcpu);
    this.cpus = Array.from(
      { length: config.hostCpus },
      (_, i) => new HostCpu(words, i, hostCpuAt(i)),
    );
    this.otherCpus = this.cpus.filter(({ index }) => index !== cpu);
    this.events = new Events(words, layout, this.thisCpu, this.cpus[cpu]?.runningVcpuWord ?? NULL);
    this.switcherAddr = config.switcherAddr;
    this.zeroPage = toPfn(layout.zeroFrame);
    this.switcherPages = Array.from({ length: totalSwitcherPages(config.hostCpus) }, (_, i) =>
      toPfn(layout.firstSwitcherFrame + i),
    );

    let page = 0;
    let pgdir = 0;
    const vcpus: LgCpu[] = [];
    this.guests = config.guests.map((guest, index) => {
      const of = { page, pgdir, counters: counters[index]! };
      page += guest.pages;
      pgdir += guest.pgdirs;
      return this.#guest(guest, index, of, vcpus, stepsFor);
    });
    this.vcpus = vcpus;
  }

  /** `page`, `pgdir`: the first of the guest among all. Adds its vCPUs to `vcpus`. */
  #guest(
    guest: GuestConfig,
    index: number,
    { page, pgdir, counters }: { page: number; pgdir: number; counters: Counters },
    vcpus: LgCpu[],
    stepsFor: StepsFor,
  ): Lguest {
    const { words } = this;
    const { regions } = this.layout;
    const { at, stride } = regions.pgdirs;
    const stopped = (): boolean => this.machine.stop === Stop.Failed;
    const pgdirs = Array.from(
      { length: guest.pgdirs },
      (_, i) => new Pgdir(words, toPtr(at + (pgdir + i) * stride), stopped),
    );
    const map = toPtr(regions.launcherMap.at + page);
    const defects = switchesFor(guest.defects);
    const lg = new Lguest({
      host: this,
      index,
      at: toPtr(regions.guests.at + index * regions.guests.stride),
      form: formOf(guest.paging),
      nx: guest.nx,
      pfnLimit: guest.pages,
      pgdirs,
      pageTypes: toPtr(regions.pageTypes.at + page),
      map: new LauncherMap(words, this.frames, map, index, this.zeroPage),
      counters,
      defects,
      steps: stepsFor(defects),
      discipline: guest.discipline ?? 'as-written',
      virtualization: guest.virtualization ?? 'shadow',
      policy: guest.policy,
    });
    for (let id = 0; id < guest.vcpus; id++) {
      const number = vcpus.length;
      const place = toPtr(regions.vcpus.at + number * regions.vcpus.stride);
      const vcpu = new LgCpu(lg, id, number, place);
      lg.cpus.push(vcpu);
      vcpus.push(vcpu);
    }
    return lg;
  }

  /** The counters of host CPU `cpu` for a guest. */
  counters(cpu: number, guest: number): Counters {
    const { at, stride } = this.layout.regions.counters;
    const pair = cpu * this.layout.config.guests.length + guest;
    return new Counters(this.words.memory.buffer, toPtr(at + pair * stride));
  }

  /** `prandom_u32`. A script may replace it by its own numbers. */
  prandomU32: (cpu: LgCpu) => number = (cpu) => prandomU32(this.words, cpu.random);
}

/**
 * Make a machine: records, Switcher pages, regs pages, and each guest's memory mapped
 * as the Launcher would. Throws UserError when host memory does not suffice.
 */
export function makeMachine(
  layout: Layout,
  vma: Vma,
  stepsFor: StepsFor,
): { shared: SharedMachine; host: Host } {
  const shared = { layout, memory: makeMemory(layout.words) };
  const host = new Host(shared, MAIN_THREAD, stepsFor);
  host.frames.initialise();
  const take = (kind: FrameKind, owner: number): Pfn => {
    const frame = host.frames.allocate(kind, owner);
    if (frame === NO_FRAME) throw tooLittleMemory(layout.config);
    return frame;
  };
  for (const cpu of host.cpus) cpu.generation = 1;
  for (const vcpu of host.vcpus) {
    vcpu.initialise(take(FrameKind.Regs, vcpu.lg.index));
    seedRandom(host.words, vcpu.random, layout.config.seed, vcpu.number);
  }
  for (const lg of host.guests) {
    for (let page = 0; page < lg.pfnLimit; page++) {
      if (!lg.map.set(page as typeof lg.pfnLimit, vma)) throw tooLittleMemory(layout.config);
    }
  }
  host.machine.failAllocationsAfter(-1);
  host.machine.aliveVcpus = host.vcpus.length;
  return { shared, host };
}
