/*
 * The walk, as the processor does it: plain loads, and a locked update of ACCESSED and
 * DIRTY where they are not set, which starts again when the entry has changed.
 */
#include "mmu.h"

enum { GENERATIONS = 0xfff };
/* Bits 36–62 of a PAE entry; bits 1, 2 and 5–8 of a PDPTE. */
#define RESERVED (0x7ffffff0ull << 32)
enum { PDPTE_RESERVED = 0x1e6 };

/* Not a frame and rights, nor a fault. */
#define AGAIN INT64_MIN

static u32 in_memory(u64 frame) {
  if (frame >= total_frames) oops("machine check: a walk past the end of memory");
  return (u32)frame;
}

static int64_t fault_with(u32 code) { return -1 - (int64_t)code; }

/* The error code but for Protection and Reserved. */
static u32 code_of(enum right right, bool nxe) {
  return (right & ANY_WRITE ? FAULT_WRITE : 0) | (right & ANY_USER ? FAULT_USER : 0) |
         (nxe && right & ANY_FETCH ? FAULT_FETCH : 0);
}

static u32 rights_of(u32 flags, bool no_execute) {
  u32 rights = SUPERVISOR_READ | SUPERVISOR_FETCH;
  if (flags & PAGE_RW) rights |= SUPERVISOR_WRITE;
  if (flags & PAGE_USER) {
    rights |= USER_READ | USER_FETCH;
    if (flags & PAGE_RW) rights |= USER_WRITE;
  }
  return no_execute ? rights & ~(u32)ANY_FETCH : rights;
}

static bool update(u32 *at, u32 old, u32 bits) {
  u32 wanted = old | bits;
  return wanted == old || compare_exchange(at, old, wanted);
}

/* A write through an entry cached with DIRTY clear must come back to set it. */
static int64_t cacheable(u32 frame, u32 rights, u32 pte) {
  return (int64_t)frame << PAGE_SHIFT | (pte & PAGE_DIRTY ? rights : rights & ~(u32)ANY_WRITE);
}

static int64_t walk_two_levels(struct host_cpu *cpu, u32 va, enum right right) {
  u32 code = code_of(right, false);
  u32 *pde_at = frame_start(cpu->cr3) + (va >> 22);
  u32 pde = load(pde_at);
  if (!(pde & PAGE_PRESENT)) return fault_with(code);
  u32 *pte_at = frame_start(in_memory(pde >> PAGE_SHIFT)) + (va >> PAGE_SHIFT & 1023);
  u32 pte = load(pte_at);
  if (!(pte & PAGE_PRESENT)) return fault_with(code);

  u32 rights = rights_of(pde & pte, false);
  if (!(rights & right)) return fault_with(code | FAULT_PROTECTION);
  u32 dirty = right & ANY_WRITE ? PAGE_DIRTY : 0;
  if (!update(pde_at, pde, PAGE_ACCESSED)) return AGAIN;
  if (!update(pte_at, pte, PAGE_ACCESSED | dirty)) return AGAIN;
  return cacheable(in_memory(pte >> PAGE_SHIFT), rights, pte | dirty);
}

static int64_t walk_three_levels(struct host_cpu *cpu, u32 va, enum right right) {
  bool nxe = cpu->cr4 & EFER_NXE;
  u32 code = code_of(right, nxe);
  u64 reserved = nxe ? RESERVED : RESERVED | PAGE_NX;

  u32 pdpte = cpu->pdpte[(va >> 30) * 2];
  if (!(pdpte & PAGE_PRESENT)) return fault_with(code);
  u32 *pde_at = frame_start(in_memory(pdpte >> PAGE_SHIFT)) + (va >> 21 & 511) * 2;
  u64 pde = load64(pde_at);
  if (!(pde & PAGE_PRESENT)) return fault_with(code);
  if (pde & reserved) return fault_with(code | FAULT_PROTECTION | FAULT_RESERVED);
  u32 *pte_at = frame_start(in_memory((u32)pde >> PAGE_SHIFT)) + (va >> PAGE_SHIFT & 511) * 2;
  u64 pte = load64(pte_at);
  if (!(pte & PAGE_PRESENT)) return fault_with(code);
  if (pte & reserved) return fault_with(code | FAULT_PROTECTION | FAULT_RESERVED);

  u32 rights = rights_of((u32)(pde & pte), (pde | pte) & PAGE_NX);
  if (!(rights & right)) return fault_with(code | FAULT_PROTECTION);
  u32 dirty = right & ANY_WRITE ? PAGE_DIRTY : 0;
  if (!update(pde_at, (u32)pde, PAGE_ACCESSED)) return AGAIN;
  if (!update(pte_at, (u32)pte, PAGE_ACCESSED | dirty)) return AGAIN;
  return cacheable(in_memory((u32)pte >> PAGE_SHIFT), rights, (u32)pte | dirty);
}

static int64_t walk(struct host_cpu *cpu, u32 va, enum right right) {
  for (;;) {
    int64_t found = cpu->cr4 & CR4_PAE ? walk_three_levels(cpu, va, right)
                                       : walk_two_levels(cpu, va, right);
    if (found != AGAIN) return found;
  }
}

place fill_tlb(struct mmu *mmu, u32 va, enum right right) {
  mmu->cpu->walks++;
  int64_t found = walk(mmu->cpu, va, right);
  struct tlb_entry *at = tlb_entry_for(mmu, va);
  if (found < 0) {
    if (at->key == tlb_key(mmu, va)) at->key = 0;
    return found;
  }
  at->key = tlb_key(mmu, va);
  at->found = (u32)found;
  return word_of((u32)found, va);
}

static bool load_pdptes(struct host_cpu *cpu, const u32 *top) {
  for (u32 i = 0; i < 4; i++) {
    u64 pdpte = load64(top + i * 2);
    if (pdpte & PAGE_PRESENT && pdpte & (PDPTE_RESERVED | RESERVED | PAGE_NX)) return false;
    cpu->pdpte[i * 2] = (u32)pdpte;
    cpu->pdpte[i * 2 + 1] = (u32)(pdpte >> 32);
  }
  return true;
}

bool load_cr3(struct mmu *mmu, u32 top, bool nx) {
  mmu->cpu->cr3 = top;
  mmu->cpu->cr4 = (FORM.pae ? CR4_PAE : 0) | (nx ? EFER_NXE : 0);
  flush_tlb(mmu);
  return !FORM.pae || load_pdptes(mmu->cpu, frame_start(top));
}

/* By counting the generation up, since an entry's key holds it. */
void flush_tlb(struct mmu *mmu) {
  if (mmu->cpu->generation < GENERATIONS) {
    mmu->cpu->generation++;
    return;
  }
  memset(mmu->cpu->tlb, 0, sizeof mmu->cpu->tlb);
  mmu->cpu->generation = 1;
}
