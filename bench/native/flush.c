/* (v) Flushing (throwing away) page tables. (src/paging/flush.ts) */
#include "paging.h"

/* Most entries of one table. */
enum { MOST_ENTRIES = 1024 };

static void release_ptes(struct guest *lg, entry table) {
  u32 words = FORM.entry_words;
  u32 *at = entry_in(table, 0);
  for (u32 i = 0; i < FORM.ptrs_per_pte; i++) {
    if (at[i * words] & PAGE_PRESENT) release_pte(lg, read_entry(at + i * words));
  }
}

/* The last-level table that an entry leads to, with what it maps. */
static void release_last(struct guest *lg, entry e) {
  release_ptes(lg, e);
  disown_frame(lg->host, table_of(e));
}

/* The table that a top-level entry led to, and all below it. */
static void release_table(struct guest *lg, entry spgd) {
  if (!FORM.pae) {
    release_last(lg, spgd);
    return;
  }
  u32 *at = entry_in(spgd, 0);
  for (u32 i = 0; i < FORM.ptrs_per_pmd; i++) {
    if (!(at[i * 2] & PAGE_PRESENT)) continue;
    release_last(lg, read_entry(at + i * 2));
    set_entry(at + i * 2, 0);
  }
  disown_frame(lg->host, table_of(spgd));
}

/* As written: given back while they are part of the shadow still. */
static void release_unseen(struct guest *lg, u32 pgdir, u32 from, u32 to) {
  u32 words = FORM.entry_words;
  u32 *at = memory + load(&lg->pgdirs[pgdir]->pgdir);
  for (u32 i = from; i < to; i++) {
    if (!(at[i * words] & PAGE_PRESENT)) continue;
    release_table(lg, read_entry(at + i * words));
    set_entry(at + i * words, 0);
  }
  add(&lg->pgdirs[pgdir]->version, 1);
}

/* Take the present ones among entries out of a table; returns how many. */
static u32 unlink_entries(u32 *at, u32 from, u32 to, entry *unlinked) {
  u32 words = FORM.entry_words;
  u32 found = 0;
  for (u32 i = from; i < to; i++) {
    if (at[i * words] & PAGE_PRESENT) unlinked[found++] = exchange_entry(at + i * words, 0);
  }
  return found;
}

void release_pgds(struct guest *lg, u32 pgdir, u32 from, u32 to) {
  add(&lg->pgdirs[pgdir]->changes, 1);
  if (WITH_DEFECTS) {
    release_unseen(lg, pgdir, from, to);
    return;
  }
  entry unlinked[MOST_ENTRIES];
  u32 *top = memory + load(&lg->pgdirs[pgdir]->pgdir);
  u32 found = unlink_entries(top, from, to, unlinked);
  if (found > 0) add(&lg->pgdirs[pgdir]->version, 1);
  quiesce(lg, pgdir);
  for (u32 i = 0; i < found; i++) release_table(lg, unlinked[i]);
}

/* The user part of the top-level entry that user and kernel share. */
static void flush_below(struct guest *lg, u32 pgdir, u32 index) {
  u32 kernel = lg->record->kernel_address;
  u32 *top = memory + load(&lg->pgdirs[pgdir]->pgdir) + index * FORM.entry_words;
  entry last = read_entry(top);
  if (!is_present(last)) return;
  entry tables[MOST_ENTRIES], pages[MOST_ENTRIES];
  u32 table_count = 0;
  if (FORM.pae) {
    entry spgd = last;
    u32 end = pmd_index(kernel);
    table_count = unlink_entries(entry_in(spgd, 0), 0, end, tables);
    last = read_entry(entry_in(spgd, end));
  }
  u32 page_count = 0;
  if (is_present(last)) {
    page_count = unlink_entries(entry_in(last, 0), 0, pte_index(kernel), pages);
  }
  if (table_count > 0) add(&lg->pgdirs[pgdir]->version, 1);
  quiesce(lg, pgdir);
  for (u32 i = 0; i < table_count; i++) release_last(lg, tables[i]);
  for (u32 i = 0; i < page_count; i++) release_pte(lg, pages[i]);
}

void flush_user_mappings(struct guest *lg, u32 pgdir) {
  u32 *lock = hold_pgdir(lg, pgdir);
  u32 end = pgd_index(lg->record->kernel_address);
  release_pgds(lg, pgdir, 0, end);
  if (!WITH_DEFECTS) flush_below(lg, pgdir, end);
  let_go(lock);
}

void release_all_pagetables(struct guest *lg) {
  for (u32 i = 0; i < PGDIRS; i++) {
    struct pgdir *pgdir = lg->pgdirs[i];
    u32 *lock = hold_pgdir(lg, i);
    if (load(&pgdir->pgdir) != 0) {
      release_pgds(lg, i, 0, FORM.ptrs_per_pgd);
      pgdir->switcher_mapped = false;
      pgdir->last_host_cpu = UINT32_MAX;
    }
    let_go(lock);
  }
}

void guest_pagetable_clear_all(struct vcpu *cpu) {
  release_all_pagetables(cpu->lg);
  map_necessities(cpu, true);
}
