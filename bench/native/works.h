/* What can be measured. */
#ifndef WORKS_H
#define WORKS_H

#include "rig.h"

struct work {
  const char *name;
  /* Once, when the yardstick starts. */
  void (*begin)(void);
  /* Before each measurement, and not part of it. */
  void (*prepare)(void);
  /* Returns how many it did. */
  u64 (*once)(void);
  /* In place of `once`, where threads take the time: `times` times, in nanoseconds. */
  double (*timed_itself)(u32 times, u64 *done);
  /* In place of both: an operation, of which the answer is the result. */
  int64_t (*apply)(const char *operation);
};

const struct work *find_work(const char *name);

double now_ns(void);

/* What loops computed goes here, so that the compiler must compute it. */
extern u32 sink;

#endif
