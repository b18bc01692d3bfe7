/*
 * (iii) Setting up a page table entry when the guest tells us one has changed.
 * (src/paging/set.ts)
 */
#include "paging.h"

/* Whether the guest has set already what the processor would set on the first access. */
static bool can_be_set_now(entry gpte) {
  if (!is_present(gpte) && !WITH_DEFECTS) return false;
  return gpte & (WITH_DEFECTS ? PAGE_ACCESSED | PAGE_DIRTY : PAGE_ACCESSED);
}

static entry spte_for(struct vcpu *cpu, entry gpte) {
  bool dirty = gpte & PAGE_DIRTY;
  entry shown = dirty || WITH_DEFECTS ? gpte : gpte & ~(entry)PAGE_RW;
  return gpte_to_spte(cpu, shown, dirty && (gpte & PAGE_RW || WITH_DEFECTS));
}

/* Returns what is to be released when nobody can reach it any more. */
static entry change_spte(struct vcpu *cpu, u32 *spte, entry gpte) {
  struct guest *lg = cpu->lg;
  entry old = read_entry(spte);
  if (WITH_DEFECTS) release_pte(lg, old);
  entry fresh = 0;
  if (can_be_set_now(gpte)) {
    if (check_gpte(cpu, gpte)) fresh = spte_for(cpu, gpte);
    else if (WITH_DEFECTS) return 0;
  }
  if (!WITH_DEFECTS) return exchange_entry(spte, fresh);
  set_entry(spte, fresh);
  return 0;
}

static void do_set_pte(struct vcpu *cpu, u32 pgdir, u32 va, entry gpte) {
  struct guest *lg = cpu->lg;
  u32 *lock = hold_pgdir(lg, pgdir);
  add(&lg->pgdirs[pgdir]->changes, 1);
  u32 *spte = find_spte(cpu, pgdir, va, NULL);
  entry old = spte == NULL ? 0 : change_spte(cpu, spte, gpte);
  quiesce(lg, pgdir);
  release_pte(lg, old);
  let_go(lock);
}

void guest_set_pte(struct vcpu *cpu, u32 gpgdir, u32 va, entry gpte) {
  struct guest *lg = cpu->lg;
  if (va >= lg->host->switcher_addr) {
    kill_guest(cpu, "attempt to set pte into Switcher pages");
  } else if (va >= lg->record->kernel_address) {
    for (u32 i = 0; i < PGDIRS; i++) {
      if (load(&lg->pgdirs[i]->pgdir) != 0) do_set_pte(cpu, i, va, gpte);
    }
  } else {
    u32 pgdir = find_pgdir(lg, gpgdir);
    if (pgdir < PGDIRS) do_set_pte(cpu, pgdir, va, gpte);
  }
}

/* As written: the repair goes to the current pgdir. */
void guest_set_pgd(struct vcpu *cpu, u32 gpgdir, u32 index) {
  struct guest *lg = cpu->lg;
  if (index >= FORM.ptrs_per_pgd + WITH_DEFECTS) {
    kill_guest(cpu, "attempt to set pgd");
    return;
  }
  u32 pgdir = find_pgdir(lg, gpgdir);
  if (pgdir == PGDIRS) return;
  release_pgds(lg, pgdir, index, index + 1);
  if (!allocate_switcher_mapping(cpu, cpu->record->cpu_pgd)) {
    kill_guest(cpu, "cannot populate switcher mapping");
  }
  lg->pgdirs[pgdir]->last_host_cpu = UINT32_MAX;
}
