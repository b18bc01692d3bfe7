/**
 * What the Launcher does before a guest runs and after it is dead
 * (tools/lguest and drivers/lguest/lguest_user.c).
 */

import { NO_FRAME, toGpfn } from '../../shared/address.ts';
import type { Host } from '../../shared/host.ts';
import { Vma } from '../../shared/launcher-map.ts';
import { tooLittleMemory } from '../../shared/layout.ts';
import type { Lguest } from '../../shared/lguest.ts';
import { bootRegisters } from '../guest/kernel/kernel.ts';
import { allocatePrivateSwitcher } from '../paging/private-switcher.ts';
import { freeGuestPagetable, initGuestPagetable } from '../paging/setup.ts';
import { writeSaved } from './switcher.ts';

/** First page tables, and registers that point to the kernel's first instruction. */
export function launch(lg: Lguest): void {
  const hasSwitcher = lg.sharesSwitcher || lg.cpus.every(allocatePrivateSwitcher);
  if (initGuestPagetable(lg) !== 0 || !hasSwitcher) {
    throw tooLittleMemory(lg.host.layout.config);
  }
  lg.cpus[0]!.started = true;
  const registers = Object.entries(bootRegisters());
  for (const [reg, value] of registers) writeSaved(lg.cpus[0]!, Number(reg), value);
}

/** All that a dead guest had: page tables, memory, regs pages. */
export function close(host: Host, lg: Lguest): void {
  freeGuestPagetable(lg);
  for (let page = 0; page < lg.pfnLimit; page++) lg.map.set(toGpfn(page), Vma.None);
  for (const cpu of lg.cpus) {
    host.frames.disown(cpu.regsPage);
    cpu.regsPage = NO_FRAME;
  }
}
