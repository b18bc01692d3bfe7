/**
 * The round of a host CPU for its running vCPU (run_guest of drivers/lguest/core.c): hypercalls,
 * notifications for the Launcher, interrupts, the guest entry, and the cause of the exit.
 */

import { Counter } from '../../shared/counters.ts';
import { enter, leave } from '../../shared/discipline.ts';
import { EventKind, PutDownFor } from '../../shared/events.ts';
import { putUser } from '../../shared/guest-memory.ts';
import type { Host } from '../../shared/host.ts';
import { type HostCpu, Mail, MOVE_SHIFT, Reg } from '../../shared/host-cpu.ts';
import { type LgCpu, NO_PGDIR, NOWHERE } from '../../shared/lg-cpu.ts';
import { Dead, killGuest, type Lguest } from '../../shared/lguest.ts';
import { LguestData } from '../../shared/lguest-data.ts';
import { Stop } from '../../shared/machine-record.ts';
import { CANNOT_HAPPEN } from '../../shared/switcher-page.ts';
import { Vector } from '../guest/processor.ts';
import type { Software } from '../guest/software.ts';
import { type Gva, PAGE_SIZE, toGpa, toGva } from '../hardware/address.ts';
import { Mmu } from '../mmu/tlb.ts';
import { percpuPagesAddr } from '../paging/switcher.ts';
import { doHypercalls } from './hypercalls.ts';
import {
  deliverTrap,
  interruptPending,
  LGUEST_IRQS,
  someMayWake,
  TIMER_IRQ,
  tryDeliverInterrupt,
  unhandledTrap,
} from './interrupts.ts';
import { notified } from './launcher.ts';
import { HostProcessor } from './processor.ts';
import { mayStayInside, Standing, safePoint } from './safe-point.ts';
import { readSaved } from './switcher.ts';
import { virtualizerOf } from './virtualization/ways.ts';

/** Why a vCPU stopped running. */
export type Rest =
  /** Its time slice is over. */
  | 'preempted'
  /** There are no tables for it to run on. */
  | 'hungry'
  /** It waits for an interrupt, or to be started. */
  | 'halted'
  /** Its guest is dead: it never runs again. */
  | 'dead'
  /** The machine is to stop. */
  | 'stopped';

/** Its code in a trace. */
const PUT_DOWN_FOR: Readonly<Record<Rest, PutDownFor>> = {
  preempted: PutDownFor.Preemption,
  hungry: PutDownFor.Tables,
  halted: PutDownFor.Interrupt,
  dead: PutDownFor.End,
  stopped: PutDownFor.End,
};

/** The software of a guest on a host CPU; holds no state of the guest's. */
export type SoftwareFor = (processor: HostProcessor, lg: Lguest) => Software;

export class GuestRunner {
  readonly #host: Host;
  readonly #hostCpu: HostCpu;
  readonly #mmu: Mmu;
  readonly #processor: HostProcessor;
  readonly #software: readonly Software[];
  readonly #unparkSiblings: (lg: Lguest) => void;
  readonly #stretch: number;
  /** Operations of the stay inside the guest, and how many of them are left. */
  #budget = 0;
  #left = 0;
  /** Why the vCPU was put down when it left the guest for a hypercall. */
  #rest: Rest | undefined;

  /**
   * `unparkSiblings` is called when a vCPU has done something that may wake others. `stretch`: most
   * operations inside the guest in one step.
   */
  constructor(
    host: Host,
    hostCpu: HostCpu,
    softwareFor: SoftwareFor,
    unparkSiblings: (lg: Lguest) => void,
    stretch = Number.POSITIVE_INFINITY,
  ) {
    this.#host = host;
    this.#hostCpu = hostCpu;
    this.#unparkSiblings = unparkSiblings;
    this.#stretch = stretch;
    this.#mmu = new Mmu(host, hostCpu);
    const statePage = toGva(percpuPagesAddr(host.guests[0]!, hostCpu.index) + PAGE_SIZE);
    this.#processor = new HostProcessor(host, hostCpu, this.#mmu, statePage);
    this.#software = host.guests.map((lg) => softwareFor(this.#processor, lg));
    if (stretch === Number.POSITIVE_INFINITY) this.#processor.visitHost = this.#visit.bind(this);
  }

  /** Run a vCPU until its quantum is used up or it cannot go on. */
  run(cpu: LgCpu): Rest {
    this.takeUp(cpu);
    for (;;) {
      const rest = this.step(cpu);
      if (rest !== undefined) return rest;
    }
  }

