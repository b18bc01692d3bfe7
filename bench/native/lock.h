/* A mutual-exclusion lock in one word; a waiter sleeps at once. (shared/lock.ts) */
#ifndef LOCK_H
#define LOCK_H

#include "words.h"

enum { LOCK_PATIENCE_MS = 100 };
#define WAITERS 0x80000000u

void lock_slowly(u32 *lock, u32 holder);

/* Whether somebody else had it and it was waited for. */
static inline bool acquire(u32 *lock, u32 holder) {
  if (compare_exchange(lock, 0, holder + 1)) return false;
  lock_slowly(lock, holder);
  return true;
}

static inline void release(u32 *lock) {
  if (exchange(lock, 0) & WAITERS) wake(lock, 1);
}

static inline bool holding(const u32 *lock, u32 holder) {
  return (load(lock) & ~WAITERS) == holder + 1;
}

#endif
