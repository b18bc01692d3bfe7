/* The MMU of one host CPU: a direct-mapped TLB in front of the walk. (src/mmu, src/hardware/access.ts) */
#ifndef MMU_H
#define MMU_H

#include "records.h"

enum right {
  SUPERVISOR_READ = 1,
  USER_READ = 2,
  SUPERVISOR_WRITE = 4,
  USER_WRITE = 8,
  SUPERVISOR_FETCH = 16,
  USER_FETCH = 32,
  ANY_USER = USER_READ | USER_WRITE | USER_FETCH,
  ANY_WRITE = SUPERVISOR_WRITE | USER_WRITE,
  ANY_FETCH = SUPERVISOR_FETCH | USER_FETCH,
};

enum fault {
  FAULT_PROTECTION = 1,
  FAULT_WRITE = 2,
  FAULT_USER = 4,
  FAULT_RESERVED = 8,
  FAULT_FETCH = 16
};

/* A word's index in memory, or a fault: −1 − error code. */
typedef int64_t place;

struct mmu {
  struct host_cpu *cpu;
};

/* Into the TLB by way of the tables. */
place fill_tlb(struct mmu *mmu, u32 va, enum right right);
/* Write CR3; false is a general-protection fault. */
bool load_cr3(struct mmu *mmu, u32 top, bool nx);
void flush_tlb(struct mmu *mmu);

static inline struct tlb_entry *tlb_entry_for(struct mmu *mmu, u32 va) {
  return &mmu->cpu->tlb[va >> PAGE_SHIFT & (TLB_ENTRIES - 1)];
}

static inline u32 tlb_key(struct mmu *mmu, u32 va) {
  return (va & ~(u32)(PAGE_SIZE - 1)) | mmu->cpu->generation;
}

static inline place word_of(u32 found, u32 va) {
  return (place)(found >> PAGE_SHIFT) * PAGE_WORDS + ((va & (PAGE_SIZE - 1)) >> 2);
}

/* The word of host memory behind an address, or a fault. */
static inline place translate(struct mmu *mmu, u32 va, enum right right) {
  struct tlb_entry *at = tlb_entry_for(mmu, va);
  u32 found = at->found;
  if (at->key == tlb_key(mmu, va) && found & right) return word_of(found, va);
  return fill_tlb(mmu, va, right);
}

#endif
