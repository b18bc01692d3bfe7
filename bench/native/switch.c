/* (iv) Switching page tables. (src/paging/switch.ts, pin.ts) */
#include "paging.h"

/* Tausworthe's generator; the state is the vCPU's own. (shared/random.ts) */
static u32 step(u32 *state, u32 a, u32 b, u32 mask, u32 d) {
  u32 s = *state;
  return *state = (s & mask) << d ^ ((s << a ^ s) >> b);
}

u32 prandom(struct vcpu *cpu) {
  u32 *state = cpu->record->random;
  u32 a = step(state, 13, 19, 0xfffffffe, 12);
  u32 b = step(state + 1, 2, 25, 0xfffffff8, 4);
  u32 c = step(state + 2, 3, 11, 0xfffffff0, 17);
  return a ^ b ^ c;
}

u32 find_pgdir(struct guest *lg, u32 pgtable) {
  u32 i = 0;
  while (i < PGDIRS &&
         (load(&lg->pgdirs[i]->pgdir) == 0 || load(&lg->pgdirs[i]->gpgdir) != pgtable)) {
    i++;
  }
  return i;
}

/* The first from `start` on, in a circle, that nobody runs on. */
static u32 free_pgdir(struct guest *lg, u32 start) {
  if (WITH_DEFECTS) return start;
  for (u32 i = 0; i < PGDIRS; i++) {
    u32 index = (start + i) % PGDIRS;
    if (load(&lg->pgdirs[index]->users) == 0) return index;
  }
  return PGDIRS;
}

u32 new_pgdir(struct vcpu *cpu, u32 gpgdir, bool *blank) {
  struct guest *lg = cpu->lg;
  u32 index = free_pgdir(lg, prandom(cpu) % PGDIRS);
  *blank = false;
  if (index == PGDIRS) return index;
  struct pgdir *pgdir = lg->pgdirs[index];
  if (load(&pgdir->pgdir) == 0) {
    u32 frame = get_zeroed_page(lg, KIND_PAGE_TABLE);
    if (frame == NO_FRAME) oops("no memory for a pgdir");
    store(&pgdir->pgdir, frame * PAGE_WORDS);
    *blank = true;
  } else {
    record_event(lg->host, EVENT_EVICTED, index, load(&pgdir->gpgdir), gpgdir);
  }
  store(&pgdir->gpgdir, gpgdir);
  flush_user_mappings(lg, index);
  store(&pgdir->last_host_cpu, UINT32_MAX);
  return index;
}

static void let_go_of_pgdir(struct vcpu *cpu) {
  if (!cpu->record->holds_pgdir) return;
  cpu->record->holds_pgdir = false;
  add(&cpu->lg->pgdirs[cpu->record->cpu_pgd]->users, -1u);
}

static void take_pgdir(struct vcpu *cpu, u32 index) {
  if (index == PGDIRS) oops("all pgdirs are in use");
  cpu->record->cpu_pgd = index;
  /* As written nobody asks who runs on it. */
  if (WITH_DEFECTS) return;
  cpu->record->holds_pgdir = true;
  add(&cpu->lg->pgdirs[index]->users, 1);
  if (load(&cpu->lg->record->hungry) == cpu->number + 1) store(&cpu->lg->record->hungry, 0);
}

void pin_page(struct vcpu *cpu, u32 va) {
  u32 writable = PAGE_PRESENT | PAGE_RW;
  if (va < cpu->lg->host->switcher_addr) {
    u32 *spte = find_spte(cpu, cpu->record->cpu_pgd, va, NULL);
    if (spte != NULL && (flags_of(read_entry(spte)) & writable) == writable) return;
  }
  if (!demand_page(cpu, va, 2)) kill_guest(cpu, "bad stack page");
}

void pin_stack_pages(struct vcpu *cpu) {
  for (u32 i = 0; i < cpu->record->stack_pages; i++) {
    pin_page(cpu, cpu->record->esp1 - 1 - i * PAGE_SIZE);
  }
}

/* The Switcher in the current pgdir, if it is to be there and is not. */
static void map_switcher(struct vcpu *cpu) {
  struct guest *lg = cpu->lg;
  struct pgdir *pgdir = lg->pgdirs[cpu->record->cpu_pgd];
  if (!WITH_DEFECTS || load(&pgdir->pgdir) == 0 || load(&pgdir->switcher_mapped)) return;
  if (!allocate_switcher_mapping(cpu, cpu->record->cpu_pgd)) {
    kill_guest(cpu, "cannot populate switcher mapping");
  }
}

void map_necessities(struct vcpu *cpu, bool stack) {
  /* As written before the Switcher. */
  if (WITH_DEFECTS && stack) pin_stack_pages(cpu);
  map_switcher(cpu);
  if (!WITH_DEFECTS && stack) pin_stack_pages(cpu);
}

void guest_new_pagetable(struct vcpu *cpu, u32 pgtable) {
  struct guest *lg = cpu->lg;
  bool first = cpu->record->linear_pages;
  if (first) {
    release_all_pagetables(lg);
    cpu->record->linear_pages = false;
  }
  cpu->record->cr3 = pgtable;
  let_go_of_pgdir(cpu);
  u32 *lock = hold_pgdirs(lg);
  bool blank = false;
  u32 index = first ? (u32)PGDIRS : find_pgdir(lg, pgtable);
  if (index == PGDIRS) index = new_pgdir(cpu, pgtable, &blank);
  take_pgdir(cpu, index);
  let_go(lock);
  record_event(lg->host, EVENT_SWITCHED, cpu->record->cpu_pgd, pgtable, 0);
  /* As written only a blank pgdir gets the stack. */
  map_necessities(cpu, blank || !WITH_DEFECTS);
}
