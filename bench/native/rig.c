/*
 * (vii) Setting up: the machine, the guest's memory, its tables.
 * (shared/host.ts, src/paging/setup.ts)
 */
#include "rig.h"

#include <stdlib.h>

enum {
  FIRST_TABLE = 128,
  FIRST_PAGE = 1024,
  TABLES_OF_ONE = 16,
  SEED = 1,
};
/* Of a vCPU without tables: no top level is there. (shared/pgdir.ts) */
#define LINEAR 0xfffffffeu
#define KERNEL_ADDRESS 0xc0000000u
#define SWITCHER_ADDRESS 0xffc00000u

static bool scripted;

void kill_guest(struct vcpu *cpu, const char *reason) {
  if (!scripted) oops(reason);
  cpu->lg->record->dead = true;
}

/* Where a region begins, and the element `i` of one. */
static u32 *region(const char *name) {
  u32 at = option(name);
  if (at == NO_OPTION) oops("a region is missing");
  return memory + at;
}

static void *element(const char *name, const char *stride, u32 i, u64 size) {
  u32 words = option(stride);
  if (words == NO_OPTION || size > (u64)words * 4) oops("a record is smaller than it is here");
  return region(name) + (u64)i * words;
}

/* The host as CPU `cpu` sees it, or with the number of CPUs as the first thread does. */
static void make_host(struct host *host, u32 cpu, u32 cpu_count) {
  *host = (struct host){
      .this_cpu = cpu,
      .cpu_count = cpu_count,
      .switcher_addr = option("switcherAddr") == NO_OPTION ? SWITCHER_ADDRESS : option("switcherAddr"),
      .first_switcher_frame = option("firstFrame") + 1,
      .machine = (struct machine_record *)region("machine"),
      .frames = (struct frame *)region("frameTable"),
      .frame_cache = element("frameCaches", "frameCaches.stride", cpu, 64 * 4),
      .events = element("events", "events.stride", cpu, RING_HEADER * 4),
  };
  for (u32 i = 0; i < cpu_count; i++) {
    host->cpus[i] = element("hostCpus", "hostCpus.stride", i, sizeof(struct host_cpu));
  }
}

static enum discipline discipline_named(const char *name) {
  if (strcmp(name, "guest-lock") == 0) return GUEST_LOCK;
  if (strcmp(name, "pgdir-lock") == 0) return PGDIR_LOCK;
  if (strcmp(name, "lock-free") == 0) return LOCK_FREE;
  return AS_WRITTEN;
}

static void make_guest(struct guest *lg, struct host *host) {
  *lg = (struct guest){
      .host = host,
      .nx = FORM.pae,
      .discipline = discipline_named(text_option("discipline")),
      .pfn_limit = option("pages"),
      .record = (struct guest_record *)region("guests"),
      .map = region("launcherMap"),
      /* The first thread counts with the first CPU. */
      .counters = element("counters", "counters.stride", host->this_cpu % host->cpu_count, 32 * 8),
  };
  for (u32 i = 0; i < PGDIRS; i++) {
    lg->pgdirs[i] = element("pgdirs", "pgdirs.stride", i, sizeof(struct pgdir));
  }
}

/* Numbers of a vCPU's own. (shared/random.ts) */
static void seed_random(u32 *state, u32 stream) {
  u32 x = SEED ^ (stream + 1) * 0x9e3779b9u;
  for (u32 i = 0; i < 3; i++) {
    x = x * 69069u + 1;
    state[i] = x | 0x100;
  }
  for (u32 i = 0; i < 10; i++) {
    state[0] = (state[0] & 0xfffffffe) << 12 ^ ((state[0] << 13 ^ state[0]) >> 19);
    state[1] = (state[1] & 0xfffffff8) << 4 ^ ((state[1] << 2 ^ state[1]) >> 25);
    state[2] = (state[2] & 0xfffffff0) << 17 ^ ((state[2] << 3 ^ state[2]) >> 11);
  }
}

static u32 take(struct host *host, enum frame_kind kind, u32 owner) {
  u32 frame = allocate_frame(host, kind, owner);
  if (frame == NO_FRAME) oops("the machine's memory is too small");
  return frame;
}

/* All but the views of it: in `first` that of the first thread. */
static void boot_machine(struct rig *rig, struct host *first) {
  u32 cpus = option("cpuCount");
  u32 vcpus = option("vcpuCount");
  rig->cpu_count = cpus;
  total_frames = option("totalFrames");
  memory = make_memory((u64)total_frames * PAGE_WORDS);

  make_host(first, cpus, cpus);
  initialise_frames(first, option("firstFrame"), option("firstFrame") + 2 + 2 * cpus);
  for (u32 i = 0; i < cpus; i++) first->cpus[i]->generation = 1;
  for (u32 i = 0; i < vcpus; i++) {
    struct vcpu_record *record = element("vcpus", "vcpus.stride", i, sizeof(struct vcpu_record));
    record->regs_page = take(first, KIND_REGS, 0);
    record->last_pages = record->last_host_cpu = record->next_host_cpu = UINT32_MAX;
    record->changed = 3;
    seed_random(record->random, i);
  }
  enum vma state = option("copyOnWrite") == 1 ? VMA_COPY_ON_WRITE : VMA_READ_WRITE;
  for (u32 page = 0; page < option("pages"); page++) {
    u32 frame = option("firstFrame");
    if (state == VMA_READ_WRITE) frame = take(first, KIND_GUEST_PAGE, 0);
    region("launcherMap")[page] = frame << 2 | state;
  }
  first->machine->fail_after = UINT32_MAX;
  first->machine->alive_vcpus = vcpus;
}

