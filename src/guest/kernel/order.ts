/**
 * Threads of a traced process keep the original run's order on several vCPUs, as far as it matters.
 * Their calls are numbered (ProcessOrder), and each thread publishes its next one. A call is made
 * once no thread of the process has an earlier one to make: then all that preceded it in the
 * original run is done. A thread resumes after others once these have made the changes of memory
 * that preceded. A waiting thread gives up its vCPU; it waits only for earlier calls of the
 * original run, so some thread can always go on.
 */

import { NONE, Sys } from '../program.ts';
import type { KernelContext } from './context.ts';
import { MAX_TASKS, TASK_BYTES, Task, TaskState } from './layout.ts';
import { current, makeRunnable, schedule, setTask, taskAt, taskField } from './tasks.ts';

/** Make a call when it is its time. */
export function inOrder(k: KernelContext, number: number, call: () => void): void {
  if (!isOrdered(k)) return call();
  if (number === Sys.switchTo) return nextSegment(k);
  const mine = taskField(k, current(k), Task.nextCall);
  waitFor(k, mine);
  call();
  // Behind its last segment a thread has no number any more: it waits until all others are there.
  if (mine !== NONE) setTask(k, current(k), Task.nextCall, mine + 1);
  wakeOrdered(k);
}

/** A new task, or one that has become another program, is at its first segment. */
export function startOrder(k: KernelContext, task: number, process: number, thread: number): void {
  if (!k.guest.ordered) return;
  setTask(k, task, Task.segment, 0);
  setTask(k, task, Task.nextCall, segmentOf(k, process, thread, 0).first);
}

/** The first thing that a thread does. */
export function awaitStart(k: KernelContext): void {
  if (isOrdered(k)) awaitSegment(k, 0);
}

/** Threads that wait for this one's process look again. */
export function wakeOrdered(k: KernelContext): void {
  if (!k.guest.ordered) return;
  k.call(() => {
    const mm = taskField(k, current(k), Task.mm);
    k.follow(taskAt(0), (task) => {
      const waits =
        taskField(k, task, Task.state) === TaskState.WaitingOrder &&
        taskField(k, task, Task.mm) === mm &&
        taskField(k, task, Task.awaits) <= earliestCall(k, mm);
      if (waits) makeRunnable(k, task);
      return nextTask(k, task);
    });
    return 0;
  });
}

/** In the original run others went on here, and this thread later. */
function nextSegment(k: KernelContext): void {
  const me = current(k);
  const segment = taskField(k, me, Task.segment) + 1;
  setTask(k, me, Task.segment, segment);
  const process = taskField(k, me, Task.process);
  const { first } = segmentOf(k, process, taskField(k, me, Task.thread), segment);
  setTask(k, me, Task.nextCall, first);
  wakeOrdered(k);
  awaitSegment(k, segment);
}

function awaitSegment(k: KernelContext, segment: number): void {
  const me = current(k);
  const process = taskField(k, me, Task.process);
  waitFor(k, segmentOf(k, process, taskField(k, me, Task.thread), segment).behind);
}

/** Until all calls of the process with a number below this one are made. */
function waitFor(k: KernelContext, call: number): void {
  k.until(() => {
    const me = current(k);
    if (earliestCall(k, taskField(k, me, Task.mm)) >= call) return 1;
    setTask(k, me, Task.awaits, call);
    setTask(k, me, Task.state, TaskState.WaitingOrder);
    schedule(k);
    return 0;
  });
}

/** The earliest that a thread of the process has before it, NONE if none has. */
const earliestCall = (k: KernelContext, mm: number): number =>
  k.call(() => {
    let earliest = NONE;
    for (let task = taskAt(0); task !== 0; task = nextTask(k, task)) {
      if (taskField(k, task, Task.mm) !== mm) continue;
      const state = taskField(k, task, Task.state);
      if (state === TaskState.Free || state === TaskState.Zombie) continue;
      earliest = Math.min(earliest, taskField(k, task, Task.nextCall));
    }
    return earliest;
  });

/** Slots are taken from the first on, so behind one that never had a task there is none. */
function nextTask(k: KernelContext, task: number): number {
  const next = task + TASK_BYTES;
  return next < taskAt(MAX_TASKS) && taskField(k, next, Task.pid) !== 0 ? next : 0;
}

const isOrdered = (k: KernelContext): boolean =>
  k.guest.ordered && orderOf(k, taskField(k, current(k), Task.process)) !== undefined;

const orderOf = (k: KernelContext, process: number) => k.guest.program.processes[process]?.order;

/** Behind its last segment a thread is after everything, and waits for nothing to get there. */
function segmentOf(k: KernelContext, process: number, thread: number, segment: number) {
  const numbers = orderOf(k, process)?.[thread] ?? [];
  return { first: numbers[2 * segment] ?? NONE, behind: numbers[2 * segment + 1] ?? 0 };
}
