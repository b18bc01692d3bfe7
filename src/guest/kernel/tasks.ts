/** Tasks: the table, the current one, and the scheduler. */

import { Hypercall } from '../../../shared/hypercall.ts';
import { EFLAGS_IF, LguestData } from '../../../shared/lguest-data.ts';
import type { KernelContext } from './context.ts';
import { lguestData } from './hypercalls.ts';
import {
  CPU_MMS,
  IDLE_TASKS,
  IDLE_VCPUS,
  KERNEL_LOCK,
  MAX_TASKS,
  SWAPPER_PG_DIR,
  TASK_BYTES,
  TASKS,
  Task,
  TaskState,
} from './layout.ts';
import { pgdOf } from './page-tables.ts';
import { panic } from './panic.ts';
import { answerFlush } from './tlb.ts';

export const taskAt = (i: number): number => TASKS + i * TASK_BYTES;

export const taskField = (k: KernelContext, task: number, offset: number): number =>
  k.load(k.va(task + offset));

export const setTask = (k: KernelContext, task: number, offset: number, value: number): void =>
  k.store(k.va(task + offset), value);

/** `current`: the lowest word of the stack names the task, by physical address. */
export const current = (k: KernelContext): number => k.load(k.stackBase);

/** The task of a thread of a process, or 0. */
export const findThread = (k: KernelContext, mm: number, thread: number): number =>
  findTask(k, (task) => {
    const state = taskField(k, task, Task.state);
    if (state === TaskState.Free || state === TaskState.Zombie) return false;
    return taskField(k, task, Task.mm) === mm && taskField(k, task, Task.thread) === thread;
  });

/** The first task, after `after` and in a circle, for which `is` holds, or 0. */
export const findTask = (
  k: KernelContext,
  is: (task: number) => boolean,
  after = taskAt(MAX_TASKS - 1),
): number =>
  k.call(() => {
    const start = (after - TASKS) / TASK_BYTES;
    for (let i = 1; i <= MAX_TASKS; i++) {
      const task = taskAt((start + i) % MAX_TASKS);
      if (k.call(() => (is(task) ? 1 : 0)) === 1) return task;
    }
    return 0;
  });

/** A free slot, filled in but not yet runnable. Without one the kernel panics. */
export const allocTask = (k: KernelContext): number =>
  k.call(() => {
    const task = findTask(k, (t) => taskField(k, t, Task.state) === TaskState.Free);
    if (task === 0) panic(k, 'out of tasks');
    return task;
  });

/** Make a task runnable, and wake an idle vCPU. */
export function makeRunnable(k: KernelContext, task: number): void {
  k.call(() => {
    setTask(k, task, Task.state, TaskState.Runnable);
    const idle = k.load(k.va(IDLE_VCPUS));
    if (idle !== 0) {
      const vcpu = 31 - Math.clz32(idle & -idle);
      k.store(k.va(IDLE_VCPUS), idle & ~(1 << vcpu));
      k.hypercall(Hypercall.SendIpi, vcpu);
    }
    return 0;
  });
}

/**
 * `schedule`: let the next runnable task run, this vCPU's idle task if there is none;
 * returns when this one's turn comes again. Under the kernel lock.
 */
export function schedule(k: KernelContext): void {
  k.call(() => {
    const me = current(k);
    const isRunnable = (task: number): boolean =>
      taskField(k, task, Task.state) === TaskState.Runnable;
    let next = findTask(k, isRunnable, me);
    if (next === 0) {
      if (taskField(k, me, Task.state) === TaskState.Running) return 0;
      next = k.load(k.va(IDLE_TASKS + k.cpuId() * 4));
    }
    if (next !== me) contextSwitch(k, me, next);
    return 0;
  });
}

/**
 * `context_switch`: the page table first, then the stack, as in Linux. The kernel lock passes to
 * the next task, so no other vCPU accesses the previous one.
 */
function contextSwitch(k: KernelContext, me: number, next: number): void {
  if (taskField(k, me, Task.state) === TaskState.Running) {
    setTask(k, me, Task.state, TaskState.Runnable);
  }
  if (taskField(k, next, Task.state) === TaskState.Runnable) {
    setTask(k, next, Task.state, TaskState.Running);
    if (taskField(k, me, Task.state) === TaskState.Idle) startClock(k);
  }
  if (k.guest.vcpus > 1) {
    k.store(k.va(CPU_MMS + k.cpuId() * 4), taskField(k, next, Task.mm));
  }
  const top = topLevelOf(k, next);
  if (top !== topLevelOf(k, me)) k.mmu.writeCr3(k, top);
  k.mmu.loadStack(k, taskField(k, next, Task.stackTop));
  k.switchTo(k.va(me + Task.esp), k.va(next + Task.esp));
}

/** Idle tasks have no mm, and run on the kernel's own page table. */
const topLevelOf = (k: KernelContext, task: number): number =>
  k.call(() => {
    const mm = taskField(k, task, Task.mm);
    return mm === 0 ? k.load(k.va(SWAPPER_PG_DIR)) : pgdOf(k, mm);
  });

/** Operations of a vCPU between two ticks of its clock. */
const TICK_OPERATIONS = 100_000;

export const startClock = (k: KernelContext): void =>
  k.hypercall(Hypercall.SetClockevent, TICK_OPERATIONS);

/** The idle task: work if there is any, else sleep until an interrupt. Never returns. */
export function idle(k: KernelContext): void {
  k.until(() => {
    schedule(k);
    const vcpu = k.cpuId();
    const bit = 1 << vcpu;
    k.store(k.va(IDLE_VCPUS), k.load(k.va(IDLE_VCPUS)) | bit);
    k.hypercall(Hypercall.SetClockevent, 0);
    unlockKernel(k);
    // Interrupts stay off: the host turns them on for one that ends the sleep. Were they
    // on already, the one that is to wake this vCPU could come just before it sleeps.
    k.hypercall(Hypercall.Halt);
    disableInterrupts(k);
    lockKernel(k);
    k.store(k.va(IDLE_VCPUS), k.load(k.va(IDLE_VCPUS)) & ~bit);
    return 0;
  });
}

/**
 * One lock for the whole kernel, spinning: in guest memory, through the MMU. Its holder
 * may wait for this vCPU to flush its TLB, and interrupts are off.
 */
export const lockKernel = (k: KernelContext): void => {
  k.until(() => {
    const locked = k.tryLock(k.va(KERNEL_LOCK));
    if (locked === 0) answerFlush(k);
    return locked;
  });
};

export const unlockKernel = (k: KernelContext): void => k.store(k.va(KERNEL_LOCK), 0);

/** A kernel thread's work on private state, without the kernel lock. */
export function withoutKernelLock(k: KernelContext, body: () => void): void {
  unlockKernel(k);
  enableInterrupts(k);
  body();
  disableInterrupts(k);
  lockKernel(k);
}

export const disableInterrupts = (k: KernelContext): void =>
  k.store(k.va(LguestData.irqEnabled(lguestData(k))), 0);

/** `sti`; one that came meanwhile is asked for. */
export function enableInterrupts(k: KernelContext): void {
  const data = lguestData(k);
  k.store(k.va(LguestData.irqEnabled(data)), EFLAGS_IF);
  if (k.load(k.va(LguestData.irqPending(data))) !== 0) k.hypercall(Hypercall.SendInterrupts);
}
