/*
 * Demand-zero, and copy-on-write of the zero page; its page tables are in guest memory and
 * told to the host by hypercall. What may be mapped is not looked up.
 */
#include "kernel.h"

#include <stdlib.h>

#include "world.h"

enum { USER_END = 0xc0000000 >> PAGE_SHIFT, FIRST_PAGE = 16, PROT_WRITE = 2 };
enum { YOUNG = PAGE_PRESENT | PAGE_USER | PAGE_ACCESSED };

static u32 fresh_page, zero_page, pgd;
static u32 *free_pages, free_count;

static u32 *guest_word(struct rig *rig, u32 gpa) {
  u32 frame = frame_for_host(&rig->guests[0], gpa >> PAGE_SHIFT, true);
  if (frame == NO_FRAME) oops("no memory behind a guest page");
  return word_in_frame(frame, gpa);
}

/* A zeroed page. */
static u32 alloc_page(struct rig *rig) {
  if (free_count == 0 && fresh_page == rig->guests[0].pfn_limit - 1) oops("the guest is full");
  u32 page = free_count > 0 ? free_pages[--free_count] : fresh_page++;
  memset(guest_word(rig, page * PAGE_SIZE), 0, PAGE_SIZE);
  return page;
}

void boot_kernel(struct rig *rig) {
  struct vcpu *cpu = &rig->vcpus[0];
  free(free_pages);
  free_pages = calloc(rig->guests[0].pfn_limit, sizeof *free_pages);
  free_count = 0;
  fresh_page = FIRST_PAGE;
  rig->guests[0].record->kernel_address = 0xc0000000;
  init_guest_pagetable(cpu);
  zero_page = alloc_page(rig);
  pgd = alloc_page(rig) * PAGE_SIZE;
  guest_new_pagetable(cpu, pgd);
  enter_guest(cpu, &rig->mmus[0]);
}

void world_round(struct rig *rig) {
  leave_guest(&rig->vcpus[0], &rig->mmus[0]);
  enter_guest(&rig->vcpus[0], &rig->mmus[0]);
}

/* Where the entry for an address is; a table that is missing is made if it may be, or 0. */
static u32 pte_address(struct rig *rig, u32 va, bool allocate) {
  struct vcpu *cpu = &rig->vcpus[0];
  u32 *pde = guest_word(rig, pgd + (va >> 22) * 4);
  if (!(*pde & PAGE_PRESENT)) {
    if (!allocate) return 0;
    *pde = (u32)make_entry(alloc_page(rig), PAGE_TABLE);
    leave_guest(cpu, &rig->mmus[0]);
    guest_set_pgd(cpu, pgd, va >> 22);
    enter_guest(cpu, &rig->mmus[0]);
  }
  return (*pde & ~(u32)PAGE_FLAGS) + (va >> PAGE_SHIFT & 1023) * 4;
}

void guest_page_fault(struct rig *rig, u32 va, bool write) {
  struct vcpu *cpu = &rig->vcpus[0];
  u32 *pte = guest_word(rig, pte_address(rig, va, true));
  u32 page = *pte >> PAGE_SHIFT;
  if (!(*pte & PAGE_PRESENT)) page = write ? alloc_page(rig) : zero_page;
  else if (!write || *pte & PAGE_RW) return;
  else if (page == zero_page) page = alloc_page(rig);
  *pte = (u32)make_entry(page, write ? YOUNG | PAGE_RW | PAGE_DIRTY : YOUNG);
  u32 told = *pte;
  leave_guest(cpu, &rig->mmus[0]);
  guest_set_pte(cpu, pgd, va & ~(u32)(PAGE_SIZE - 1), told);
  enter_guest(cpu, &rig->mmus[0]);
}

/* Each entry in use of a range; those that `change` alters are told to the host together. */
static void each_pte(struct rig *rig, u32 start, u32 length, u32 prot,
                     u32 (*change)(u32 pte, u32 prot)) {
  struct vcpu *cpu = &rig->vcpus[0];
  u32 from = start >> PAGE_SHIFT;
  u64 to = ((u64)start + length + PAGE_SIZE - 1) >> PAGE_SHIFT;
  if (start & (PAGE_SIZE - 1) || length == 0 || to > USER_END) return;
  leave_guest(cpu, &rig->mmus[0]);
  for (u32 page = from; page < to; page++) {
    u32 at = pte_address(rig, page * PAGE_SIZE, false);
    u32 *pte = at == 0 ? NULL : guest_word(rig, at);
    if (pte == NULL || *pte == 0) continue;
    *pte = change(*pte, prot);
    guest_set_pte(cpu, pgd, page * PAGE_SIZE, *pte);
  }
  enter_guest(cpu, &rig->mmus[0]);
}

static u32 without(u32 pte, u32 prot) {
  (void)prot;
  if (pte >> PAGE_SHIFT != zero_page) free_pages[free_count++] = pte >> PAGE_SHIFT;
  return 0;
}

/* Never makes an entry writable; the next write's fault does that. */
static u32 protected(u32 pte, u32 prot) {
  if (prot == 0) return (pte & ~(u32)PAGE_FLAGS) | PAGE_GLOBAL;
  u32 kept = (pte & ~(u32)PAGE_FLAGS) | YOUNG;
  return prot & PROT_WRITE && pte & PAGE_RW ? kept | PAGE_RW | (pte & PAGE_DIRTY) : kept;
}

void unmap_range(struct rig *rig, u32 start, u32 length) {
  each_pte(rig, start, length, 0, without);
}

void protect_range(struct rig *rig, u32 start, u32 length, u32 prot) {
  each_pte(rig, start, length, prot, protected);
}
