/**
 * How a guest's addresses become the host's.
 *
 *  `shadow`  by tables of the host's, made from the guest's own (src/paging), as lguest did
 *  `direct`  by the guest's own tables, which hold host frames and change by hypercall only, as
 *            in Xen's paravirtual guests (src/direct)
 *  `nested`  by the guest's own tables, and then by a second table of the host's, as processors
 *            do since 2007 (src/nested, src/mmu/nested-walk.ts)
 *
 * See docs/decisions/virtualization.md.
 */

export const VIRTUALIZATIONS = ['shadow', 'direct', 'nested'] as const;

export type Virtualization = (typeof VIRTUALIZATIONS)[number];
