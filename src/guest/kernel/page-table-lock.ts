/**
 * The lock of all processes' page tables, for kernel threads that scan them without the kernel's
 * lock. A task that changes such a table under the kernel's lock need not take this one, only wait
 * until it is free: it can be taken only under the kernel's lock.
 *
 * Taken, given back and waited for under the kernel's lock; waiting is sleeping.
 */

import type { KernelContext } from './context.ts';
import { MAX_TASKS, PAGE_TABLE_LOCK, Task, TaskState } from './layout.ts';
import { current, makeRunnable, schedule, setTask, taskAt, taskField } from './tasks.ts';

export function waitForTables(k: KernelContext): void {
  // On a single vCPU a kernel thread that holds it is not preempted.
  if (k.guest.vcpus === 1) return;
  k.until(() => {
    if (k.load(k.va(PAGE_TABLE_LOCK)) === 0) return 1;
    setTask(k, current(k), Task.state, TaskState.WaitingTables);
    schedule(k);
    return 0;
  });
}

export function lockTables(k: KernelContext): void {
  waitForTables(k);
  k.store(k.va(PAGE_TABLE_LOCK), 1);
}

export function unlockTables(k: KernelContext): void {
  k.store(k.va(PAGE_TABLE_LOCK), 0);
  k.each(0, MAX_TASKS, (i) => {
    const task = taskAt(i);
    if (taskField(k, task, Task.state) === TaskState.WaitingTables) makeRunnable(k, task);
  });
}
