/** Processes and threads: fork, clone, exec, exit and wait. */

import { Hypercall, SHUTDOWN_POWEROFF } from '../../../shared/hypercall.ts';
import { PAGE_SHIFT } from '../../hardware/address.ts';
import { Selector } from '../processor.ts';
import { NONE, type ProcessImage } from '../program.ts';
import type { KernelContext } from './context.ts';
import { BODY, ENTRY_BYTES, EntryPoint } from './entry-points.ts';
import { FRAME_WORDS, Frame } from './frame.ts';
import {
  MAX_MMS,
  MAX_TASKS,
  MM_BYTES,
  MMS,
  Mm,
  NEXT_PID,
  PAGE_OFFSET,
  POWER_DOWN_TEXT,
  POWERING_OFF,
  RESULT,
  STACK_PADDING,
  Task,
  TaskState,
  TEXT,
  THREAD_SIZE,
} from './layout.ts';
import { awaitStart, startOrder, wakeOrdered } from './order.ts';
import { waitForTables } from './page-table-lock.ts';
import {
  copyPageTables,
  freeUserTables,
  pgdAlloc,
  pgdOf,
  putTable,
  unmapRange,
} from './page-tables.ts';
import { allocStack } from './pages.ts';
import { panic } from './panic.ts';
import {
  allocTask,
  current,
  findTask,
  findThread,
  makeRunnable,
  schedule,
  setTask,
  taskAt,
  taskField,
} from './tasks.ts';
import { kickMm } from './tlb.ts';
import { copyVmas, eachVma, insertVma, pageAlign, removeVmas } from './vma.ts';

/** −1: what wait4 returns to a process without children. */
const NO_CHILD = 0xffff_ffff;

/** The first register of a thread's computation: different for each. */
export const firstState = (process: number, thread: number): number =>
  (process << 16) ^ (thread << 8) ^ 1;

/** `mm_alloc`: an address space with nothing in it. */
export const allocMm = (k: KernelContext): number =>
  k.call(() => {
    let mm = 0;
    for (let i = 0; i < MAX_MMS && mm === 0; i++) {
      const candidate = MMS + i * MM_BYTES;
      if (k.load(k.va(candidate + Mm.users)) === 0) mm = candidate;
    }
    if (mm === 0) panic(k, 'out of address spaces');
    const pgd = pgdAlloc(k);
    k.storeBlock(k.va(mm), [1, pgd, 0, 0, 0]);
    return mm;
  });

/**
 * `copy_process`: a task that will start in `returnFromFork`, with the caller's user
 * registers except for what it is to run. Returns the task, not yet runnable.
 */
export const newTask = (
  k: KernelContext,
  mm: number,
  process: number,
  thread: number,
  parent: number,
  entry: number = EntryPoint.ReturnFromFork,
): number =>
  k.call(() => {
    const task = allocTask(k);
    const pid = k.load(k.va(NEXT_PID));
    k.store(k.va(NEXT_PID), pid + 1);
    // A slot keeps its stack when a task has been in it before.
    let top = taskField(k, task, Task.stackTop);
    if (top === 0) top = k.va((allocStack(k) << PAGE_SHIFT) + THREAD_SIZE - STACK_PADDING);
    const base = top - FRAME_WORDS * 4;
    const eip = PAGE_OFFSET + TEXT + entry * ENTRY_BYTES + BODY;
    const state = mm === 0 ? TaskState.Idle : TaskState.WaitingTurn;
    k.storeBlock(k.va(task), [state, pid, mm, process, thread, parent, base, base, eip, top]);
    startOrder(k, task, process, thread);
    k.store(top + STACK_PADDING - THREAD_SIZE, task);
    const frame = Array<number>(FRAME_WORDS).fill(0);
    frame[Frame.fs] = process;
    frame[Frame.gs] = thread;
    frame[Frame.edi] = firstState(process, thread);
    frame[Frame.cs] = Selector.UserCode;
    frame[Frame.ss] = Selector.UserData;
    frame[Frame.esp] = PAGE_OFFSET;
    k.storeBlock(base, frame);
    return task;
  });

/** clone: another thread of this process; on a single vCPU it waits for its turn in the trace. */
export function clone(k: KernelContext, thread: number): void {
  const me = current(k);
  const mm = taskField(k, me, Task.mm);
  if (thread === NONE || findThread(k, mm, thread) !== 0) return;
  k.store(k.va(mm + Mm.users), k.load(k.va(mm + Mm.users)) + 1);
  const parent = taskField(k, me, Task.parent);
  const task = newTask(k, mm, taskField(k, me, Task.process), thread, parent);
  if (k.guest.vcpus > 1) makeRunnable(k, task);
}

