/**
 * execve: a process becomes another program. Its other threads end, its memory goes, and
 * its number, its parent and its children stay.
 */

import type { KernelContext } from './context.ts';
import { Frame } from './frame.ts';
import { Task } from './layout.ts';
import { startOrder } from './order.ts';
import { emptyMm, endSiblings, firstState, join, mapImage, recordResult } from './process.ts';
import { current, setTask, taskField } from './tasks.ts';

/** A process that is not in the program is a call that only traps. */
export function exec(k: KernelContext, process: number): void {
  const image = k.guest.program.processes[process];
  if (image === undefined) return;
  const me = current(k);
  const mm = taskField(k, me, Task.mm);
  recordResult(k);
  endSiblings(k, me, mm);
  // Those that run on other vCPUs end when they enter the kernel.
  join(k);
  emptyMm(k, mm);
  setTask(k, me, Task.process, process);
  setTask(k, me, Task.thread, 0);
  startOrder(k, me, process, 0);
  mapImage(k, mm, image);
  k.setSaved(Frame.fs, process);
  k.setSaved(Frame.gs, 0);
  k.setSaved(Frame.esi, 0);
  k.setSaved(Frame.edi, firstState(process, 0));
}
