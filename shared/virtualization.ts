/**
 * How a guest's addresses become the host's.
 *
 *  `shadow`  by tables of the host's, made from the guest's own (src/paging), as lguest did
 *  `direct`  by the guest's own tables, which hold host frames, and which it changes by
 *            hypercall only, as Xen's paravirtual guests do (src/direct)
 *  `nested`  by the guest's own tables, and all that they name by a table of the host's in
 *            turn, as processors do since 2007 (src/nested, src/mmu/nested-walk.ts)
 *
 * See docs/decisions/virtualization.md.
 */

export const VIRTUALIZATIONS = ['shadow', 'direct', 'nested'] as const;

export type Virtualization = (typeof VIRTUALIZATIONS)[number];
