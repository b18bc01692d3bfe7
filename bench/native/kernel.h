/* A guest kernel of one process, as simple as can be. (src/guest/kernel) */
#ifndef KERNEL_H
#define KERNEL_H

#include "rig.h"
#include "trace.h"

/* Its first pages, and a page table with nothing in it that its vCPU runs on. */
void boot_kernel(struct rig *rig);
/* Out of the guest and in again. */
void world_round(struct rig *rig);
/* A page fault of the guest's own: the page is there afterwards. */
void guest_page_fault(struct rig *rig, u32 va, bool write);
/* What system calls do to the page tables. */
void unmap_range(struct rig *rig, u32 start, u32 length);
void protect_range(struct rig *rig, u32 start, u32 length, u32 prot);

#endif
