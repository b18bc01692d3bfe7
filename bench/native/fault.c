/* (i) Looking up a page table entry when the guest faults. (src/paging/fault.ts, entries.ts) */
#include "mmu.h"
#include "paging.h"

enum outcome { NOT_OURS, FIXED, AGAIN };

/* The upper entry at a place, filled in if it is missing and there are flags for it. */
static entry table_below(struct vcpu *cpu, u32 pgdir, u32 *at, bool fill_in, u32 flags) {
  struct guest *lg = cpu->lg;
  for (;;) {
    entry found = read_entry(at);
    if (is_present(found) || !fill_in) return found;
    u32 table = get_zeroed_page(lg, KIND_PAGE_TABLE);
    if (table == NO_FRAME) {
      kill_guest(cpu, "out of memory allocating a page table");
      return 0;
    }
    entry made = make_entry(table, flags);
    bool filled_in = true;
    if (WITH_DEFECTS) set_entry(at, made);
    else filled_in = compare_exchange_entry(at, found, made);
    if (filled_in) {
      add(&lg->pgdirs[pgdir]->version, 1);
      return made;
    }
    disown_frame(lg->host, table);
  }
}

u32 *find_spte(struct vcpu *cpu, u32 pgdir, u32 va, const struct allocate *allocate) {
  bool fill_in = allocate != NULL;
  u32 *spgd = spgd_addr(cpu, pgdir, va);
  entry table = table_below(cpu, pgdir, spgd, fill_in, fill_in ? allocate->pgd_flags : 0);
  if (!is_present(table)) return NULL;
  if (FORM.pae) {
    u32 *spmd = entry_in(table, pmd_index(va));
    table = table_below(cpu, pgdir, spmd, fill_in, fill_in ? allocate->pmd_flags : 0);
    if (!is_present(table)) return NULL;
  }
  return entry_in(table, pte_index(va));
}

bool check_gpte(struct vcpu *cpu, entry gpte) {
  if (!(flags_of(gpte) & PAGE_PSE) && pte_pfn(gpte) < cpu->lg->pfn_limit) return true;
  kill_guest(cpu, "bad page table entry");
  return false;
}

static bool check_table(struct vcpu *cpu, entry e, u32 allowed) {
  if (!(flags_of(e) & ~allowed) && table_pfn(e) < cpu->lg->pfn_limit) return true;
  kill_guest(cpu, "bad page directory entry");
  return false;
}

/* The same flags over the host's page number, with a reference taken. */
entry gpte_to_spte(struct vcpu *cpu, entry gpte, bool write) {
  struct guest *lg = cpu->lg;
  u32 flags = flags_of(gpte) & ~(u32)PAGE_GLOBAL;
  u32 frame = get_user_page(lg, pte_pfn(gpte), write, !WITH_DEFECTS);
  if (frame == NO_FRAME) {
    kill_guest(cpu, "failed to get page");
    return make_entry(UINT32_MAX, 0);
  }
  entry spte = make_entry(frame, flags);
  return !WITH_DEFECTS && lg->nx ? spte | (gpte & PAGE_NX) : spte;
}

/* As written: released and stored, whatever happens between. */
static void replace_unseen(struct vcpu *cpu, u32 *spte, entry gpte, bool write) {
  release_pte(cpu->lg, read_entry(spte));
  set_entry(spte, gpte_to_spte(cpu, gpte, write));
}

/* False when what the entry is made from may have changed: then nothing is left of it. */
static bool replace_spte(struct vcpu *cpu, u32 *spte, entry gpte, bool write, u32 changes) {
  struct guest *lg = cpu->lg;
  u32 pgdir = cpu->record->cpu_pgd;
  entry old = read_entry(spte);
  entry fresh = gpte_to_spte(cpu, gpte, write);
  if (old == fresh) {
    cpu->record->root_pgdir = UINT32_MAX;
    cpu->record->root_version = 0;
    release_pte(lg, fresh);
    return true;
  }
  if (!compare_exchange_entry(spte, old, fresh)) {
    release_pte(lg, fresh);
    return false;
  }
  if (is_present(old) && pte_pfn(old) != pte_pfn(fresh)) shoot_down(lg, pgdir);
  release_pte(lg, old);
  if (load(&lg->pgdirs[pgdir]->changes) == changes) return true;
  if (compare_exchange_entry(spte, fresh, 0)) {
    shoot_down(lg, pgdir);
    release_pte(lg, fresh);
  }
  return false;
}