  /** Begin to run a vCPU. */
  takeUp(cpu: LgCpu): void {
    const { lg, lastHostCpu: from } = cpu;
    const { index } = this.#hostCpu;
    const { events } = this.#host;
    this.#hostCpu.runningVcpu = cpu.number + 1;
    if (from !== index) cpu.lastHostCpu = index;
    if (from !== index && from !== NOWHERE) {
      lg.counters.count(Counter.Migrations);
      events.record(EventKind.Migration, from);
    }
    events.trace(EventKind.TakenUp);
  }

  /**
   * The next piece of the round: up to where the vCPU is inside the guest, or has left it and the
   * exit is handled. Returns why it stopped running, if it did.
   */
  step(cpu: LgCpu): Rest | undefined {
    if (this.#hostCpu.inside) return this.#execute(cpu);
    return this.#outside(cpu);
  }

  #outside(cpu: LgCpu): Rest | undefined {
    const { lg } = cpu;
    // Clear the mailbox first, then handle the causes: later ones set it again.
    const mail = this.#host.words.exchange(this.#hostCpu.mailbox, 0);
    safePoint(this.#host, this.#hostCpu, Standing.Round);
    enter(lg, this.#hostCpu.inHost, 0);
    const rest = this.#restOf(cpu, mail) ?? this.#round(cpu);
    leave(this.#host, this.#hostCpu, this.#hostCpu.inHost);
    if (rest === undefined) return undefined;
    virtualizerOf(lg).letGoOfTables(cpu);
    this.#host.events.trace(EventKind.PutDown, PUT_DOWN_FOR[rest]);
    this.#hostCpu.runningVcpu = 0;
    return rest;
  }

  /** Why a vCPU stops running before its next round, if it does. */
  #restOf(cpu: LgCpu, mail: number): Rest | undefined {
    if (cpu.lg.dead !== Dead.Alive) return 'dead';
    if (!(mail & Mail.Move)) return undefined;
    cpu.nextHostCpu = mail >>> MOVE_SHIFT;
    return 'preempted';
  }

  /** One round, up to the guest entry; returns why the vCPU stops running, if it does. */
  #round(cpu: LgCpu): Rest | undefined {
    const { lg } = cpu;
    if (!virtualizerOf(lg).claimTables(cpu)) {
      this.#host.words.relax();
      return 'hungry';
    }
    if (cpu.hypercallPending) {
      lg.hasWoken = false;
      doHypercalls(cpu);
      this.#unparkSiblings(lg);
      if (cpu.cpuPgd === NO_PGDIR) return undefined;
    }
    if (cpu.pendingNotify !== 0) {
      // The Launcher handles it and resumes the vCPU.
      notified(cpu, cpu.pendingNotify);
      cpu.pendingNotify = toGpa(0);
      return undefined;
    }
    if (this.#host.machine.stop !== Stop.Running) return 'stopped';
    if (!cpu.started) return 'halted';
    tick(cpu);
    const { irq, more } = interruptPending(cpu);
    if (irq < LGUEST_IRQS) tryDeliverInterrupt(cpu, irq, more);
    if (lg.dead !== Dead.Alive) return undefined;
    if (cpu.halted) {
      if (interruptPending(cpu).irq < LGUEST_IRQS || sleep(cpu)) return undefined;
      if (lg.words.isAtEnd(cpu.id) || someMayWake(lg)) return 'halted';
      killGuest(cpu, 'halted with nothing to wake it');
      return undefined;
    }
    if (cpu.quantum === 0) return 'preempted';
    this.#hostCpu.walks = 0;
    const entered = virtualizerOf(lg).enter(this.#host, this.#hostCpu, this.#mmu, cpu);
    if (entered) this.#hostCpu.inside = true;
    return undefined;
  }

  /** The guest's own software, until something takes the CPU away from it. */
  #execute(cpu: LgCpu): Rest | undefined {
    const processor = this.#processor;
    const software = this.#software[cpu.lg.index]!;
    processor.counters = cpu.lg.counters;
    this.#grant(cpu);
    const mayStay = (): boolean =>
      !processor.trapped && (!processor.kicked || mayStayInside(this.#host, this.#hostCpu));
    while (this.#left > 0 && mayStay()) {
      const done = software.run(this.#left);
      if (!this.#hostCpu.inside) return this.#rest;
      this.#left -= done;
    }
    const done = this.#account(cpu);
    if (done === this.#stretch && cpu.quantum > 0 && untilTick(cpu) > 0 && mayStay()) return;
    // The host's own timer, or another CPU's kick.
    if (!processor.trapped) processor.trap(Vector.FirstExternal, 0);
    this.#comeOut(cpu);
    return undefined;
  }

  /** How long a stay may be. */
  #grant(cpu: LgCpu): void {
    this.#budget = Math.min(cpu.quantum, untilTick(cpu), this.#stretch);
    this.#left = this.#budget;
  }

  /** What was done of it. */
  #account(cpu: LgCpu): number {
    const done = this.#budget - this.#left;
    cpu.lg.counters.add(Counter.Operations, done);
    cpu.operations += done;
    cpu.quantum -= done;
    return done;
  }

  /** For the guest's software: out with a trap, and round until it is inside again or put down. */
  #visit(done: number): number {
    const cpu = this.#host.vcpus[this.#hostCpu.runningVcpu - 1]!;
    this.#left -= done;
    this.#account(cpu);
    this.#comeOut(cpu);
    do {
      this.#rest = this.#outside(cpu);
      if (this.#rest !== undefined) return 0;
    } while (!this.#hostCpu.inside);
    this.#grant(cpu);
    return this.#left;
  }

  #comeOut(cpu: LgCpu): void {
    const hostCpu = this.#hostCpu;
    enter(cpu.lg, hostCpu.inHost, 0);
    virtualizerOf(cpu.lg).leave(this.#host, hostCpu, this.#mmu, cpu);
    hostCpu.inside = false;
    cpu.lg.counters.add(Counter.Walks, hostCpu.walks);
    this.#handleTrap(cpu);
    leave(this.#host, hostCpu, hostCpu.inHost);
  }

  /** For a trace: counters, whose differences between two exits are the work done. */
  #traceCounts({ counters }: Lguest): void {
    const remaps = counters.get(Counter.RemapsKnown) + counters.get(Counter.RemapsUnknown);
    const [operations, walks] = [counters.get(Counter.Operations), counters.get(Counter.Walks)];
    this.#host.events.trace(EventKind.Counted, operations, walks, remaps);
  }

  /** `lguest_arch_handle_trap` */
  #handleTrap(cpu: LgCpu): void {
    const { lg } = cpu;
    const trapnum = readSaved(cpu, Reg.trapnum);
    const { cr2 } = this.#hostCpu;
    const { events } = this.#host;
    events.record(EventKind.Exit, trapnum, readSaved(cpu, Reg.eip));
    this.#traceCounts(lg);
    const virtualizer = virtualizerOf(lg);
    const interrupted = virtualizer.ownTrap(cpu, this.#hostCpu, trapnum);
    if (interrupted !== undefined) {
      if (interrupted !== 0) deliver(cpu, interrupted, toGva(0));
      return;
    }
    if (trapnum === Vector.PageFault) {
      const errorCode = readSaved(cpu, Reg.errcode);
      if (virtualizer.repairFault(cpu, cr2, errorCode)) {
        events.record(EventKind.FaultFixed, cr2, errorCode, cpu.operations);
        lg.counters.count(Counter.FaultsFixed);
        return;
      }
      events.record(EventKind.FaultPassedOn, cr2, errorCode, cpu.operations);
      lg.counters.count(Counter.FaultsPassedOn);
      if (cpu.lguestData !== 0 && !putUser(lg, LguestData.cr2(cpu.lguestData), cr2)) {
        killGuest(cpu, 'Writing cr2');
      }
    } else if (trapnum === Vector.Hypercall) {
      cpu.hypercallPending = true;
      return;
    } else if (
      trapnum >= Vector.FirstExternal &&
      trapnum < CANNOT_HAPPEN &&
      trapnum !== Vector.Syscall
    ) {
      return;
    }
    deliver(cpu, trapnum, cr2);
  }
}

/** A guest without a handler is killed. */
function deliver(cpu: LgCpu, vector: number, cr2: Gva): void {
  if (!deliverTrap(cpu, vector)) killGuest(cpu, unhandledTrap(cpu, cr2));
}

/** Operations until the guest's clock interrupts. */
function untilTick(cpu: LgCpu): number {
  return cpu.clockDeadline === 0
    ? Number.POSITIVE_INFINITY
    : (cpu.clockDeadline - cpu.operations) >>> 0;
}

/** The clock interrupts once, at its deadline. */
function tick(cpu: LgCpu): void {
  if (cpu.clockDeadline === 0 || cpu.operations !== cpu.clockDeadline) return;
  cpu.clockDeadline = 0;
  cpu.raiseIrq(TIMER_IRQ);
}

/** Advance a halted vCPU's clock to the next tick; false if there is none. */
function sleep(cpu: LgCpu): boolean {
  if (cpu.clockDeadline === 0) return false;
  cpu.operations = cpu.clockDeadline;
  return true;
}
