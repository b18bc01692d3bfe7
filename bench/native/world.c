/*
 * The Switcher is used, not only mapped: registers are loaded and saved at the addresses
 * where the shadow tables show this CPU's two pages.
 */
#include "world.h"

#include "discipline.h"

enum { CANNOT_HAPPEN = 256, REGS_WORD = 0xfb8 >> 2, TRAPNUM = 11, SWITCHER_ACCESSES_OF_ROUND = 5 };
enum { CHANGED_IDT = 1, CHANGED_GDT = 2, CHANGED_GDT_TLS = 4, CHANGED_ALL = 3 };
enum { TLS_FIRST = 6, FIRST_EXTERNAL = 32, SYSCALL = 0x80 };

/* What a host CPU's state page holds. (shared/switcher-page.ts) */
struct state_page {
  u32 host_cr3, host_sp, sp1, ss1, unused[12];
  u32 gdt[GDT_ENTRIES * 2];
  u32 idt[IDT_ENTRIES * 2];
};

/* Of the traps below the interrupts, which are the host's: not those that it must see itself. */
static bool may_go_direct(u32 vector) {
  return vector != 2 && vector != 7 && vector != 8 && vector != 13 && vector != 14 &&
         vector != 0x1f;
}

static void copy_trap(const struct vcpu_record *record, struct state_page *state, u32 vector) {
  u32 high = record->idt[vector * 2 + 1];
  bool direct = high & 0x8000 && (high >> 8 & 0xf) == 0xf;
  state->idt[vector * 2] = direct ? record->idt[vector * 2] : 0;
  state->idt[vector * 2 + 1] = direct ? high : 0;
}

/* Those that never may go direct are left as they are, which is empty. */
static void copy_traps(const struct vcpu_record *record, struct state_page *state) {
  for (u32 vector = 0; vector < FIRST_EXTERNAL; vector++) {
    if (may_go_direct(vector)) copy_trap(record, state, vector);
  }
  copy_trap(record, state, SYSCALL);
}

/* Only what has changed, unless another vCPU was here last or this one elsewhere. */
static void copy_in_guest_info(struct vcpu *cpu, struct host_cpu *hand, struct state_page *state) {
  struct vcpu_record *record = cpu->record;
  u32 here = cpu->lg->host->this_cpu;
  if (hand->last_vcpu != cpu->number + 1 || record->last_pages != here) {
    hand->last_vcpu = cpu->number + 1;
    record->last_pages = here;
    record->changed = CHANGED_ALL;
    count(cpu->lg, COPIES_ALL);
  }
  state->host_cr3 = hand->cr3;
  state->sp1 = record->esp1;
  state->ss1 = record->ss1;
  if (record->changed & CHANGED_IDT) copy_traps(record, state);
  if (record->changed & CHANGED_GDT) memcpy(state->gdt, record->gdt, sizeof record->gdt);
  if (record->changed & (CHANGED_GDT | CHANGED_GDT_TLS)) {
    memcpy(state->gdt + TLS_FIRST * 2, record->tls, sizeof record->tls);
  }
  record->changed = 0;
}

/* A trap here finds nobody to handle it. */
static u32 *reach(struct mmu *mmu, u32 va, enum right right) {
  place at = translate(mmu, va, right);
  if (at < 0) oops("fault in the Switcher");
  return memory + at;
}

void enter_guest(struct vcpu *cpu, struct mmu *mmu) {
  struct guest *lg = cpu->lg;
  struct host *host = lg->host;
  u32 here = host->this_cpu;
  struct host_cpu *hand = host->cpus[here];
  u32 state_frame = host->first_switcher_frame + 2 + here * 2;
  copy_in_guest_info(cpu, hand, (struct state_page *)frame_start(state_frame));
  map_switcher_in_guest(cpu, here);
  enter(&hand->in_guest, cpu->record->cpu_pgd);
  store(frame_start(cpu->record->regs_page) + REGS_WORD + TRAPNUM, CANNOT_HAPPEN);

  u32 top = frame_of(memory + load(&lg->pgdirs[cpu->record->cpu_pgd]->pgdir));
  if (!load_cr3(mmu, top, lg->nx)) oops("fault in the Switcher: loading CR3");
  u32 *text = reach(mmu, host->switcher_addr, SUPERVISOR_FETCH);
  if (frame_of(text) != host->first_switcher_frame) oops("another page is the Switcher's text");
  u32 base = percpu_pages_addr(lg, here);
  reach(mmu, base + PAGE_SIZE, SUPERVISOR_READ);
  memcpy(hand->registers, reach(mmu, base + REGS_WORD * 4, SUPERVISOR_READ), REGISTERS * 4);
  count(lg, ENTRIES);
  record_event(host, EVENT_ENTRY, cpu->record->cpu_pgd, top, 0);
}

void leave_guest(struct vcpu *cpu, struct mmu *mmu) {
  struct guest *lg = cpu->lg;
  struct host_cpu *hand = mmu->cpu;
  u32 base = percpu_pages_addr(lg, lg->host->this_cpu);
  memcpy(reach(mmu, base + REGS_WORD * 4, SUPERVISOR_WRITE), hand->registers, REGISTERS * 4);
  const struct state_page *state =
      (const struct state_page *)reach(mmu, base + PAGE_SIZE, SUPERVISOR_READ);
  hand->cr3 = state->host_cr3;
  flush_tlb(mmu);
  leave(hand, &hand->in_guest);
  lg->counters[SWITCHER_ACCESSES] += SWITCHER_ACCESSES_OF_ROUND;
}
