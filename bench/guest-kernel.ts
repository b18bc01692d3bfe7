/** What the guest's kernel takes for what it does, on a host CPU in this very thread. */

import * as access from '../src/hardware/access.ts';
import { mappedMmu } from './accesses.ts';
import { switches, workOfSwitch } from './growth/machines.ts';
import { pageAddress } from './guest.ts';
import { keep, type Line, repeated, type Side } from './pair.ts';

const { UserRead } = access.Right;

const PROCESSES = 2;
const SWITCHES = 64;

/**
 * As many accesses, and as many walks as the TLB is emptied for, in a loop that does nothing else:
 * no kernel that does as much can be faster.
 */
function accessesAlone(): Side {
  const { mmu } = mappedMmu('nonpae');
  const { accesses, walks } = workOfSwitch(PROCESSES);
  return repeated('its accesses and walks, and nothing else', () => {
    let sum = 0;
    for (let i = 0; i < SWITCHES; i++) {
      mmu.flush();
      for (let k = 0; k < accesses; k++) sum += mmu.translate(pageAddress(k % walks), UserRead);
    }
    keep(sum);
    return SWITCHES;
  });
}

export const guestKernelLines: readonly Line[] = [
  {
    name: 'context switch of the guest',
    unit: 'ns',
    goal: { of: 'value', most: 2000 },
    measured: () => switches(PROCESSES),
    baseline: accessesAlone,
  },
];
