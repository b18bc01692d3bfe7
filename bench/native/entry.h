/*
 * Page table entries of both forms of 32-bit paging; without PAE the high half is 0.
 * (src/hardware/entry.ts)
 */
#ifndef ENTRY_H
#define ENTRY_H

#include "words.h"

typedef u64 entry;

enum {
  PAGE_PRESENT = 0x001,
  PAGE_RW = 0x002,
  PAGE_USER = 0x004,
  PAGE_ACCESSED = 0x020,
  PAGE_DIRTY = 0x040,
  PAGE_PSE = 0x080,
  PAGE_GLOBAL = 0x100,
  PAGE_FLAGS = 0xfff,
  PAGE_TABLE = PAGE_PRESENT | PAGE_RW | PAGE_USER | PAGE_ACCESSED | PAGE_DIRTY,
};
#define PAGE_NX (1ull << 63)

/* What differs between the forms: the program is compiled for one of them, as a kernel is. */
static const struct {
  bool pae;
  u32 entry_words, pgdir_shift, ptrs_per_pgd, ptrs_per_pmd, ptrs_per_pte, check_gpgd_mask;
} FORM = {
    .pae = PAE,
    .entry_words = PAE ? 2 : 1,
    .pgdir_shift = PAE ? 30 : 22,
    .ptrs_per_pgd = PAE ? 4 : 1024,
    .ptrs_per_pmd = PAE ? 512 : 1,
    .ptrs_per_pte = PAE ? 512 : 1024,
    .check_gpgd_mask = PAE ? PAGE_PRESENT : PAGE_TABLE,
};

enum { PMD_SHIFT = 21 };

static inline u32 flags_of(entry e) { return (u32)e & PAGE_FLAGS; }
static inline bool is_present(entry e) { return e & PAGE_PRESENT; }
/* Bits 12–43, and everything above bit 11. */
static inline u32 pte_pfn(entry e) { return (u32)(e >> PAGE_SHIFT); }
static inline u64 table_pfn(entry e) { return e >> PAGE_SHIFT; }
static inline entry make_entry(u32 pfn, u32 flags) { return (u64)pfn << PAGE_SHIFT | flags; }

static inline u32 pgd_index(u32 va) { return va >> FORM.pgdir_shift; }
static inline u32 pmd_index(u32 va) {
  return va >> PMD_SHIFT & (FORM.ptrs_per_pmd - 1);
}
static inline u32 pte_index(u32 va) {
  return va >> PAGE_SHIFT & (FORM.ptrs_per_pte - 1);
}

#endif