/* As the processor does on its way down. A PAE top-level entry has no such bit. */
static void set_upper_accessed(struct vcpu *cpu, u32 va, entry gpgd, entry gpmd) {
  entry upper = FORM.pae ? gpmd : gpgd;
  if (flags_of(upper) & PAGE_ACCESSED) return;
  u32 at = FORM.pae ? gpmd_addr(gpgd, va) : gpgd_addr(cpu, va);
  lgcmpxchg(cpu, at, upper, upper | PAGE_ACCESSED);
}

static enum outcome try_demand_page(struct vcpu *cpu, u32 va, u32 error_code) {
  struct guest *lg = cpu->lg;
  u32 changes = load(&lg->pgdirs[cpu->record->cpu_pgd]->changes);
  bool linear = cpu->record->linear_pages;
  if (va >= lg->host->switcher_addr) return NOT_OURS;

  /* The levels above: made up while the guest has no tables. */
  entry gpgd = FORM.check_gpgd_mask;
  entry gpmd = PAGE_TABLE;
  if (!linear) {
    gpgd = lgread(cpu, gpgd_addr(cpu, va));
    if (!is_present(gpgd) || !check_table(cpu, gpgd, FORM.check_gpgd_mask)) return NOT_OURS;
    if (FORM.pae) {
      gpmd = lgread(cpu, gpmd_addr(gpgd, va));
      if (!is_present(gpmd) || !check_table(cpu, gpmd, PAGE_TABLE)) return NOT_OURS;
    }
  }
  u32 gpte_at = gpte_addr(FORM.pae ? gpmd : gpgd, va);
  entry gpte = (va & ~(u32)(PAGE_SIZE - 1)) | PAGE_RW | PAGE_PRESENT;
  if (!linear) gpte = lgread(cpu, gpte_at);
  if (!is_present(gpte)) return NOT_OURS;

  bool write = error_code & FAULT_WRITE;
  u32 allows = flags_of(gpte);
  if (!WITH_DEFECTS) allows &= flags_of(FORM.pae ? gpmd : gpgd);
  if (write && !(allows & PAGE_RW)) return NOT_OURS;
  if (error_code & FAULT_USER && !(allows & PAGE_USER)) return NOT_OURS;
  bool forbidden = lg->nx && gpte & PAGE_NX && !WITH_DEFECTS;
  if (error_code & FAULT_FETCH && forbidden) return NOT_OURS;
  if (!check_gpte(cpu, gpte)) return NOT_OURS;

  entry before = gpte;
  gpte |= write ? PAGE_ACCESSED | PAGE_DIRTY : PAGE_ACCESSED;

  struct allocate allocate = {flags_of(gpgd), flags_of(gpmd)};
  u32 *spte = find_spte(cpu, cpu->record->cpu_pgd, va, &allocate);
  if (spte == NULL) return NOT_OURS;

  /* A clean page is mapped read-only, so that the first write faults and can be seen. */
  bool dirty = gpte & PAGE_DIRTY;
  entry shown = dirty ? gpte : gpte & ~(entry)PAGE_RW;
  if (WITH_DEFECTS) {
    replace_unseen(cpu, spte, shown, dirty);
    if (!linear) lgwrite(cpu, gpte_at, gpte);
    return FIXED;
  }
  if (!linear && !lgcmpxchg(cpu, gpte_at, before, gpte)) return AGAIN;
  if (!replace_spte(cpu, spte, shown, dirty && gpte & PAGE_RW, changes)) return AGAIN;
  if (!linear) set_upper_accessed(cpu, va, gpgd, gpmd);
  return FIXED;
}

static enum outcome attempt(struct vcpu *cpu, u32 va, u32 error_code) {
  struct guest *lg = cpu->lg;
  if (lg->discipline == AS_WRITTEN) return try_demand_page(cpu, va, error_code);
  enum outcome outcome;
  if (lg->discipline == LOCK_FREE) {
    struct host_cpu *here = lg->host->cpus[lg->host->this_cpu];
    enter(&here->in_fault, cpu->record->cpu_pgd);
    outcome = try_demand_page(cpu, va, error_code);
    leave(here, &here->in_fault);
  } else {
    u32 *lock = hold_pgdir(lg, cpu->record->cpu_pgd);
    outcome = try_demand_page(cpu, va, error_code);
    let_go(lock);
  }
  return outcome;
}

bool demand_page(struct vcpu *cpu, u32 va, u32 error_code) {
  for (;;) {
    enum outcome outcome = attempt(cpu, va, error_code);
    if (outcome != AGAIN) return outcome == FIXED;
  }
}
