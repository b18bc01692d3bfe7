/* A guest driven by hand, as in bench/guest.ts: a machine, and page tables to fault on. */
#ifndef RIG_H
#define RIG_H

#include "mmu.h"
#include "paging.h"

enum {
  /* Pages that a sweep touches: twice the TLB's entries, so that each page misses. */
  SWEEP = 1024,
  USER_ENTRY = PAGE_PRESENT | PAGE_RW | PAGE_USER,
  TOPS = 64,
};
#define NO_OPTION UINT32_MAX

/* How the vCPUs' pages lie to one another. */
enum sharing { SEPARATE, REGIONS, INTERLEAVED };

struct rig {
  u32 cpu_count;
  enum sharing sharing;
  /* Each host CPU's own view of the machine, its guest, its vCPU and its MMU. */
  struct host hosts[MAX_CPUS];
  struct guest guests[MAX_CPUS];
  struct vcpu vcpus[MAX_CPUS];
  struct mmu mmus[MAX_CPUS];
};

/* What stands as `name=` in the arguments; the second is for numbers. NULL or NO_OPTION without. */
const char *text_option(const char *name);
u32 option(const char *name);

/* A machine as the options say, its frames and its guest's memory; no page tables yet. */
void boot(struct rig *rig);
/* The first thread's own, with all vCPUs, for a script: a killed guest goes on. */
void boot_scripted(struct rig *rig);
/* The same with the sweep in the guest's own tables. */
void boot_hand_driven(struct rig *rig);

static inline u32 top(u32 i) { return (1 + i % TOPS) * PAGE_SIZE; }
/* The page that vCPU `v` faults as its `i`th. */
u32 sweep_page(const struct rig *rig, u32 v, u32 i);
static inline u32 page_address(u32 page) { return 0x08000000 + page * PAGE_SIZE; }
static inline entry sweep_entry(u32 i, u32 flags) { return make_entry(1024 + i, flags); }

/* Each of a vCPU's pages faults, for writing; returns how many there were. */
u32 fault_all(struct rig *rig, u32 v);
/* A host CPU's MMU on its vCPU's current shadow. */
struct mmu *mapped_mmu(struct rig *rig, u32 v);

#endif
