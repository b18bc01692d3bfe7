/* A mutual-exclusion lock in one word; a waiter sleeps at once. (shared/lock.ts) */
#ifndef LOCK_H
#define LOCK_H

#include "words.h"

enum { LOCK_PATIENCE_MS = 100 };
#define WAITERS 0x80000000u

void lock_slowly(u32 *lock, u32 holder);

static inline void acquire(u32 *lock, u32 holder) {
  if (!compare_exchange(lock, 0, holder + 1)) lock_slowly(lock, holder);
}

static inline void release(u32 *lock) {
  if (exchange(lock, 0) & WAITERS) wake(lock, 1);
}

static inline bool holding(const u32 *lock, u32 holder) {
  return (load(lock) & ~WAITERS) == holder + 1;
}

#endif
