/* (vi) Mapping the Switcher when the guest is about to run, as written. (src/paging/switcher.ts) */
#include "paging.h"

enum {
  KERNEL_RX = PAGE_PRESENT | PAGE_ACCESSED | PAGE_DIRTY | PAGE_GLOBAL,
  KERNEL = PAGE_PRESENT | PAGE_RW | PAGE_ACCESSED | PAGE_DIRTY,
  KERNEL_RO = PAGE_PRESENT | PAGE_ACCESSED | PAGE_DIRTY,
};

static u32 switcher_page_addr(const struct guest *lg, u32 page) {
  return lg->host->switcher_addr + page * PAGE_SIZE;
}

u32 percpu_pages_addr(const struct guest *lg, u32 host_cpu) {
  return switcher_page_addr(lg, 1 + host_cpu * 2);
}

static u32 *existing_spte(struct vcpu *cpu, u32 va) {
  u32 *spte = find_spte(cpu, cpu->record->cpu_pgd, va, NULL);
  if (spte == NULL) oops("null dereference: the Switcher's tables");
  return spte;
}

/* A page that is not to be executed, with a reference. */
static void map_page(struct vcpu *cpu, u32 va, u32 frame, u32 flags) {
  struct guest *lg = cpu->lg;
  u32 *spte = existing_spte(cpu, va);
  get_frame(lg->host, frame);
  set_entry(spte, make_entry(frame, flags) | (FORM.pae && lg->nx ? PAGE_NX : 0));
}

static void remove_switcher_percpu_map(struct vcpu *cpu, u32 host_cpu) {
  u32 base = percpu_pages_addr(cpu->lg, host_cpu);
  for (u32 i = 0; i < 2; i++) {
    u32 *spte = existing_spte(cpu, base + i * PAGE_SIZE);
    release_pte(cpu->lg, read_entry(spte));
    set_entry(spte, 0);
  }
}

void map_switcher_in_guest(struct vcpu *cpu, u32 host_cpu) {
  struct guest *lg = cpu->lg;
  struct host *host = lg->host;
  struct pgdir *pgdir = lg->pgdirs[cpu->record->cpu_pgd];
  if (!load(&pgdir->switcher_mapped)) oops("bug: map_switcher_in_guest");
  u32 last = load(&pgdir->last_host_cpu);
  if (last == host_cpu) {
    count(lg, REMAPS_CACHED);
    return;
  }
  count(lg, last == UINT32_MAX ? REMAPS_UNKNOWN : REMAPS_KNOWN);
  for (u32 i = 0; i < host->cpu_count; i++) {
    if (last == UINT32_MAX || i == last) remove_switcher_percpu_map(cpu, i);
  }
  u32 base = percpu_pages_addr(lg, host_cpu);
  map_page(cpu, base, cpu->record->regs_page, KERNEL);
  map_page(cpu, base + PAGE_SIZE, host->first_switcher_frame + 2 + host_cpu * 2, KERNEL_RO);
  store(&pgdir->last_host_cpu, host_cpu);
}

bool allocate_switcher_mapping(struct vcpu *cpu, u32 pgdir) {
  struct guest *lg = cpu->lg;
  if (!WITH_DEFECTS) return true;
  struct allocate allocate = {FORM.check_gpgd_mask, PAGE_TABLE};
  for (u32 i = 0; i < 1 + 2 * lg->host->cpu_count; i++) {
    u32 *spte = find_spte(cpu, pgdir, switcher_page_addr(lg, i), &allocate);
    if (spte == NULL) return false;
    if (i == 0 && !is_present(read_entry(spte))) {
      get_frame(lg->host, lg->host->first_switcher_frame);
      set_entry(spte, make_entry(lg->host->first_switcher_frame, KERNEL_RX));
    }
  }
  store(&lg->pgdirs[pgdir]->switcher_mapped, true);
  return true;
}
