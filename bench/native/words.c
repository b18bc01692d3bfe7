/* Memory and sleep: what needs the system underneath. */
#define _GNU_SOURCE
#include "words.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#endif

u32 *memory;
u32 total_frames;

u32 *make_memory(u64 words) {
  void *made = mmap(NULL, words * 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (made == MAP_FAILED) oops("no memory");
#ifdef MADV_NOHUGEPAGE
  madvise(made, words * 4, MADV_NOHUGEPAGE);
#endif
  return made;
}

void oops(const char *what) {
  fprintf(stderr, "yardstick: %s\n", what);
  exit(1);
}

#ifdef __linux__

void wait_while(u32 *at, u32 expected, u32 ms) {
  struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
  syscall(SYS_futex, at, FUTEX_WAIT_PRIVATE, expected, &time, NULL, 0);
}

void wake(u32 *at, u32 count) { syscall(SYS_futex, at, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0); }

#else

void wait_while(u32 *at, u32 expected, u32 ms) {
  (void)ms;
  if (load(at) == expected) sched_yield();
}

void wake(u32 *at, u32 count) { (void)at, (void)count; }

#endif
