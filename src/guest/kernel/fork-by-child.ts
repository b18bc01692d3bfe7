/**
 * A fork whose copy the child makes, while its parent sleeps: the kernel reports changes of the
 * parent's tables while these are not in use (Async-fork, Pang et al., VLDB 2023).
 */

import type { KernelContext } from './context.ts';
import { EntryPoint } from './entry-points.ts';
import { Task, TaskState } from './layout.ts';
import { waitForTables } from './page-table-lock.ts';
import { copyPageTables } from './page-tables.ts';
import { allocMm, exitGroup, newTask } from './process.ts';
import { current, makeRunnable, schedule, setTask, taskField } from './tasks.ts';
import { copyVmas } from './vma.ts';

export function forkByChild(k: KernelContext, process: number): void {
  waitForTables(k);
  const me = current(k);
  const child = newTask(k, allocMm(k), process, 0, me, EntryPoint.CopyParent);
  setTask(k, me, Task.copier, child);
  makeRunnable(k, child);
  setTask(k, me, Task.state, TaskState.WaitingCopy);
  schedule(k);
}

/** The first thing such a child does. Its parent may have been ended meanwhile. */
export function copyParent(k: KernelContext): void {
  waitForTables(k);
  const me = current(k);
  const parent = taskField(k, me, Task.parent);
  const waits = taskField(k, parent, Task.state) === TaskState.WaitingCopy;
  if (!waits || taskField(k, parent, Task.copier) !== me) return exitGroup(k);
  const from = taskField(k, parent, Task.mm);
  const mm = taskField(k, me, Task.mm);
  copyVmas(k, from, mm);
  copyPageTables(k, from, mm);
  makeRunnable(k, parent);
}
