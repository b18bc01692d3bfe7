/* Locks, sections and quiet points: how vCPUs are kept apart. (shared/discipline.ts) */
#ifndef DISCIPLINE_H
#define DISCIPLINE_H

#include "lock.h"
#include "records.h"

enum { MAIL_LEAVE = 2, PATIENCE_MS = 20 };

void wait_until_out(struct host_cpu *cpu, struct section *section, u32 inside);

static inline u32 place_of(u32 pgdir) { return pgdir; }

static inline void enter(struct section *section, u32 pgdir) {
  store(&section->place, place_of(pgdir));
  add(&section->count, 1);
}

static inline void leave(struct host_cpu *cpu, struct section *section) {
  add(&section->count, 1);
  if (load(&cpu->mailbox) != 0) wake(&section->count, INT32_MAX);
}

/* A section's count if it lasts and is on this shadow, else 0. */
static inline u32 count_inside(struct section *section, u32 pgdir) {
  u32 inside = load(&section->count);
  return inside & 1 && load(&section->place) == place_of(pgdir) ? inside : 0;
}

/* Get every other CPU out of the guest that runs on a shadow. */
static inline void shoot_down(struct guest *lg, u32 pgdir) {
  struct host *host = lg->host;
  if (lg->discipline == AS_WRITTEN) return;
  for (u32 i = 0; i < host->cpu_count; i++) {
    if (i == host->this_cpu) continue;
    u32 inside = count_inside(&host->cpus[i]->in_guest, pgdir);
    if (inside == 0) continue;
    count(lg, SHOOTDOWNS);
    wait_until_out(host->cpus[i], &host->cpus[i]->in_guest, inside);
  }
}

/* Wait until nobody uses any more what was taken out of a shadow. */
static inline void quiesce(struct guest *lg, u32 pgdir) {
  struct host *host = lg->host;
  if (lg->discipline == AS_WRITTEN) return;
  for (u32 i = 0; i < host->cpu_count; i++) {
    if (i == host->this_cpu) continue;
    u32 inside = count_inside(&host->cpus[i]->in_fault, pgdir);
    if (inside != 0) wait_until_out(host->cpus[i], &host->cpus[i]->in_fault, inside);
  }
  shoot_down(lg, pgdir);
}

/* Take a lock unless this CPU has it, or the discipline has none; returns what `let_go` needs. */
static inline u32 *hold(struct guest *lg, u32 *lock) {
  if (lg->discipline == AS_WRITTEN || holding(lock, lg->host->this_cpu)) return NULL;
  if (acquire(lock, lg->host->this_cpu)) count(lg, LOCK_WAITS);
  count(lg, LOCK_TAKES);
  return lock;
}

static inline void let_go(u32 *lock) {
  if (lock != NULL) release(lock);
}

static inline u32 *hold_pgdir(struct guest *lg, u32 pgdir) {
  return hold(lg, lg->discipline == GUEST_LOCK ? &lg->record->lock : &lg->pgdirs[pgdir]->lock);
}

static inline u32 *hold_pgdirs(struct guest *lg) { return hold(lg, &lg->record->lock); }

#endif
