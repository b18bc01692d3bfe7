/**
 * Booting the guest kernel (arch/x86/lguest/i386_head.S and boot.c): it starts without
 * page tables, at physical addresses; announces itself, builds the kernel's mapping,
 * moves up to it, and starts the first process.
 */

import { Hypercall } from '../../../shared/hypercall.ts';
import { LguestData, RING_SLOTS, SLOT_FREE } from '../../../shared/lguest-data.ts';
import { type Gpa, PAGE_SHIFT } from '../../hardware/address.ts';
import { makeEntry, NO_ENTRY, PAGE_PRESENT, PAGE_TABLE } from '../../hardware/entry.ts';
import { isUserMode, Selector, Vector } from '../processor.ts';
import type { KernelContext } from './context.ts';
import { ENTRY_BYTES, EntryPoint } from './entry-points.ts';
import { Frame } from './frame.ts';
import { lguestData, lguestDataOf } from './hypercalls.ts';
import { KERNEL_PAGE } from './kernel-mapping.ts';
import { startKernelThreads } from './kernel-threads.ts';
import {
  CPU_MMS,
  FRESH_PAGE,
  firstFreePage,
  IDLE_TASKS,
  LOST_CONTEXT,
  MAX_VMAS,
  NEXT_PID,
  PAGE_COUNT,
  PAGE_OFFSET,
  POWER_DOWN_TEXT,
  SWAPPER_PG_DIR,
  Task,
  TaskState,
  TEXT,
  TICKS,
  ZERO_PAGE,
} from './layout.ts';
import { pgdOf } from './page-tables.ts';
import { allocPage } from './pages.ts';
import { storeText } from './panic.ts';
import { allocMm, mapImage, newTask } from './process.ts';
import { current, idle, lockKernel, schedule, setTask, startClock, taskField } from './tasks.ts';
import { initVmas } from './vma.ts';

/** Entered by the Launcher, on an empty boot stack. */
export function boot(k: KernelContext): void {
  const { pages } = k.guest;
  k.store(k.va(FRESH_PAGE), firstFreePage(pages));
  k.store(k.va(PAGE_COUNT), pages);
  k.store(k.va(NEXT_PID), 1);

  k.each(0, k.guest.vcpus, (vcpu) => prepareLguestData(k, lguestDataOf(vcpu)));
  k.hypercall(Hypercall.LguestInit, lguestDataOf(0));

  const swapper = mapKernel(k, pages);
  k.mmu.writeCr3(k, swapper);
  k.relocate();
  k.mmu.pinTable(k, swapper);
  forgetLowMapping(k, swapper);

  k.store(k.va(ZERO_PAGE), allocPage(k));
  storeText(k, POWER_DOWN_TEXT, 'Power down');
  initVmas(k, MAX_VMAS);
  loadDescriptors(k);
  startInit(k);
}

function prepareLguestData(k: KernelContext, data: Gpa): void {
  k.each(0, RING_SLOTS, (slot) => k.store(k.va(LguestData.hcallStatus(data, slot)), SLOT_FREE));
  k.store(k.va(LguestData.kernelAddress(data)), PAGE_OFFSET);
  k.store(k.va(LguestData.syscallVec(data)), Vector.Syscall);
}

/** All of memory at PAGE_OFFSET, and for the moment at 0 too. Returns the top level. */
const mapKernel = (k: KernelContext, pages: number): number =>
  k.call(() => {
    const { form } = k.guest;
    const bytes = form.entryWords * 4;
    const top = allocPage(k) << PAGE_SHIFT;
    k.store(k.va(SWAPPER_PG_DIR), top);
    // With PAE there is one middle table, and both top-level entries lead to it.
    const table = form.pae ? allocPage(k) << PAGE_SHIFT : top;
    const high = PAGE_OFFSET / 2 ** form.pgdirShift;
    if (form.pae) {
      for (const i of [0, high]) {
        k.storeEntry(k.va(top + i * bytes), makeEntry(table >>> PAGE_SHIFT, PAGE_PRESENT));
      }
    }
    k.each(0, Math.ceil(pages / form.ptrsPerPte), (i) => {
      const ptes = allocPage(k);
      const first = i * form.ptrsPerPte;
      const count = Math.min(form.ptrsPerPte, pages - first);
      const words: number[] = [];
      for (let page = first; page < first + count; page++) {
        words.push((page << PAGE_SHIFT) | KERNEL_PAGE);
        if (form.pae) words.push(0);
      }
      k.storeBlock(k.va(ptes << PAGE_SHIFT), words);
      const entry = makeEntry(ptes, PAGE_TABLE);
      k.storeEntry(k.va(table + i * bytes), entry);
      if (!form.pae) k.storeEntry(k.va(table + (high + i) * bytes), entry);
    });
    return top;
  });

