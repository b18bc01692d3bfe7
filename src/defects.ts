/**
 * The defects of the code as written, by id. Each is a switch: on, the code does what the seed
 * does; off, what it should. All on is the code as written. `where` is the seed's function and
 * line. U… show with a single vCPU, R… need several.
 *
 * D… are not the seed's: they are bugs of the disciplines that repair it, found and fixed, and kept
 * as mutants. They change nothing in the code as written.
 *
 * See docs/decisions/defects-as-switches.md.
 */

export interface Defect {
  readonly title: string;
  readonly where: string;
  readonly consequence: string;
  /** The test that produces the consequence; undefined while no run has. */
  readonly confirmedBy: string | undefined;
}

/** By how many vCPUs, and in whose code: the first letter of an id. */
export const DEFECT_CLASSES = {
  U: 'Bugs that one vCPU triggers',
  R: 'Bugs that need several vCPUs of a guest',
  D: 'Bugs of the repair itself',
} as const;

const SCRIPTED = 'test/paging/repaired.test.ts';
const SEVERAL = 'test/paging/several-vcpus.test.ts';

const defect = (
  title: string,
  where: string,
  consequence: string,
  confirmedBy?: string,
): Defect => ({ title, where, consequence, confirmedBy });

export const DEFECTS = {
  U1: defect(
    'index just past the end of a top level',
    'guest_set_pgd, 989',
    'without PAE the first word of the next frame is taken for an entry, and the frame that ' +
      'it names is released',
    SCRIPTED,
  ),
  U2: defect(
    'the repair after SET_PGD goes to the current pgdir',
    'guest_set_pgd, 999–1005',
    'a cached pgdir without the Switcher: the next switch to it is a null dereference; the ' +
      'stack is not pinned again',
    SCRIPTED,
  ),
  U3: defect(
    'walks on through a level that is not there',
    'guest_pa, 672–679',
    'BUG_ON: the host dies with the guest',
    SCRIPTED,
  ),
  U4: defect(
    'ACCESSED without DIRTY is installed writable',
    'do_set_pte, 913–918',
    'DIRTY is lost, and a page not yet copied on write, even the zero page, can be written',
    SCRIPTED,
  ),
  U5: defect(
    'a refused entry leaves the released one in place',
    'do_set_pte, 905–915',
    'released a second time when the guest is freed',
    SCRIPTED,
  ),
  U6: defect(
    'PRESENT is not tested',
    'do_set_pte, 913',
    'an entry with ACCESSED that is not present takes a reference and keeps it for ever',
    SCRIPTED,
  ),
  U7: defect(
    'only the last level’s rights are checked',
    'demand_page, 448–460',
    'a stricter upper level makes the fault "fixed" again and again; its ACCESSED is never set',
    SCRIPTED,
  ),
  U8: defect(
    'the stack is pinned before the Switcher is mapped',
    'guest_pagetable_clear_all 810, guest_new_pagetable 853',
    'a shared upper level gets the guest’s flags, and the host may be unable to use its own ' +
      'Switcher',
    SCRIPTED,
  ),
  U9: defect(
    'a count that killed the guest is used anyway',
    'guest_set_stack',
    'up to four billion pages are pinned one by one',
    SCRIPTED,
  ),
  U10: defect(
    'the stack is pinned on a blank pgdir only',
    'guest_new_pagetable, 853',
    'after all was thrown away, a system call on another cached pgdir is a double fault',
    SCRIPTED,
  ),
  U11: defect(
    'flushing stops at the kernel’s top-level entry',
    'flush_user_mappings, 632',
    'user mappings below a kernel address inside that entry survive',
    SCRIPTED,
  ),
  U12: defect(
    'a dirty page is taken for writing though it is read-only',
    'demand_page 489, do_set_pte 918',
    'a needless copy, or the guest dies of a page that the Launcher made read-only',
    SCRIPTED,
  ),
  U13: defect(
    'flags are kept in 32 bits',
    'gpte_to_spte, 208',
    'NX is lost on the way into the shadow: data can be executed',
    SCRIPTED,
  ),
  U14: defect(
    'a page read first stays the zero page after it is written',
    'get_pfn, 193',
    'breaking copy-on-write changes one shadow entry; others go on reading the page of zeroes',
    SCRIPTED,
  ),

  R1: defect(
    'two faults on one shadow entry',
    'demand_page, 483–498',
    'both release the old page, both store: a double release and a leaked reference',
    SEVERAL,
  ),
  R2: defect(
    'the guest’s entry is read, then written back',
    'demand_page, 444 → 505',
    'another’s DIRTY is erased, or an entry that the guest has just cleared comes back',
    SEVERAL,
  ),
  R3: defect(
    'the page is released while it is still mapped',
    'demand_page 483 → 490, do_set_pte 905 → 924',
    'a write after free through another CPU’s TLB',
    SEVERAL,
  ),
  R4: defect(
    'both allocate the missing table',
    'find_spte, 304–359',
    'a leaked table and lost mappings',
    SEVERAL,
  ),
  R5: defect(
    'a table is freed before its entry is cleared',
    'release_pmd 569–574, release_pgd 613–618',
    'walkers use it after it is free; two releasers free it twice',
    SEVERAL,
  ),
  R6: defect(
    'no shootdown',
    'everywhere',
    'what was removed stays usable through the TLB of another CPU',
    SEVERAL,
  ),
  R7: defect(
    'clear-all repairs the caller’s pgdir alone',
    'release_all_pagetables 795, allocate_switcher_mapping 774',
    'a sibling meets the BUG_ON, or loses its Switcher inside the guest',
    SEVERAL,
  ),
  R8: defect(
    'acts for vCPU 0 instead of the caller',
    'guest_set_pgd 1001, guest_set_pmd 1013',
    'the caller’s stack and Switcher are not mapped again',
    SEVERAL,
  ),
  R9: defect(
    'the same host CPU is taken for the same vCPU',
    'map_switcher_in_guest, 1139',
    'two vCPUs on one pgdir and one CPU in turn: the second runs with the first one’s registers',
    SEVERAL,
  ),
  R10: defect(
    'one pgdir on two host CPUs',
    'map_switcher_in_guest, 1143–1149',
    'one removes the other’s pages from under it, and the host dies at the next trap',
    SEVERAL,
  ),
  R11: defect(
    'the victim is a pgdir that another vCPU runs on',
    'new_pgdir, 713–732',
    'that vCPU goes on in another process’s address space',
    SEVERAL,
  ),
  R12: defect(
    'two vCPUs bring in the same top level',
    'find_pgdir 689, new_pgdir 715',
    'two shadows of it, of which only the first gets the guest’s changes',
    SEVERAL,
  ),
  R13: defect(
    'last_host_cpu is overwritten',
    'map_switcher_in_guest, 1180',
    'some CPU’s pages are never removed, and references leak',
    SEVERAL,
  ),
  R14: defect(
    'only vCPU 0 is initialised',
    'guest_new_pagetable 832, init_guest_pagetable 1030',
    'the others start on pgdir 0, or wipe every table with their first NEW_PGTABLE',
    SEVERAL,
  ),
  R15: defect(
    'state of each vCPU is kept once per guest',
    'lguest_data, stack_pages',
    'one cr2 and one ring for all: a second LGUEST_INIT kills the guest',
    SEVERAL,
  ),
  R16: defect(
    'the regs page can be written by siblings',
    'map_switcher_in_guest, 1166',
    'a vCPU’s saved registers can be changed by another in ring 1',
    SEVERAL,
  ),
  R17: defect(
    'a pgdir may be reassigned before it is used',
    'guest_set_pte 964, guest_set_pgd 996',
    'a change reported for one page table is made in the shadow of another, which took its place',
    SEVERAL,
  ),

  D1: defect(
    'the stack is looked up in the shadow, not in the vCPU’s copy of its top level',
    'stackIsMapped',
    'that copy lacks a table that was just linked in: a system call is a double fault',
    SEVERAL,
  ),
  D2: defect(
    'a fault that began before a flush links a table in after it',
    'releasePgds, Comparison.run',
    'rights that an upper entry of the guest no longer gives stay in the shadow',
    'litmus/1-fault/D2-stricter-upper-entry.yaml',
  ),
  D3: defect(
    'one vCPU is started twice',
    'startCpu',
    'both fill in its record, the second while the vCPU already runs',
    'litmus/7-setup/D3-started-by-two.yaml',
  ),
  D4: defect(
    'a stack page is removed before it is mapped again',
    'changeSpte, Comparison, takeBack, stackMoved',
    'a vCPU inside the guest makes a system call between the two: a double fault',
    'litmus/2-pin/D4-stack-told-anew.yaml',
  ),
  D5: defect(
    'a fault takes a right away without a shootdown',
    'replaceSpte',
    'the TLB of another CPU still allows what the shadow no longer does',
    SEVERAL,
  ),
} as const satisfies Record<string, Defect>;

export type DefectId = keyof typeof DEFECTS;

export const ALL_DEFECTS = Object.keys(DEFECTS) as readonly DefectId[];

/** Those that take several vCPUs, and so a schedule. */
export const SCHEDULE_DEFECTS = ALL_DEFECTS.filter((id) => !id.startsWith('U'));

/** Which are on, for a guest. */
export type DefectSwitches = Readonly<Record<DefectId, boolean>>;

export const switchesFor = (on: readonly DefectId[]): DefectSwitches =>
  Object.fromEntries(ALL_DEFECTS.map((id) => [id, on.includes(id)])) as Record<DefectId, boolean>;

/**
 * Whether the Switcher hangs in the pgdirs, which vCPUs share, as written, and not in a
 * table of each vCPU's own: these defects are about nothing else.
 */
export const sharesSwitcher = (on: DefectSwitches): boolean =>
  on.U2 || on.U8 || on.R7 || on.R9 || on.R10 || on.R13 || on.R16;

/**
 * Whether a vCPU enters without checking that its kernel's stack is mapped: with these defects it
 * may be unmapped, and is not mapped again.
 */
export const trustsStack = (on: DefectSwitches): boolean => on.U2 || on.U10 || on.R7 || on.R8;
