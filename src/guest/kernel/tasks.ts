/** Tasks: which there are, which one runs, and who is next. */

import { toGpa } from '../../../shared/address.ts';
import { Hypercall } from '../../../shared/hypercall.ts';
import { EFLAGS_IF, LguestData } from '../../../shared/lguest-data.ts';
import { Selector } from '../processor.ts';
import type { KernelContext } from './context.ts';
import {
  LGUEST_DATA,
  MAX_TASKS,
  STACK_PAGES,
  TASK_BYTES,
  TASKS,
  Task,
  TaskState,
} from './layout.ts';
import { pgdOf } from './page-tables.ts';
import { panic } from './panic.ts';

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

/** `schedule`: let the next runnable task run; returns when this one's turn comes again. */
export function schedule(k: KernelContext): void {
  k.call(() => {
    const me = current(k);
    const isRunnable = (task: number): boolean =>
      taskField(k, task, Task.state) === TaskState.Runnable;
    const next = k.until(() => {
      const found = findTask(k, isRunnable, me);
      if (found === 0) waitForInterrupt(k);
      return found;
    });
    if (next !== me) contextSwitch(k, me, next);
    return 0;
  });
}

/** `context_switch`: the page table first, then the stack, as Linux does it. */
function contextSwitch(k: KernelContext, me: number, next: number): void {
  const mm = taskField(k, next, Task.mm);
  if (mm !== taskField(k, me, Task.mm)) k.hypercall(Hypercall.NewPgtable, pgdOf(k, mm));
  const stackTop = taskField(k, next, Task.stackTop);
  k.hypercall(Hypercall.SetStack, Selector.KernelData, stackTop, STACK_PAGES);
  k.switchTo(k.va(me + Task.esp), k.va(next + Task.esp));
}

/** `safe_halt`: interrupts on, and sleep until one comes. */
function waitForInterrupt(k: KernelContext): void {
  enableInterrupts(k);
  k.hypercall(Hypercall.Halt);
  disableInterrupts(k);
}

export const disableInterrupts = (k: KernelContext): void =>
  k.store(k.va(LguestData.irqEnabled(toGpa(LGUEST_DATA))), 0);

/** `sti`; one that came meanwhile is asked for. */
export function enableInterrupts(k: KernelContext): void {
  k.store(k.va(LguestData.irqEnabled(toGpa(LGUEST_DATA))), EFLAGS_IF);
  if (k.load(k.va(LguestData.irqPending(toGpa(LGUEST_DATA)))) !== 0) {
    k.hypercall(Hypercall.SendInterrupts);
  }
}
