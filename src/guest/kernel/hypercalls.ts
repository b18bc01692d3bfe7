/** How the guest kernel calls the host: at once, or through the asynchronous ring. */

import { Hypercall } from '../../../shared/hypercall.ts';
import { LguestData, RING_SLOTS, SLOT_FREE, SLOT_READY } from '../../../shared/lguest-data.ts';
import { type Gpa, toGpa } from '../../hardware/address.ts';
import type { Entry } from '../../hardware/entry.ts';
import type { KernelContext } from './context.ts';
import { LGUEST_DATA, LGUEST_DATA_STRIDE, NEXT_HCALL } from './layout.ts';

/** Physical address of this vCPU's `struct lguest_data`. */
export const lguestData = (k: KernelContext): Gpa => lguestDataOf(k.cpuId());

export const lguestDataOf = (vcpu: number): Gpa => toGpa(LGUEST_DATA + vcpu * LGUEST_DATA_STRIDE);

/**
 * `async_hcall`: put a call into the ring, to be done with the next hypercall. When the
 * ring is full the call is made at once, which empties the ring.
 */
export function asyncHypercall(
  k: KernelContext,
  number: number,
  a: number,
  b: number,
  c: number,
  d: number,
): void {
  const vcpu = k.cpuId();
  const data = lguestDataOf(vcpu);
  const next = k.va(NEXT_HCALL + vcpu * 4);
  const slot = k.load(next);
  const status = k.va(LguestData.hcallStatus(data, slot));
  if (k.load(status) !== SLOT_FREE) {
    k.hypercall(number, a, b, c, d);
    return;
  }
  k.storeBlock(k.va(LguestData.hcall(data, slot, 0)), [number, a, b, c, d]);
  k.store(status, SLOT_READY);
  k.store(next, (slot + 1) % RING_SLOTS);
}

/** Whether a changed entry is told at once, or with many others (arch_enter_lazy_mmu_mode). */
export type Telling = 'now' | 'lazily';

/** `lguest_pte_update`: say that a last-level entry has changed. */
export function tellPte(
  k: KernelContext,
  telling: Telling,
  pgd: number,
  address: number,
  entry: Entry,
): void {
  const low = entry.low >>> 0;
  const high = entry.high >>> 0;
  if (telling === 'now') {
    k.hypercall(Hypercall.SetPte, pgd, address, low, high);
    return;
  }
  k.call(() => {
    asyncHypercall(k, Hypercall.SetPte, pgd, address, low, high);
    return 0;
  });
}
