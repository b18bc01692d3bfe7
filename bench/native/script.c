/*
 * Operations one by one, as they are told on stdin: recorded ones of the C code and others are done
 * here and by umbra, and both memories compared. (src/conformance/replay.ts)
 */
#include <stdio.h>
#include <stdlib.h>

#include "works.h"

static struct rig rig;

static void begin_script(void) { boot_scripted(&rig); }

static void set_vma(u32 first, u32 count, enum vma state) {
  struct guest *lg = &rig.guests[0];
  u32 zero = option("firstFrame");
  for (u32 page = first; page < first + count; page++) {
    u32 old = lg->map[page];
    u32 had = old >> 2;
    bool own = had != NO_FRAME && had != zero;
    u32 frame = zero;
    if (state == VMA_NONE) frame = NO_FRAME;
    else if (state != VMA_COPY_ON_WRITE && own) frame = had;
    else if (state != VMA_COPY_ON_WRITE) frame = allocate_frame(lg->host, KIND_GUEST_PAGE, 0);
    lg->map[page] = frame << 2 | state;
    if (own && frame != had) disown_frame(lg->host, had);
  }
}

static void guest_write(struct vcpu *cpu, u32 gpa, u32 value) {
  struct guest *lg = cpu->lg;
  u32 frame = address_ok(lg, gpa, 4) ? frame_for_host(lg, gpa >> PAGE_SHIFT, true) : NO_FRAME;
  if (frame == NO_FRAME) kill_guest(cpu, "bad write address");
  else store(word_in_frame(frame, gpa), value);
}

static void start(struct vcpu_record *record) {
  const struct vcpu_record *first = rig.vcpus[0].record;
  record->cpu_pgd = first->cpu_pgd;
  record->linear_pages = first->linear_pages;
  record->esp1 = first->esp1;
}

/* The processor's own view of a vCPU's shadow: an error code, or −1. */
static int64_t reach(struct vcpu *cpu, u32 va, enum right right) {
  struct guest *lg = cpu->lg;
  u32 top = load(&lg->pgdirs[cpu->record->cpu_pgd]->pgdir);
  load_cr3(&rig.mmus[0], frame_of(memory + top), lg->nx);
  place found = translate(&rig.mmus[0], va, right);
  return found < 0 ? -1 - found : -1;
}

/* What comes next in the vCPU's own random numbers picks the same pgdir as `number`. */
static void draw(struct vcpu *cpu, u32 number) {
  u32 *state = cpu->record->random, before[3];
  do {
    memcpy(before, state, sizeof before);
  } while (prandom(cpu) % PGDIRS != number % PGDIRS);
  memcpy(state, before, sizeof before);
}

/* `name` and its numbers, as recordings name them; what it returns, if anything. */
static int64_t apply(const char *line) {
  char name[32];
  u32 n[5] = {0};
  int length = 0;
  if (sscanf(line, "%31s%n", name, &length) != 1) oops("no operation");
  char *at = (char *)line + length;
  for (u32 i = 0; i < 5 && *at != 0; i++) n[i] = (u32)strtoul(at, &at, 10);
  struct vcpu *cpu = &rig.vcpus[n[0] % MAX_CPUS], *first = &rig.vcpus[0];
  struct guest *lg = &rig.guests[0];
#define IS(operation) (strcmp(name, operation) == 0)
  if (IS("setVma")) set_vma(n[0], n[1], n[2]);
  else if (IS("guestWrite")) guest_write(first, n[0], n[1]);
  else if (IS("initGuestPagetable")) {
    draw(first, 0);
    init_guest_pagetable(first);
  }
  else if (IS("kernelAddress")) lg->record->kernel_address = n[0];
  else if (IS("guestSetStack")) {
    cpu->record->esp1 = n[1];
    cpu->record->stack_pages = n[2];
    pin_stack_pages(cpu);
  } else if (IS("startCpu")) start(cpu->record);
  else if (IS("demandPage")) return demand_page(cpu, n[1], n[2]);
  else if (IS("access")) return reach(cpu, n[1], n[2]);
  else if (IS("pinPage")) pin_page(cpu, n[1]);
  else if (IS("guestSetPte")) guest_set_pte(cpu, n[1], n[2], (u64)n[4] << 32 | n[3]);
  else if (IS("guestSetPgd")) guest_set_pgd(first, n[0], n[1]);
  else if (IS("guestSetPmd")) guest_pagetable_clear_all(first);
  else if (IS("guestPagetableClearAll")) guest_pagetable_clear_all(cpu);
  else if (IS("guestNewPagetable")) {
    draw(cpu, n[2]);
    guest_new_pagetable(cpu, n[1]);
  } else if (IS("guestPagetableFlushUser")) flush_user_mappings(lg, cpu->record->cpu_pgd);
  else if (IS("mapSwitcherInGuest")) map_switcher_in_guest(cpu, n[1]);
  else oops("there is no such operation");
  return 0;
}

const struct work script_works[] = {
    {.name = "script", .begin = begin_script, .apply = apply},
    {.name = NULL},
};
