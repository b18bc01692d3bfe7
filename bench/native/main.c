/*
 * The yardstick: what umbra's hot paths cost when they are written in C. It does the same
 * work on the same layouts, so that a figure of umbra's can be shown as a ratio to it.
 *
 *     words.h       one memory, plain and locked access     shared/words.ts
 *     entry.h       page table entries                      src/hardware/entry.ts
 *     records.h     what lies in shared memory              shared/layout.ts and what it names
 *     frames.c      frame table, allocator, Launcher's map  shared/frames.ts, launcher-map.ts
 *     discipline.h  locks, sections, quiet points           shared/discipline.ts
 *     mmu.c         TLB and walk                            src/mmu
 *     paging.h      the parts of the page table code        src/paging
 *     world.c       into the guest and out                  src/host/switcher.ts
 *     rig.c         a guest driven by hand                  bench/guest.ts
 *     works.c       what is measured                        accesses.ts, faults.ts, … in bench
 *     script.c      operations that are told one by one      src/conformance/replay.ts
 *     leaf.c        the same: operations on shared words    bench/words.ts
 *     threads.c     the same: faults on several CPUs        bench/several-cpus.ts
 *     replay.c      the same: a trace on one CPU            src/guest/user.ts
 *     trace.c       a trace's blocks, packed by inflate.c   src/guest/traces
 *     kernel.c      the guest of a trace, which is simpler  src/guest/kernel
 *
 * The same: layouts (4 KiB frames in one memory without huge pages, frame table, TLB of 512
 * entries, shadow and guest tables, PDPTEs, frame caches), every step of the paths, reference
 * counts by locked operations, all checks, sections and locks, counters, the event ring.
 * After the same work both memories are the same, word for word, and after the recorded operations
 * of the C code, too (tests see to that).
 *
 * Not the same: it is compiled for one form of paging, and with defects all on (as written, one
 * CPU) or all off, as a kernel is, and these are no switches;
 * the paths that end a guest (but of a script) or refuse an allocation end the yardstick; a plain store is one
 * of the processor's, as in the kernel, and not a locked exchange.
 *
 *     yardstick WORK name=value …      then on each line of stdin how often to do it,
 *                                      answered with: how many it did, nanoseconds, a sum;
 *                                      of `script` an operation, answered with its result;
 *                                      or `dump FILE`, which all of memory is written to
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "works.h"

static char **arguments;

const char *text_option(const char *name) {
  u64 length = strlen(name);
  for (char **at = arguments; *at != NULL; at++) {
    if (strncmp(*at, name, length) == 0 && (*at)[length] == '=') return *at + length + 1;
  }
  return "";
}

u32 option(const char *name) {
  const char *text = text_option(name);
  return *text == 0 ? NO_OPTION : (u32)strtoul(text, NULL, 10);
}

double now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

u32 sink;

/* Do it `times` times, and say what came of it. */
static void measure(const struct work *work, u32 times) {
  u64 done = 0;
  double ns = 0;
  if (work->timed_itself != NULL) {
    ns = work->timed_itself(times, &done);
  } else {
    if (work->prepare != NULL) work->prepare();
    double start = now_ns();
    for (u32 i = 0; i < times; i++) done += work->once();
    ns = now_ns() - start;
  }
  printf("%llu %.0f %u\n", (unsigned long long)done, ns, sink);
}

/* All of memory into a file. */
static void dump(const char *path) {
  FILE *file = fopen(path, "wb");
  if (file == NULL || fwrite(memory, PAGE_SIZE, total_frames, file) != total_frames) {
    oops("the memory cannot be written");
  }
  fclose(file);
  printf("%u 0 0\n", total_frames);
}

int main(int argc, char **argv) {
  if (argc < 2) oops("which work?");
  arguments = argv + 2;
  const struct work *work = find_work(argv[1]);
  if (work == NULL) oops("there is no such work");
  work->begin();
  char line[4096];
  while (fgets(line, sizeof line, stdin) != NULL) {
    line[strcspn(line, "\n")] = 0;
    if (strncmp(line, "dump ", 5) == 0) dump(line + 5);
    else if (work->apply != NULL) printf("%lld 0 0\n", (long long)work->apply(line));
    else measure(work, (u32)strtoul(line, NULL, 10));
    fflush(stdout);
  }
  return 0;
}
