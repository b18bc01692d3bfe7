/**
 * Requests to flush a TLB, from one vCPU to others (flush_tlb_others of arch/x86, in a paravirtual
 * guest): each vCPU has a word for the request, an interrupt notifies it, and clearing the word is
 * the acknowledgement.
 *
 * The requester holds the kernel lock while it waits, so there is one at a time. The others
 * acknowledge from the interrupt, or while they spin for the lock with interrupts off.
 *
 * See docs/decisions/guest-flushes.md.
 */

import { Hypercall } from '../../../shared/hypercall.ts';
import type { KernelContext } from './context.ts';
import { CPU_MMS, FLUSH_REQUESTS, FLUSHES_ASKED, Mm } from './layout.ts';

const FlushRequest = {
  None: 0,
  /** The user mappings of the vCPU's current page table. */
  User: 1,
  /** Everything: a kernel mapping has changed. */
  All: 2,
} as const;

const requestOf = (k: KernelContext, vcpu: number): number => k.va(FLUSH_REQUESTS + vcpu * 4);

/** An entry of this mm was taken away or restricted: flushMm has something to do. */
export function markStale(k: KernelContext, mm: number): void {
  if (k.guest.vcpus > 1) k.store(k.va(mm + Mm.stale), 1);
}

/** Flush before a page is reused, or a system call returns. */
export function flushMm(k: KernelContext, mm: number): void {
  if (k.guest.vcpus === 1) return;
  k.call(() => {
    const stale = k.va(mm + Mm.stale);
    if (k.load(stale) === 0) return 0;
    k.store(stale, 0);
    flushOthers(k, FlushRequest.User, (vcpu) => k.load(k.va(CPU_MMS + vcpu * 4)) === mm);
    return 0;
  });
}

/** `flush_tlb_kernel_range`: a kernel mapping is in every page table and on every vCPU. */
export function flushKernel(k: KernelContext): void {
  k.call(() => {
    k.mmu.flushTlb(k, 1);
    if (k.guest.vcpus > 1) flushOthers(k, FlushRequest.All, () => true);
    return 0;
  });
}

function flushOthers(k: KernelContext, what: number, concerns: (vcpu: number) => boolean): void {
  const me = k.cpuId();
  k.each(0, k.guest.vcpus, (vcpu) => {
    if (vcpu === me || !concerns(vcpu)) return;
    k.store(requestOf(k, vcpu), what);
    k.store(k.va(FLUSHES_ASKED), k.load(k.va(FLUSHES_ASKED)) + 1);
    k.hypercall(Hypercall.SendIpi, vcpu);
  });
  k.each(0, k.guest.vcpus, (vcpu) => {
    k.until(() => (k.load(requestOf(k, vcpu)) === FlushRequest.None ? 1 : 0));
  });
}

/** Handle a request to this vCPU, if there is one. */
export function answerFlush(k: KernelContext): void {
  k.call(() => {
    const request = requestOf(k, k.cpuId());
    const asked = k.load(request);
    if (asked === FlushRequest.None) return 0;
    k.mmu.flushTlb(k, asked === FlushRequest.All ? 1 : 0);
    k.store(request, FlushRequest.None);
    return 0;
  });
}

/** Have the other vCPUs that run a thread of this mm enter the kernel. */
export function kickMm(k: KernelContext, mm: number): void {
  if (k.guest.vcpus === 1) return;
  k.call(() => {
    const me = k.cpuId();
    k.each(0, k.guest.vcpus, (vcpu) => {
      if (vcpu === me || k.load(k.va(CPU_MMS + vcpu * 4)) !== mm) return;
      k.hypercall(Hypercall.SendIpi, vcpu);
    });
    return 0;
  });
}
