/** `int 0x80`: the calls that change address spaces or tasks; others only trap. */

import { PAGE_SIZE } from '../../hardware/address.ts';
import { Prot, Sys } from '../program.ts';
import { deflate, inflate } from './balloon.ts';
import type { KernelContext } from './context.ts';
import { EntryPoint } from './entry-points.ts';
import { exec } from './exec.ts';
import { forkByChild } from './fork-by-child.ts';
import { Frame } from './frame.ts';
import { kill, pause } from './kill.ts';
import { Mm, PAGE_OFFSET, Task } from './layout.ts';
import { canMove, mremap } from './mremap.ts';
import { inOrder } from './order.ts';
import { waitForTables } from './page-table-lock.ts';
import { protectRange, unmapRange } from './page-tables.ts';
import { clone, exitGroup, exitThread, fork, join, switchToThread, wait4 } from './process.ts';
import { current, schedule, taskField } from './tasks.ts';
import { insertVma, pageAlign, protectVmas, removeVmas } from './vma.ts';

const EINVAL = -22;

export function systemCall(k: KernelContext): void {
  const number = k.saved(Frame.eax);
  inOrder(k, number, () => perform(k, number));
}

function perform(k: KernelContext, number: number): void {
  const a = k.saved(Frame.ebx);
  const b = k.saved(Frame.ecx);
  const c = k.saved(Frame.edx);
  switch (number) {
    case Sys.exit:
      return exitThread(k, b);
    case Sys.exitGroup:
      return exitGroup(k);
    case Sys.fork:
      return fork(k, a);
    case Sys.forkCopy:
      return fork(k, a, EntryPoint.ReturnToCopy);
    case Sys.forkByChild:
      return forkByChild(k, a);
    case Sys.pause:
      return pause(k);
    case Sys.kill:
      return kill(k, a);
    case Sys.mremap:
      if (!canMove(a, pageAlign(a + b), c)) return k.setSaved(Frame.eax, EINVAL);
      return onRange(k, a, b, (mm, start, end) => mremap(k, mm, start, end, c));
    case Sys.execve:
      return exec(k, a);
    case Sys.schedule:
      return schedule(k);
    case Sys.inflate:
      return inflate(k, a);
    case Sys.deflate:
      return deflate(k, a);
    case Sys.clone:
      return clone(k, b);
    case Sys.wait4:
      return k.setSaved(Frame.eax, wait4(k));
    case Sys.join:
      return join(k);
    case Sys.switchTo:
      return switchToThread(k, a);
    case Sys.brk:
      return brk(k, a);
    case Sys.mmap2:
      return onRange(k, a, b, (mm, start, end) => mmap(k, mm, start, end, c));
    case Sys.munmap:
      return onRange(k, a, b, (mm, start, end) => munmap(k, mm, start, end));
    case Sys.mprotect:
      return onRange(k, a, b, (mm, start, end) => {
        protectVmas(k, mm, start, end, c);
        protectRange(k, mm, start, end, c);
      });
    default:
      return;
  }
}

/** A range of user addresses, in whole pages; any other is refused. */
function onRange(
  k: KernelContext,
  start: number,
  length: number,
  body: (mm: number, start: number, end: number) => void,
): void {
  const end = pageAlign(start + length);
  if (start % PAGE_SIZE !== 0 || length === 0 || end > PAGE_OFFSET) {
    k.setSaved(Frame.eax, EINVAL);
    return;
  }
  const mm = taskField(k, current(k), Task.mm);
  waitForTables(k);
  body(mm, start, end);
  k.setSaved(Frame.eax, 0);
}

/** MAP_FIXED: earlier mappings are removed. */
function mmap(k: KernelContext, mm: number, start: number, end: number, prot: number): void {
  munmap(k, mm, start, end);
  insertVma(k, mm, start, end, prot);
}

function munmap(k: KernelContext, mm: number, start: number, end: number): void {
  unmapRange(k, mm, start, end);
  removeVmas(k, mm, start, end);
}

/** The first call says where the heap begins; later ones move its end. */
function brk(k: KernelContext, address: number): void {
  const mm = taskField(k, current(k), Task.mm);
  waitForTables(k);
  const end = pageAlign(address);
  const before = k.load(k.va(mm + Mm.brk));
  if (end > PAGE_OFFSET) return k.setSaved(Frame.eax, EINVAL);
  if (before !== 0 && end > before) mmap(k, mm, before, end, Prot.Read | Prot.Write);
  if (before !== 0 && end < before) munmap(k, mm, end, before);
  k.store(k.va(mm + Mm.brk), end);
}