static void make_vcpu(struct rig *rig, u32 i, u32 number, struct guest *lg) {
  rig->vcpus[i] = (struct vcpu){
      .lg = lg,
      .number = number,
      .record = element("vcpus", "vcpus.stride", number, sizeof(struct vcpu_record)),
  };
}

void boot_scripted(struct rig *rig) {
  static struct host_cpu none;
  scripted = true;
  boot_machine(rig, &rig->hosts[0]);
  rig->hosts[0].cpus[rig->cpu_count] = &none;
  make_guest(&rig->guests[0], &rig->hosts[0]);
  for (u32 i = 0; i < option("vcpuCount"); i++) make_vcpu(rig, i, i, &rig->guests[0]);
  rig->mmus[0].cpu = rig->hosts[0].cpus[0];
}

void boot(struct rig *rig) {
  u32 cpus = option("cpuCount");
  u32 vcpus = option("vcpuCount");
  struct host first;
  boot_machine(rig, &first);
  for (u32 i = 0; i < cpus; i++) {
    make_host(&rig->hosts[i], i, cpus);
    make_guest(&rig->guests[i], &rig->hosts[i]);
    /* With one vCPU for several CPUs it goes from one to the other. */
    make_vcpu(rig, i, vcpus == 1 ? 0 : i, &rig->guests[i]);
    rig->mmus[i].cpu = rig->hosts[i].cpus[i];
  }
}

void init_guest_pagetable(struct vcpu *cpu) {
  bool blank;
  if (!WITH_DEFECTS) cpu->record->cr3 = LINEAR;
  cpu->record->cpu_pgd = new_pgdir(cpu, cpu->record->cr3, &blank);
  cpu->record->linear_pages = true;
  if (!blank || !allocate_switcher_mapping(cpu, cpu->record->cpu_pgd)) oops("no memory");
}

static void write_guest(struct rig *rig, u32 gpa, entry e) {
  struct guest *lg = &rig->guests[0];
  set_entry(word_in_frame(lg->map[gpa >> PAGE_SHIFT] >> 2, gpa), e);
}

/* `pages` pages of the sweep under top level `t`, with tables from `first_table` on. */
static void map_sweep(struct rig *rig, u32 t, u32 first_table, u32 first_page, u32 pages) {
  u32 bytes = FORM.entry_words * 4;
  u32 base = page_address(0);
  u32 upper = top(t) + (base >> FORM.pgdir_shift) * bytes;
  if (FORM.pae) {
    u32 middle = first_table - 1;
    write_guest(rig, upper, make_entry(middle, PAGE_PRESENT));
    upper = middle * PAGE_SIZE + (base >> PMD_SHIFT & 511) * 8;
  }
  for (u32 i = 0; i < pages; i++) {
    u32 table = i / FORM.ptrs_per_pte;
    u32 at = (first_table + table) * PAGE_SIZE + i % FORM.ptrs_per_pte * bytes;
    write_guest(rig, at, make_entry(first_page + i, USER_ENTRY));
    if (i % FORM.ptrs_per_pte == 0) {
      write_guest(rig, upper + table * bytes, make_entry(first_table + table, PAGE_TABLE));
    }
  }
}

void boot_hand_driven(struct rig *rig) {
  boot(rig);
  const char *sharing = text_option("sharing");
  rig->sharing = strcmp(sharing, "regions") == 0       ? REGIONS
                 : strcmp(sharing, "interleaved") == 0 ? INTERLEAVED
                                                       : SEPARATE;
  u32 vcpus = option("vcpuCount");
  rig->guests[0].record->kernel_address = KERNEL_ADDRESS;
  init_guest_pagetable(&rig->vcpus[0]);
  rig->vcpus[0].record->linear_pages = false;
  if (rig->sharing == SEPARATE) {
    for (u32 v = 0; v < vcpus; v++) {
      map_sweep(rig, v, FIRST_TABLE + v * TABLES_OF_ONE, FIRST_PAGE + v * SWEEP, SWEEP);
    }
  } else {
    map_sweep(rig, 0, FIRST_TABLE, FIRST_PAGE, vcpus * SWEEP);
  }
  for (u32 v = 0; v < vcpus; v++) {
    guest_new_pagetable(&rig->vcpus[v], top(rig->sharing == SEPARATE ? v : 0));
  }
}

u32 sweep_page(const struct rig *rig, u32 v, u32 i) {
  if (rig->sharing == REGIONS) return v * SWEEP + i;
  return rig->sharing == INTERLEAVED ? i * rig->cpu_count + v : i;
}

u32 fault_all(struct rig *rig, u32 v) {
  u32 first = sweep_page(rig, v, 0);
  u32 step = sweep_page(rig, v, 1) - first;
  for (u32 i = 0; i < SWEEP; i++) {
    if (!demand_page(&rig->vcpus[v], page_address(first + i * step), FAULT_USER | FAULT_WRITE)) {
      oops("a page of the sweep should be mapped");
    }
  }
  return SWEEP;
}

struct mmu *mapped_mmu(struct rig *rig, u32 v) {
  struct guest *lg = &rig->guests[v];
  u32 shadow = load(&lg->pgdirs[rig->vcpus[v].record->cpu_pgd]->pgdir);
  load_cr3(&rig->mmus[v], frame_of(memory + shadow), lg->nx);
  return &rig->mmus[v];
}
