/*
 * The page table code, as far as it is measured, in its parts. (src/paging)
 *
 *   (i)  fault.c   (iii) set.c   (iv) switch.c   (v) flush.c   (vi) switcher.c   (vii) setup.c
 */
#ifndef PAGING_H
#define PAGING_H

#include "discipline.h"
#include "guest-memory.h"

/* What find_spte does about a missing level: flags for a new entry there. */
struct allocate {
  u32 pgd_flags, pmd_flags;
};

/* The shadow's last-level entry, or NULL. */
u32 *find_spte(struct vcpu *cpu, u32 pgdir, u32 va, const struct allocate *allocate);

static inline u32 *spgd_addr(struct vcpu *cpu, u32 pgdir, u32 va) {
  struct guest *lg = cpu->lg;
  u32 top = load(&lg->pgdirs[pgdir]->pgdir);
  if (top == 0) oops("null dereference: spgd_addr");
  return memory + top + pgd_index(va) * FORM.entry_words;
}

static inline u32 table_of(entry e) {
  must_exist(table_pfn(e));
  return (u32)table_pfn(e);
}

/* Entry `i` of the table that a shadow entry leads to. */
static inline u32 *entry_in(entry e, u32 i) {
  return frame_start(table_of(e)) + i * FORM.entry_words;
}

/* The same levels in the guest's own tables: guest-physical addresses. */
static inline u32 gpgd_addr(struct vcpu *cpu, u32 va) {
  struct guest *lg = cpu->lg;
  return load(&lg->pgdirs[cpu->record->cpu_pgd]->gpgdir) +
         pgd_index(va) * FORM.entry_words * 4;
}
static inline u32 gpmd_addr(entry gpgd, u32 va) {
  return (u32)table_pfn(gpgd) * PAGE_SIZE + pmd_index(va) * FORM.entry_words * 4;
}
static inline u32 gpte_addr(entry table, u32 va) {
  return (u32)table_pfn(table) * PAGE_SIZE + pte_index(va) * FORM.entry_words * 4;
}

static inline void release_pte(struct guest *lg, entry e) {
  if (is_present(e)) put_frame(lg->host, pte_pfn(e));
}

/* Part (i): true when the fault is repaired, false when it is the guest's own. */
bool demand_page(struct vcpu *cpu, u32 va, u32 error_code);
entry gpte_to_spte(struct vcpu *cpu, entry gpte, bool write);
bool check_gpte(struct vcpu *cpu, entry gpte);

/* Part (iii). */
void guest_set_pte(struct vcpu *cpu, u32 gpgdir, u32 va, entry gpte);
void guest_set_pgd(struct vcpu *cpu, u32 gpgdir, u32 index);

/* Part (iv). `PGDIRS` is find_pgdir's "none". */
void guest_new_pagetable(struct vcpu *cpu, u32 pgtable);
u32 find_pgdir(struct guest *lg, u32 pgtable);
/* Returns the place, and whether it is a fresh page without kernel mappings. */
u32 new_pgdir(struct vcpu *cpu, u32 gpgdir, bool *blank);
/* The vCPU's next random number, and its stack mapped. */
u32 prandom(struct vcpu *cpu);
void pin_page(struct vcpu *cpu, u32 va);
void pin_stack_pages(struct vcpu *cpu);

/* Part (v): top-level entries `from` … `to` − 1 and all below; a process's; everything. */
void release_pgds(struct guest *lg, u32 pgdir, u32 from, u32 to);
void flush_user_mappings(struct guest *lg, u32 pgdir);
void release_all_pagetables(struct guest *lg);
void guest_pagetable_clear_all(struct vcpu *cpu);

/* Part (vi), as written: in the pgdir that vCPUs share. */
void map_switcher_in_guest(struct vcpu *cpu, u32 host_cpu);
bool allocate_switcher_mapping(struct vcpu *cpu, u32 pgdir);
u32 percpu_pages_addr(const struct guest *lg, u32 host_cpu);
void map_necessities(struct vcpu *cpu, bool stack);

/* Part (vii). */
void init_guest_pagetable(struct vcpu *cpu);

#endif