/**
 * fork: all of the address space is shared until one side writes. The child execs
 * `process` before anything else, unless `entry` is another.
 */
export function fork(
  k: KernelContext,
  process: number,
  entry: number = EntryPoint.ReturnFromFork,
): void {
  const me = current(k);
  const from = taskField(k, me, Task.mm);
  waitForTables(k);
  const mm = allocMm(k);
  copyVmas(k, from, mm);
  copyPageTables(k, from, mm);
  const child = newTask(k, mm, process, 0, me, entry);
  makeRunnable(k, child);
}

/** The first thing a new task does: a forked process becomes the program it is to run. */
export function returnFromFork(k: KernelContext): void {
  const me = current(k);
  const process = taskField(k, me, Task.process);
  if (process === NONE) return exitGroup(k);
  awaitStart(k);
  if (taskField(k, me, Task.thread) !== 0 || process === 0) return;
  const mm = taskField(k, me, Task.mm);
  emptyMm(k, mm);
  const image = k.guest.program.processes[process];
  if (image !== undefined) mapImage(k, mm, image);
}

/** exec: the regions of a program, and where its heap will be. */
export function mapImage(k: KernelContext, mm: number, image: ProcessImage): void {
  k.each(0, image.regions.length, (i) => {
    const { start, end, prot } = image.regions[i]!;
    insertVma(k, mm, start, pageAlign(end), prot);
  });
  k.store(k.va(mm + Mm.brk), image.brk ?? 0);
}

/** exit: this thread ends; the original run went on with thread `next`. */
export function exitThread(k: KernelContext, next: number): void {
  const me = current(k);
  const mm = taskField(k, me, Task.mm);
  const users = k.load(k.va(mm + Mm.users));
  if (users === 1) return exitGroup(k);
  recordResult(k);
  k.store(k.va(mm + Mm.users), users - 1);
  const heir = next === NONE ? 0 : findThread(k, mm, next);
  setTask(k, me, Task.state, TaskState.Free);
  wakeOrdered(k);
  wakeThread(k, mm, heir);
  schedule(k);
}

/** Make some thread of the process runnable, or none would ever run again. */
function wakeThread(k: KernelContext, mm: number, heir: number): void {
  const waits = (task: number): boolean =>
    taskField(k, task, Task.mm) === mm && taskField(k, task, Task.state) === TaskState.WaitingTurn;
  const next = heir !== 0 ? heir : findTask(k, waits);
  if (next !== 0 && waits(next)) makeRunnable(k, next);
}

/**
 * exit_group: the whole process. The first one's memory stays as it is, since the guest ends with
 * it.
 */
export function exitGroup(k: KernelContext): void {
  const me = current(k);
  recordResult(k);
  if (taskField(k, me, Task.mm) === MMS) return powerOff(k, me);
  const mm = taskField(k, me, Task.mm);
  endSiblings(k, me, mm);
  endTask(k, me, mm);
  schedule(k);
}

/** The last thread of a process, whose other threads end: it waits for its parent to ask. */
export function endTask(k: KernelContext, task: number, mm: number): void {
  const parent = taskField(k, task, Task.parent);
  if (k.load(k.va(mm + Mm.users)) > 1) {
    // Some still run on other vCPUs; the last of them does the rest.
    k.store(k.va(mm + Mm.users), k.load(k.va(mm + Mm.users)) - 1);
    return setTask(k, task, Task.state, TaskState.Free);
  }
  emptyMm(k, mm);
  setTask(k, task, Task.state, TaskState.Zombie);
  if (taskField(k, parent, Task.state) === TaskState.WaitingChild) makeRunnable(k, parent);
  const last = k.load(k.va(POWERING_OFF));
  if (last !== 0 && taskField(k, last, Task.state) === TaskState.WaitingChild) {
    makeRunnable(k, last);
  }
}

/** The first process outlives all others, also those that others left behind. */
function powerOff(k: KernelContext, me: number): void {
  if (k.guest.program.processes.length > 1) {
    endSiblings(k, me, MMS);
    join(k);
    k.store(k.va(POWERING_OFF), me);
    k.until(() => {
      const runs = (task: number): boolean =>
        task !== me && isAlive(k, task) && taskField(k, task, Task.mm) !== 0;
      if (findTask(k, runs) === 0) return 1;
      setTask(k, me, Task.state, TaskState.WaitingChild);
      schedule(k);
      return 0;
    });
  }
  // Changes of tables by kernel threads are reported first.
  waitForTables(k);
  for (;;) k.hypercall(Hypercall.Shutdown, POWER_DOWN_TEXT, SHUTDOWN_POWEROFF);
}