/** The kernel runs high now, so user space is empty. */
function forgetLowMapping(k: KernelContext, swapper: number): void {
  const { form } = k.guest;
  k.each(0, PAGE_OFFSET / 2 ** form.pgdirShift, (i) => {
    if (k.mmu.loadPte(k, k.va(swapper + i * form.entryWords * 4)).low === 0) return;
    k.mmu.setTableEntry(k, Hypercall.SetPgd, swapper, i, NO_ENTRY);
  });
}

/** Types of gate (SDM 3A 6.11): one that disables interrupts, and one that does not. */
const INTERRUPT_GATE = 0xe;
const TRAP_GATE = 0xf;

function loadDescriptors(k: KernelContext): void {
  const gate = (vector: number, entry: number, type: number, ring: number): void => {
    const address = PAGE_OFFSET + TEXT + entry * ENTRY_BYTES;
    const low = (Selector.KernelCode << 16) | (address & 0xffff);
    const high = (address & 0xffff_0000) | 0x8000 | (ring << 13) | (type << 8);
    k.hypercall(Hypercall.LoadIdtEntry, vector, low, high);
  };
  gate(Vector.PageFault, EntryPoint.PageFault, INTERRUPT_GATE, 0);
  gate(Vector.FirstExternal, EntryPoint.TimerInterrupt, INTERRUPT_GATE, 0);
  gate(Vector.FirstExternal + 1, EntryPoint.IpiInterrupt, INTERRUPT_GATE, 0);
  gate(Vector.Syscall, EntryPoint.SystemCall, TRAP_GATE, 3);
  // Flat code and data segments for rings 1 and 3; their numbers are the selectors'.
  for (const selector of Object.values(Selector)) {
    const isCode = selector === Selector.KernelCode || selector === Selector.UserCode;
    const access = 0x90 | ((selector & 3) << 5) | (isCode ? 0xa : 2);
    k.hypercall(Hypercall.LoadGdtEntry, selector >>> 3, 0xffff, 0x00cf_0000 | (access << 8));
  }
}

/** The idle tasks, the other vCPUs and the first process; the boot stack is left for ever. */
function startInit(k: KernelContext): void {
  lockKernel(k);
  k.each(0, k.guest.vcpus, (vcpu) => {
    const entry = vcpu === 0 ? EntryPoint.Idle : EntryPoint.StartSecondary;
    const task = newTask(k, 0, 0, 0, 0, entry);
    k.store(k.va(IDLE_TASKS + vcpu * 4), task);
    if (vcpu === 0) return;
    const eip = taskField(k, task, Task.eip);
    k.hypercall(Hypercall.StartCpu, vcpu, eip, taskField(k, task, Task.esp));
  });
  startKernelThreads(k);
  // The first process is process number 1.
  k.store(k.va(NEXT_PID), 1);
  const mm = allocMm(k);
  mapImage(k, mm, k.guest.program.processes[0]!);
  const init = newTask(k, mm, 0, 0, 0);
  setTask(k, init, Task.state, TaskState.Running);
  k.store(k.va(CPU_MMS), mm);
  startClock(k);
  k.mmu.writeCr3(k, pgdOf(k, mm));
  k.mmu.loadStack(k, taskField(k, init, Task.stackTop));
  k.switchTo(k.va(LOST_CONTEXT), k.va(init + Task.esp));
}

/** Where another vCPU begins: on its idle task's stack, with the kernel's page table. */
export function startSecondary(k: KernelContext): void {
  k.hypercall(Hypercall.LguestInit, lguestData(k));
  loadDescriptors(k);
  k.mmu.loadStack(k, taskField(k, current(k), Task.stackTop));
  lockKernel(k);
  idle(k);
}

/** The clock: switch to another runnable process, unless the kernel was only waiting. */
export function timerInterrupt(k: KernelContext): void {
  k.store(k.va(TICKS), k.load(k.va(TICKS)) + 1);
  startClock(k);
  if (isUserMode(k.saved(Frame.cs))) schedule(k);
}
