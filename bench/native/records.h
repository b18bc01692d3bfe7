/*
 * What lies in shared memory, and how one thread sees it. (shared/layout.ts, host.ts,
 * host-cpu.ts, lguest.ts, lg-cpu.ts, pgdir.ts, machine-record.ts, counters.ts)
 *
 * Where the regions are is told when the yardstick is started; what is in a record is here.
 */
#ifndef RECORDS_H
#define RECORDS_H

#include "entry.h"

enum { MAX_CPUS = 8, PGDIRS = 4, TLB_ENTRIES = 512, REGISTERS = 18 };
enum { EFER_NXE = 1 << 11, CR4_PAE = 1 << 5 };

struct machine_record {
  u32 stop, alive_vcpus, line0[14];
  u32 fail_after, line1[15];
  struct pool {
    u32 lock, fresh, head, length, rest[12];
  } pool;
  u32 line2[32];
  u32 allocations, failed_allocations;
};

/* Where a stretch of work begins and ends for others to see: the count is odd meanwhile. */
struct section {
  u32 count, place;
};

struct tlb_entry {
  u32 key, found;
};

struct host_cpu {
  u32 mailbox;
  struct section in_guest, in_fault, in_host;
  u32 line0[9];
  u32 scratch[2], cr3, cr2, generation, last_vcpu, running_vcpu, unused;
  u32 pdpte[8];
  u32 registers[20];
  u32 cr4, walks, inside, rest[9];
  struct tlb_entry tlb[TLB_ENTRIES];
};

struct pgdir {
  u32 gpgdir, pgdir, switcher_mapped, last_host_cpu;
  u32 lock, changes, users, version;
};

struct guest_record {
  u32 dead, kernel_address, unused[3], hungry, rest[8], lock;
};

enum { GDT_ENTRIES = 32, IDT_ENTRIES = 256, TLS_ENTRIES = 3 };

struct vcpu_record {
  u32 cpu_pgd, linear_pages, esp1, ss1, regs_page, last_pages, changed, hypercall;
  u32 next_hcall, pending_notify, halted, irqs_pending, clock_deadline, operations;
  u32 last_host_cpu, quantum, ts, lguest_data, stack_pages, cr3, random[3], started;
  u32 tls[TLS_ENTRIES * 2], unused[2];
  u32 gdt[GDT_ENTRIES * 2], idt[IDT_ENTRIES * 2];
  u32 root, root_pmd, switcher_table, switcher_host_cpu, parked, root_pgdir, root_version;
  u32 holds_pgdir, next_host_cpu;
};

/* Words of the frame table for each frame: twice its references, plus one while it is owned. */
struct frame {
  u32 count, kind, next, unused;
};

enum counter {
  ENTRIES = 0,
  FETCHES = 3,
  LOADS = 4,
  STORES = 5,
  MODIFIES = 6,
  FAULTS_FIXED = 8,
  FAULTS_PASSED_ON = 9,
  REMAPS_CACHED = 10,
  REMAPS_KNOWN = 11,
  REMAPS_UNKNOWN = 12,
  COPIES_ALL = 13,
  SWITCHER_ACCESSES = 17,
  CROSSINGS = 19,
  SHOOTDOWNS = 20,
  LOCK_TAKES = 21,
  LOCK_WAITS = 22,
  TABLE_PAGES = 23,
  COPIES_ON_WRITE = 24,
};

enum discipline { AS_WRITTEN, GUEST_LOCK, PGDIR_LOCK, LOCK_FREE };

/* All defects of the code as written, or none: as the program is compiled. */
enum { WITH_DEFECTS = !REPAIRED };

/* The host as one thread sees it; `this_cpu` is the number of CPUs for the first thread. */
struct host {
  u32 this_cpu, cpu_count;
  u32 switcher_addr, first_switcher_frame;
  struct machine_record *machine;
  struct frame *frames;
  u32 *frame_cache;
  u32 *events;
  /* The last is the first thread's, which has none, where it is made to do a CPU's work. */
  struct host_cpu *cpus[MAX_CPUS + 1];
};

struct guest {
  struct host *host;
  bool nx;
  enum discipline discipline;
  u32 pfn_limit;
  struct guest_record *record;
  struct pgdir *pgdirs[PGDIRS];
  u32 *map;
  double *counters;
};

struct vcpu {
  struct guest *lg;
  u32 number;
  struct vcpu_record *record;
};

static inline void count(struct guest *lg, enum counter what) { lg->counters[what] += 1; }

/* An event into this CPU's ring, with plain stores. (shared/events.ts) */
enum event { EVENT_ENTRY = 1, EVENT_SWITCHED = 11, EVENT_EVICTED = 12 };
enum { RING_EVENTS = 64, EVENT_WORDS = 6, RING_HEADER = 16 };

static inline void record_event(struct host *host, enum event kind, u32 a, u32 b, u32 c) {
  u32 *ring = host->events;
  u32 sequence = ring[0];
  u32 *at = ring + RING_HEADER + sequence % RING_EVENTS * EVENT_WORDS;
  at[0] = sequence + 1;
  at[1] = kind;
  at[2] = host->this_cpu < host->cpu_count ? host->cpus[host->this_cpu]->running_vcpu : 0;
  at[3] = a;
  at[4] = b;
  at[5] = c;
  ring[0] = sequence + 1;
}

/* The first reason is told, and the guest counts as dead from then on. */
void kill_guest(struct vcpu *cpu, const char *reason);

/* An entry of any table in host memory, whole. */
static inline entry read_entry(const u32 *at) {
  return FORM.pae ? load64(at) : load(at);
}
static inline void set_entry(u32 *at, entry e) {
  if (FORM.pae) store64(at, e);
  else store(at, (u32)e);
}
static inline entry exchange_entry(u32 *at, entry e) {
  return FORM.pae ? exchange64(at, e) : exchange(at, (u32)e);
}
static inline bool compare_exchange_entry(u32 *at, entry old, entry e) {
  return FORM.pae ? compare_exchange64(at, old, e) : compare_exchange(at, (u32)old, (u32)e);
}

#endif