/** The other threads of a process: gone, or to go when they next enter the kernel. */
export function endSiblings(k: KernelContext, me: number, mm: number): void {
  k.each(0, MAX_TASKS, (i) => {
    const task = taskAt(i);
    if (task === me || !isAlive(k, task) || taskField(k, task, Task.mm) !== mm) return;
    const state = taskField(k, task, Task.state);
    if (state === TaskState.Running || state === TaskState.Dying) {
      setTask(k, task, Task.state, TaskState.Dying);
    } else {
      setTask(k, task, Task.state, TaskState.Free);
      k.store(k.va(mm + Mm.users), k.load(k.va(mm + Mm.users)) - 1);
    }
  });
  kickMm(k, mm);
}

/** A thread whose process has ended meanwhile goes no further. */
export function endIfDying(k: KernelContext): void {
  if (isDying(k)) exitThread(k, NONE);
}

/** Once it is so it stays so: it can be asked without the lock. */
export const isDying = (k: KernelContext): boolean =>
  taskField(k, current(k), Task.state) === TaskState.Dying;

export const isAlive = (k: KernelContext, task: number): boolean => {
  const state = taskField(k, task, Task.state);
  return state !== TaskState.Free && state !== TaskState.Zombie;
};

/** wait4: until a child has exited; its slot is free then. Returns its pid, or −1 for none. */
export const wait4 = (k: KernelContext): number =>
  k.until(() => {
    const me = current(k);
    const childThat = (is: (task: number) => boolean): number =>
      findTask(k, (task) => taskField(k, task, Task.parent) === me && is(task));
    const zombie = childThat((task) => taskField(k, task, Task.state) === TaskState.Zombie);
    if (zombie !== 0) {
      waitForTables(k);
      release(k, zombie);
      return taskField(k, zombie, Task.pid);
    }
    if (childThat((task) => isAlive(k, task)) === 0) return NO_CHILD;
    setTask(k, me, Task.state, TaskState.WaitingChild);
    schedule(k);
    return 0;
  });

/** `release_task`: its page table is not in use any more, and is freed, too. */
function release(k: KernelContext, zombie: number): void {
  const mm = taskField(k, zombie, Task.mm);
  const pgd = pgdOf(k, mm);
  k.mmu.unpinTable(k, pgd);
  putTable(k, pgd >>> PAGE_SHIFT);
  k.store(k.va(mm + Mm.users), 0);
  setTask(k, zombie, Task.state, TaskState.Free);
  setTask(k, zombie, Task.parent, 0);
}

/** join: until this is the last thread of its process. */
export function join(k: KernelContext): void {
  k.until(() => {
    const me = current(k);
    const mm = taskField(k, me, Task.mm);
    if (k.load(k.va(mm + Mm.users)) === 1) return 1;
    // On a single vCPU the others may be waiting to be scheduled.
    wakeThread(k, mm, 0);
    setTask(k, me, Task.state, TaskState.WaitingTurn);
    schedule(k);
    return 0;
  });
}

/** Where the original run went on with another thread; on several vCPUs they all go on. */
export function switchToThread(k: KernelContext, thread: number): void {
  if (k.guest.vcpus > 1) return;
  const me = current(k);
  const next = findThread(k, taskField(k, me, Task.mm), thread);
  if (next === 0 || next === me) return;
  setTask(k, me, Task.state, TaskState.WaitingTurn);
  makeRunnable(k, next);
  schedule(k);
}

/**
 * Add the thread's result to the guest's, independent of the order of exits. The progress of a
 * killed thread depends on the schedule, and does not count.
 */
export function recordResult(k: KernelContext): void {
  const me = current(k);
  if (isDying(k)) return;
  const who = firstState(taskField(k, me, Task.process), taskField(k, me, Task.thread));
  const share = Math.imul(k.saved(Frame.edi) ^ who, 0x9e37_79b1);
  k.store(k.va(RESULT), (k.load(k.va(RESULT)) + share) >>> 0);
}

/** `exit_mm`: all user pages, tables and areas. The top level stays. */
export function emptyMm(k: KernelContext, mm: number): void {
  k.call(() => {
    waitForTables(k);
    eachVma(k, mm, (start, end) => unmapRange(k, mm, start, end));
    freeUserTables(k, pgdOf(k, mm));
    removeVmas(k, mm, 0, PAGE_OFFSET);
    return 0;
  });
}
