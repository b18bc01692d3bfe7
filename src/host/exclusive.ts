/** What the host does to a guest's shadow for one of its vCPUs, and not for two at once. */

import { withGuest } from '../../shared/discipline.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import { guestNewPagetable } from '../paging/switch.ts';

/**
 * Run `body` under the guest's discipline, with the vCPU's own top level in a shadow:
 * since it was last here another vCPU may have taken that for a top level of its own.
 */
export function exclusively<T>(cpu: LgCpu, body: () => T): T {
  return withGuest(cpu, () => {
    reclaimPgdir(cpu);
    return body();
  });
}

function reclaimPgdir(cpu: LgCpu): void {
  const { lg } = cpu;
  if (lg.discipline === 'as-written' || cpu.linearPages || !cpu.started) return;
  if (lg.pgdirs[cpu.cpuPgd]!.gpgdir !== cpu.cr3) guestNewPagetable(cpu, cpu.cr3);
}
