/*
 * Faults on several host CPUs, a thread each: bench/several-cpus.ts and its worker.
 *
 * A round: what the round before mapped is flushed; all CPUs meet; each faults its own pages;
 * all meet again. What is measured is from when the last came to the one meeting until the
 * last came to the other: that one CPU leaves a meeting late must not make a round shorter.
 */
#include <pthread.h>
#include <stdlib.h>

#include "works.h"

/* What all CPUs write is on lines of their own. */
static struct {
  _Alignas(64) u32 arrived;
  _Alignas(64) u32 meetings;
  _Alignas(64) u32 jobs;
  u32 rounds, parties;
  /* When the last came to the last meeting. */
  double met_at;
} shared;

static struct rig rig;

/* Looks before a CPU sleeps: longer than all faults of a round take, where both run. */
enum { SPINS = 500000, MEETING_PATIENCE_MS = 10 };

/* Whoever is met comes at once, and has a core of its own; if not, it is to have this one. */
static void meet(void) {
  u32 meeting = load(&shared.meetings);
  if (add(&shared.arrived, 1) + 1 == shared.parties) {
    store(&shared.arrived, 0);
    shared.met_at = now_ns();
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

/* So many rounds of CPU `v`; fills in the nanoseconds from meeting to meeting of each. */
static void run_rounds(u32 v, u32 rounds, double *ns) {
  struct guest *lg = &rig.guests[v];
  for (u32 i = 0; i < rounds; i++) {
    if (v == 0 || rig.sharing == SEPARATE) {
      flush_user_mappings(lg, rig.vcpus[v].record->cpu_pgd);
    }
    meet();
    double start = shared.met_at;
    fault_all(&rig, v);
    meet();
    if (ns != NULL) ns[i] = shared.met_at - start;
  }
}

static void *run_cpu(void *argument) {
  u32 v = *(const u32 *)argument;
  u32 job = 0;
  for (;;) {
    while (load(&shared.jobs) == job) wait_while(&shared.jobs, job, 1000);
    job = load(&shared.jobs);
    run_rounds(v, shared.rounds, NULL);
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

static int compare(const void *a, const void *b) {
  double difference = *(const double *)a - *(const double *)b;
  return (difference > 0) - (difference < 0);
}

/* The middle round: one in which something else had a core is no measure. */
static double fault_together(u32 times, u64 *done) {
  shared.rounds = times;
  add(&shared.jobs, 1);
  wake(&shared.jobs, INT32_MAX);
  double *ns = calloc(times, sizeof *ns);
  run_rounds(0, times, ns);
  qsort(ns, times, sizeof *ns, compare);
  double middle = ns[times / 2];
  free(ns);
  *done = (u64)times * shared.parties * SWEEP;
  return middle * times;
}

const struct work thread_works[] = {
    {.name = "faults-together", .begin = begin, .timed_itself = fault_together},
    {.name = NULL},
};
