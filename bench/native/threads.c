/*
 * Faults on several host CPUs, a thread each: bench/several-cpus.ts and its worker.
 *
 * A round: what the round before mapped is flushed; all CPUs meet; each faults its own pages;
 * all meet again. Between the two meetings is what is measured, by CPU 0.
 */
#include <pthread.h>

#include "works.h"

/* What all CPUs write is on lines of their own. */
static struct {
  _Alignas(64) u32 arrived;
  _Alignas(64) u32 meetings;
  _Alignas(64) u32 jobs;
  u32 rounds, parties;
} shared;

static struct rig rig;

/* Looks before a CPU sleeps: longer than all faults of a round take, where both run. */
enum { SPINS = 500000, MEETING_PATIENCE_MS = 10 };

/* Whoever is met comes at once, and has a core of its own; if not, it is to have this one. */
static void meet(void) {
  u32 meeting = load(&shared.meetings);
  if (add(&shared.arrived, 1) + 1 == shared.parties) {
    store(&shared.arrived, 0);
    add(&shared.meetings, 1);
    wake(&shared.meetings, INT32_MAX);
    return;
  }
  for (u32 i = 0; i < SPINS; i++) {
    if (load(&shared.meetings) != meeting) return;
  }
  while (load(&shared.meetings) == meeting) {
    wait_while(&shared.meetings, meeting, MEETING_PATIENCE_MS);
  }
}

/* So many rounds of CPU `v`; returns the nanoseconds between the meetings. */
static double run_rounds(u32 v, u32 rounds) {
  struct guest *lg = &rig.guests[v];
  double ns = 0;
  for (u32 i = 0; i < rounds; i++) {
    if (v == 0 || rig.sharing == SEPARATE) {
      flush_user_mappings(lg, rig.vcpus[v].record->cpu_pgd);
    }
    meet();
    double start = now_ns();
    fault_all(&rig, v);
    meet();
    ns += now_ns() - start;
  }
  return ns;
}

static void *run_cpu(void *argument) {
  u32 v = *(const u32 *)argument;
  u32 job = 0;
  for (;;) {
    while (load(&shared.jobs) == job) wait_while(&shared.jobs, job, 1000);
    job = load(&shared.jobs);
    run_rounds(v, shared.rounds);
  }
  return NULL;
}

static void begin(void) {
  static u32 numbers[MAX_CPUS];
  boot_hand_driven(&rig);
  shared.parties = option("parties");
  for (u32 v = 1; v < shared.parties; v++) {
    pthread_t thread;
    numbers[v] = v;
    if (pthread_create(&thread, NULL, run_cpu, &numbers[v]) != 0) oops("no more threads");
  }
}

static double fault_together(u32 times, u64 *done) {
  shared.rounds = times;
  add(&shared.jobs, 1);
  wake(&shared.jobs, INT32_MAX);
  double ns = run_rounds(0, times);
  *done = (u64)times * shared.parties * SWEEP;
  return ns;
}

const struct work thread_works[] = {
    {.name = "faults-together", .begin = begin, .timed_itself = fault_together},
    {.name = NULL},
};
