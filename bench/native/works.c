/* One thread's works: the loops of the lines in bench, as they stand there. */
#include "works.h"

#include "world.h"

static struct rig rig;

static void begin_unmapped(void) { boot_hand_driven(&rig); }

static void begin_mapped(void) {
  boot_hand_driven(&rig);
  fault_all(&rig, 0);
  mapped_mmu(&rig, 0);
}

/* Accesses that hit: bench/accesses.ts. */
enum { TO_A_PAGE = 8, HIT_PAGES = 64, HITS = TO_A_PAGE * HIT_PAGES };

static u32 hit_addresses[HITS];

static void begin_hits(void) {
  begin_mapped();
  for (u32 i = 0; i < HITS; i++) {
    u32 page = i / TO_A_PAGE;
    hit_addresses[i] = page_address(page) + page * 64 + i % TO_A_PAGE * 4;
    translate(&rig.mmus[0], hit_addresses[i], USER_WRITE);
  }
}

static u64 hit_load(void) {
  u32 sum = 0;
  for (u32 i = 0; i < HITS; i++) {
    place at = translate(&rig.mmus[0], hit_addresses[i], USER_READ);
    if (at >= 0) sum += memory[at];
  }
  sink ^= sum;
  return HITS;
}

static u64 hit_store(void) {
  for (u32 i = 0; i < HITS; i++) {
    place at = translate(&rig.mmus[0], hit_addresses[i], USER_WRITE);
    if (at >= 0) memory[at] = i;
  }
  return HITS;
}

static u64 miss(void) {
  place sum = 0;
  for (u32 i = 0; i < SWEEP; i++) sum += translate(&rig.mmus[0], page_address(i), USER_READ);
  sink ^= (u32)sum;
  return SWEEP;
}

/* Demand faults, with their share of a flush: bench/faults.ts. */
static u64 flush_and_fault(void) {
  flush_user_mappings(&rig.guests[0], rig.vcpus[0].record->cpu_pgd);
  return fault_all(&rig, 0);
}

/* SET_PTE: bench/set-pte.ts. */
static u64 set_all(u32 flags) {
  for (u32 i = 0; i < SWEEP; i++) {
    guest_set_pte(&rig.vcpus[0], top(0), page_address(i), sweep_entry(i, flags));
  }
  return SWEEP;
}

static void set_young(void) { set_all(USER_ENTRY | PAGE_ACCESSED | PAGE_DIRTY); }

static u64 set_pte(void) { return set_all(option("flags")); }

/* NEW_PGTABLE: bench/pgdirs.ts. */
static u64 new_pgtable_cached(void) {
  for (u32 i = 0; i < TOPS; i++) guest_new_pagetable(&rig.vcpus[0], top(0));
  return TOPS;
}

static u64 new_pgtable_evicting(void) {
  static u32 next;
  for (u32 i = 0; i < TOPS; i++) guest_new_pagetable(&rig.vcpus[0], top(next++));
  return TOPS;
}

/* The Switcher: bench/switcher.ts. */
enum { ROUNDS = 256 };

static u64 remap(void) {
  u32 cpus = option("alternate");
  for (u32 i = 0; i < ROUNDS; i++) map_switcher_in_guest(&rig.vcpus[i % cpus], i % cpus);
  return ROUNDS;
}

static u64 world_switch(void) {
  u32 cpus = option("alternate");
  for (u32 i = 0; i < ROUNDS; i++) {
    enter_guest(&rig.vcpus[i % cpus], &rig.mmus[i % cpus]);
    leave_guest(&rig.vcpus[i % cpus], &rig.mmus[i % cpus]);
  }
  return ROUNDS;
}

extern const struct work leaf_works[], thread_works[], trace_works[], script_works[];

static const struct work works[] = {
    {.name = "hit-load", .begin = begin_hits, .once = hit_load},
    {.name = "hit-store", .begin = begin_hits, .once = hit_store},
    {.name = "miss", .begin = begin_mapped, .once = miss},
    {.name = "fault", .begin = begin_unmapped, .once = flush_and_fault},
    {.name = "set-pte", .begin = begin_mapped, .prepare = set_young, .once = set_pte},
    {.name = "new-pgtable-cached", .begin = begin_unmapped, .once = new_pgtable_cached},
    {.name = "new-pgtable-evicting", .begin = begin_unmapped, .once = new_pgtable_evicting},
    {.name = "remap", .begin = begin_unmapped, .once = remap},
    {.name = "world-switch", .begin = begin_unmapped, .once = world_switch},
    {.name = NULL},
};

static const struct work *find_among(const struct work *list, const char *name) {
  for (; list->name != NULL; list++) {
    if (strcmp(list->name, name) == 0) return list;
  }
  return NULL;
}

const struct work *find_work(const char *name) {
  const struct work *found = find_among(works, name);
  if (found == NULL) found = find_among(leaf_works, name);
  if (found == NULL) found = find_among(thread_works, name);
  if (found == NULL) found = find_among(script_works, name);
  return found != NULL ? found : find_among(trace_works, name);
}
