/**
 * Hardware that acts by itself, whenever a strategy lets it: a TLB drops an entry, and an
 * interrupt takes a host CPU away from its vCPU, which goes on there or on another one.
 */

import type { Host } from '../../../shared/host.ts';
import {
  type HostCpu,
  Mail,
  MOVE_SHIFT,
  Reg,
  TLB_ENTRIES,
  TLB_ENTRY_WORDS,
} from '../../../shared/host-cpu.ts';
import { isUserMode } from '../../guest/processor.ts';
import { type Ptr, toPtr } from '../../hardware/address.ts';
import { evictionOn, moveOf } from './actors.ts';
import type { Task } from './task.ts';

export class Hardware {
  readonly #host: Host;

  /** `host`: a view by plain words. */
  constructor(host: Host) {
    this.#host = host;
  }

  /** A bit for each event that may happen now, when `asking` is about to take a step. */
  possible(asking: Task | undefined): number {
    const { cpus } = this.#host;
    let mask = 0;
    for (const cpu of cpus) {
      if (!this.#isInterruptible(cpu)) continue;
      for (let to = 0; to < cpus.length; to++) mask |= 1 << moveOf(cpu.index, to, cpus.length);
    }
    if (asking?.hasBegun === false && cpus[asking.index]!.inside) {
      mask |= 1 << evictionOn(asking.index, cpus.length);
    }
    return mask;
  }

  #isInterruptible(cpu: HostCpu): boolean {
    return cpu.inside && (this.#host.words.peek(cpu.mailbox) & Mail.Move) === 0;
  }

  cpu(index: number): HostCpu {
    return this.#host.cpus[index]!;
  }

  /** The program's position on a CPU, if it is inside the guest and in ring 3; else 0. */
  operationOn(index: number): number {
    const cpu = this.#host.cpus[index]!;
    return cpu.inside && isUserMode(cpu.register(Reg.cs)) ? cpu.register(Reg.eip) : 0;
  }

  /** Interrupt a host CPU; its vCPU is to continue on CPU `to`. */
  move(from: number, to: number): void {
    const { mailbox } = this.#host.cpus[from]!;
    const { words } = this.#host;
    words.poke(mailbox, words.peek(mailbox) | Mail.Move | (to << MOVE_SHIFT));
  }

  /**
   * The place of the TLB entry to drop, for `task`'s CPU, which has not begun its piece yet: the
   * `nth` valid one, modulo their number; 0 if there is none.
   */
  entryToDrop(task: Task, nth: number): Ptr {
    const { tlb, generation } = this.#host.cpus[task.index]!;
    const { words } = this.#host;
    const entries: Ptr[] = [];
    for (let i = 0; i < TLB_ENTRIES; i++) {
      const at = toPtr(tlb + i * TLB_ENTRY_WORDS);
      const key = words.peek(at);
      if ((key & 0xfff) === generation && words.peek(toPtr(at + 1)) !== 0) entries.push(at);
    }
    return entries[nth % entries.length] ?? toPtr(0);
  }

  drop(entry: Ptr): void {
    if (entry !== 0) this.#host.words.poke(entry, 0);
  }
}
