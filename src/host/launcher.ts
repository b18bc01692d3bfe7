/**
 * What the Launcher does before a guest runs and after it is dead
 * (tools/lguest and drivers/lguest/lguest_user.c).
 */

import { quiesceHost } from '../../shared/discipline.ts';
import type { Host } from '../../shared/host.ts';
import { Vma } from '../../shared/launcher-map.ts';
import { tooLittleMemory } from '../../shared/layout.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import { killGuest, type Lguest } from '../../shared/lguest.ts';
import { bootRegisters } from '../guest/kernel/kernel.ts';
import { type Gpa, gpfnOf, hex, NO_FRAME, pageOffset, toGpfn } from '../hardware/address.ts';
import { writeSaved } from './switcher.ts';
import { virtualizerOf } from './virtualization/ways.ts';

/** First page tables, and registers that point to the kernel's first instruction. */
export function launch(lg: Lguest): void {
  if (!virtualizerOf(lg).initialise(lg)) throw tooLittleMemory(lg.host.layout.config);
  lg.cpus[0]!.started = true;
  const registers = Object.entries(bootRegisters());
  for (const [reg, value] of registers) writeSaved(lg.cpus[0]!, Number(reg), value);
}

/** A NOTIFY of a page-aligned address with this bit discards the page. */
const DISCARD = 1;

/** Handle a notification; all but one kind are only counted. */
export function notified(cpu: LgCpu, address: Gpa): void {
  cpu.lg.countNotification();
  if (pageOffset(address) === DISCARD) discard(cpu, address);
}

/**
 * `madvise(MADV_DONTNEED)`: the frame is freed as soon as no shadow entry holds it, and the next
 * access of the page finds zeroes.
 */
function discard(cpu: LgCpu, address: Gpa): void {
  const { lg } = cpu;
  const page = gpfnOf(address);
  if (page >= lg.pfnLimit) return killGuest(cpu, `bad page to discard ${hex(address)}`);
  const virtualizer = virtualizerOf(lg);
  if (!virtualizer.mayDiscard(lg, page)) {
    return killGuest(cpu, `page ${page} is in use, and is to be discarded`);
  }
  const frame = lg.map.discard(page);
  if (frame === NO_FRAME) return;
  virtualizer.dropPage(lg, page);
  // The host's code on another CPU may be writing by the old state of the map.
  quiesceHost(lg);
  virtualizer.pageDropped(cpu);
  lg.host.frames.put(frame);
}

/** Free all that a dead guest had: page tables, memory, regs pages. */
export function close(host: Host, lg: Lguest): void {
  virtualizerOf(lg).free(lg);
  for (let page = 0; page < lg.pfnLimit; page++) lg.map.set(toGpfn(page), Vma.None);
  for (const cpu of lg.cpus) {
    host.frames.disown(cpu.regsPage);
    cpu.regsPage = NO_FRAME;
  }
}
