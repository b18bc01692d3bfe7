/**
 * The defects of the code as written, by id. Each is a switch at its exact place: on, the
 * code does what the seed does; off, what it should. `where` is the seed's function and
 * line. test/paging/repaired.test.ts produces each consequence, and its absence.
 *
 * These are the ones that a single vCPU can meet. Those that take several (R…) are named
 * in comments where they are, and are always on.
 */

export interface Defect {
  readonly title: string;
  readonly where: string;
  readonly consequence: string;
  /** Whether it can be switched off yet; the others are always on. */
  readonly repaired: boolean;
}

const defect = (title: string, where: string, consequence: string, repaired = true): Defect => ({
  title,
  where,
  consequence,
  repaired,
});

export const DEFECTS = {
  U1: defect(
    'index just past the end of a top level',
    'guest_set_pgd, 989',
    'without PAE the first word of the next frame is taken for an entry, and what it names is released',
  ),
  U2: defect(
    'the repair after SET_PGD goes to the current pgdir',
    'guest_set_pgd, 999–1005',
    'a cached pgdir without the Switcher: the next switch to it is a null dereference; the stack is not pinned again',
  ),
  U3: defect(
    'walks on through a level that is not there',
    'guest_pa, 672–679',
    'BUG_ON: the host dies with the guest',
  ),
  U4: defect(
    'ACCESSED without DIRTY is installed writable',
    'do_set_pte, 913–918',
    'DIRTY is lost, and a page not yet copied on write, the zero page even, can be written',
  ),
  U5: defect(
    'a refused entry leaves the released one in place',
    'do_set_pte, 905–915',
    'released a second time when the guest is freed',
  ),
  U6: defect(
    'PRESENT is not tested',
    'do_set_pte, 913',
    'an entry with ACCESSED that is not present takes a reference and keeps it for ever',
  ),
  U7: defect(
    'only the last level’s rights are looked at',
    'demand_page, 448–460',
    'a stricter upper level makes the fault "fixed" again and again; its ACCESSED is never set',
  ),
  U8: defect(
    'the stack is pinned before the Switcher is mapped',
    'guest_pagetable_clear_all 810, guest_new_pagetable 853',
    'a shared upper level gets the guest’s flags, and the host may be unable to use its own Switcher',
  ),
  U9: defect(
    'a count that killed the guest is used all the same',
    'guest_set_stack',
    'up to four billion pages are pinned one by one',
  ),
  U10: defect(
    'the stack is pinned on a blank pgdir only',
    'guest_new_pagetable, 853',
    'after all was thrown away, a system call on another cached pgdir is a double fault',
  ),
  U11: defect(
    'flushing stops at the kernel’s top-level entry',
    'flush_user_mappings, 632',
    'user mappings below a kernel address inside that entry survive',
  ),
  U12: defect(
    'a dirty page is taken for writing though it is read-only',
    'demand_page 489, do_set_pte 918',
    'a needless copy, or the guest dies of a page that the Launcher made read-only',
  ),
  U13: defect(
    'flags are kept in 32 bits',
    'gpte_to_spte, 208',
    'NX is lost on the way into the shadow: data can be executed',
  ),
} as const satisfies Record<string, Defect>;

export type DefectId = keyof typeof DEFECTS;

export const ALL_DEFECTS = Object.keys(DEFECTS) as readonly DefectId[];

/** Which are on, for a guest. */
export type DefectSwitches = Readonly<Record<DefectId, boolean>>;

export const switchesFor = (on: readonly DefectId[]): DefectSwitches =>
  Object.fromEntries(ALL_DEFECTS.map((id) => [id, on.includes(id)])) as Record<DefectId, boolean>;
