/** What runs inside a guest: its kernel in ring 1, its programs in ring 3. */

import type { Counters } from '../../shared/counters.ts';
import { Reg } from '../../shared/host-cpu.ts';
import type { Lguest } from '../../shared/lguest.ts';
import type { GuestMachine } from './kernel/guest-machine.ts';
import { Kernel } from './kernel/kernel.ts';
import { MMU_OPS } from './kernel/paravirt/ways.ts';
import { isUserMode, type ProcessorWithTlb } from './processor.ts';
import type { Program } from './program.ts';
import type { BlockFinder } from './shared-blocks.ts';
import { UserMode } from './user.ts';

export interface Software {
  /**
   * Go on from where the registers say, for `budget` operations at most, until it traps or
   * is wanted outside; returns how many were completed.
   */
  run(budget: number): number;
}

/** Kernel and programs of an ordinary guest. */
export class GuestSoftware implements Software {
  readonly #cpu: ProcessorWithTlb;
  readonly #kernel: Kernel;
  readonly #user: UserMode;

  constructor(
    cpu: ProcessorWithTlb,
    guest: GuestMachine,
    counters: Counters,
    blocks?: BlockFinder,
  ) {
    this.#cpu = cpu;
    this.#kernel = new Kernel(cpu, guest, counters);
    this.#user = new UserMode(cpu, guest.program, counters, blocks);
  }

  run(budget: number): number {
    return isUserMode(this.#cpu.register(Reg.cs))
      ? this.#user.run(budget)
      : this.#kernel.run(budget);
  }
}

/**
 * What runs in each guest of a machine, on a processor: a program of its own, by its number.
 * `blocks`: where the machine has room for decoded ones.
 */
export const softwareOf =
  (programs: readonly Program[], blocks?: BlockFinder) =>
  (processor: ProcessorWithTlb, lg: Lguest): Software =>
    new GuestSoftware(processor, guestMachine(lg, programs[lg.index]!), lg.counters, blocks);

/** A guest's machine, running a program. */
export const guestMachine = (
  { form, nx, pfnLimit, cpus, virtualization }: Lguest,
  program: Program,
): GuestMachine => ({
  form,
  nx,
  mmu: MMU_OPS[virtualization],
  program,
  vcpus: cpus.length,
  pages: pfnLimit,
  ordered: cpus.length > 1 && program.processes.some(({ order }) => order !== undefined),
});
