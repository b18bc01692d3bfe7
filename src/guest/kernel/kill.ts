/** The end of a process that another one kills. */

import type { KernelContext } from './context.ts';
import { Task, TaskState } from './layout.ts';
import { endSiblings, endTask, isAlive } from './process.ts';
import { current, findTask, schedule, setTask, taskField } from './tasks.ts';

/**
 * SIGKILL, to the child that runs a process of the program. One that does not run is taken
 * down here: its tables are emptied while other tables are in use.
 */
export function kill(k: KernelContext, process: number): void {
  const me = current(k);
  const isVictim = (task: number): boolean =>
    taskField(k, task, Task.parent) === me &&
    taskField(k, task, Task.process) === process &&
    isAlive(k, task);
  const victim = findTask(k, isVictim);
  if (victim === 0) return;
  const mm = taskField(k, victim, Task.mm);
  const state = taskField(k, victim, Task.state);
  const runs = state === TaskState.Running || state === TaskState.Dying;
  // It must not run any more while this one sleeps.
  setTask(k, victim, Task.state, runs ? TaskState.Dying : TaskState.Paused);
  endSiblings(k, victim, mm);
  if (!runs) endTask(k, victim, mm);
}

/** pause, without signals: until the process is ended. */
export function pause(k: KernelContext): void {
  k.until(() => {
    setTask(k, current(k), Task.state, TaskState.Paused);
    schedule(k);
    return 0;
  });
}
