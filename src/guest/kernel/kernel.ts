/**
 * The guest kernel: a small one with processes and threads, written as it would be for
 * hardware. It knows the machine only through its processor.
 *
 *   context.ts      how its routines stop and go on        boot.ts      from nothing to init
 *   fault.ts        demand-zero, copy-on-write             syscalls.ts  int 0x80
 *   process.ts      fork, clone, exec, exit, wait          tasks.ts     who runs
 *   page-tables.ts  its own page tables                    vma.ts       what may be mapped
 *   pages.ts        page allocator                         layout.ts    where things are
 *   tlb.ts          flushes asked of other vCPUs           exec.ts      another program
 *   balloon.ts      pages given to the host and back       audit.ts     what must hold at rest
 *   swap.ts         pages out of all tables, and back      mremap.ts    mappings that move
 *   kill.ts         a process ended by another             fork-by-child.ts
 *   routine-stack.ts  how far a routine has come
 *   kernel-threads.ts  work of the kernel's own, which keeps to page-table-lock.ts
 *   paravirt/       what it does by how it is virtualized
 */

import type { Counters } from '../../../shared/counters.ts';
import { Reg } from '../../../shared/host-cpu.ts';
import { isUserMode, type ProcessorWithTlb, Selector, Vector } from '../processor.ts';
import { boot, startSecondary, timerInterrupt } from './boot.ts';
import { KernelContext } from './context.ts';
import { BODY, ENTRY_BYTES, EntryPoint } from './entry-points.ts';
import { pageFault } from './fault.ts';
import { copyParent } from './fork-by-child.ts';
import { FRAME_WORDS, Frame } from './frame.ts';
import type { GuestMachine } from './guest-machine.ts';
import { kernelThread } from './kernel-threads.ts';
import { BOOT_STACK_TOP, PAGE_OFFSET, TEXT } from './layout.ts';
import { endIfDying, isDying, returnFromFork } from './process.ts';
import { systemCall } from './syscalls.ts';
import { disableInterrupts, enableInterrupts, idle, lockKernel, unlockKernel } from './tasks.ts';
import { answerFlush } from './tlb.ts';

interface Routine {
  readonly body: (k: KernelContext) => void;
  /** Whether the processor pushed an error code. */
  readonly hasError: boolean;
}

/** An entry from user mode or an interrupt: interrupts off, and the kernel lock taken. */
const entered =
  (body: (k: KernelContext) => void) =>
  (k: KernelContext): void => {
    disableInterrupts(k);
    lockKernel(k);
    endIfDying(k);
    body(k);
    leave(k);
  };

/** A task's first steps: it was switched to, and that is under the lock. */
const switchedTo =
  (body: (k: KernelContext) => void) =>
  (k: KernelContext): void => {
    body(k);
    leave(k);
  };

function leave(k: KernelContext): void {
  unlockKernel(k);
  enableInterrupts(k);
}

/**
 * Another vCPU wants this one to flush its TLB, or its thread to end, or only that it
 * looks for work. Without the lock, which the one that waits for an answer holds.
 */
function ipiInterrupt(k: KernelContext): void {
  disableInterrupts(k);
  answerFlush(k);
  if (isUserMode(k.saved(Frame.cs)) && isDying(k)) {
    lockKernel(k);
    endIfDying(k);
  }
  enableInterrupts(k);
}

const ROUTINES: Readonly<Record<number, Routine>> = {
  [EntryPoint.Boot]: { body: boot, hasError: false },
  [EntryPoint.PageFault]: { body: entered(pageFault), hasError: true },
  [EntryPoint.SystemCall]: { body: entered(systemCall), hasError: false },
  [EntryPoint.TimerInterrupt]: { body: entered(timerInterrupt), hasError: false },
  [EntryPoint.IpiInterrupt]: { body: ipiInterrupt, hasError: false },
  [EntryPoint.ReturnFromFork]: { body: switchedTo(returnFromFork), hasError: false },
  [EntryPoint.ReturnToCopy]: { body: switchedTo(() => {}), hasError: false },
  [EntryPoint.CopyParent]: { body: switchedTo(copyParent), hasError: false },
  [EntryPoint.KernelThread]: { body: kernelThread, hasError: false },
  [EntryPoint.Idle]: { body: idle, hasError: false },
  [EntryPoint.StartSecondary]: { body: startSecondary, hasError: false },
};

export class Kernel {
  readonly #context: KernelContext;
  readonly #cpu: ProcessorWithTlb;

  constructor(cpu: ProcessorWithTlb, guest: GuestMachine, counters: Counters) {
    this.#cpu = cpu;
    this.#context = new KernelContext(cpu, guest, counters);
  }

  /** Run what eip points to, for `budget` operations at most; returns how many. */
  run(budget: number): number {
    const eip = this.#cpu.register(Reg.eip);
    const offset = (eip >= PAGE_OFFSET ? eip - PAGE_OFFSET : eip) - TEXT;
    const routine = ROUTINES[Math.floor(offset / ENTRY_BYTES)];
    if (routine === undefined) {
      // Registers that are not this kernel's: there is no code where they point.
      this.#cpu.trap(Vector.DoubleFault, 0);
      return 0;
    }
    const enter = offset % ENTRY_BYTES !== BODY;
    return this.#context.run(routine.body, enter, routine.hasError, budget);
  }
}

/**
 * What the Launcher puts into a boot vCPU's registers (lguest_arch_setup_regs): the
 * kernel starts at its first routine on an empty boot stack.
 */
export function bootRegisters(): Readonly<Record<number, number>> {
  const frame = BOOT_STACK_TOP - FRAME_WORDS * 4;
  return {
    [Reg.eip]: TEXT + EntryPoint.Boot * ENTRY_BYTES + BODY,
    [Reg.esp]: frame,
    [Reg.ebp]: frame,
    [Reg.cs]: Selector.KernelCode,
    [Reg.ss]: Selector.KernelData,
    [Reg.ds]: Selector.KernelData,
    [Reg.es]: Selector.KernelData,
    [Reg.eflags]: 0x202,
  };
}
