/* Tasks that are moved for a reason that is known, by their names. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void burn(long ms) {
  struct timespec a, b;
  clock_gettime(CLOCK_MONOTONIC, &a);
  do clock_gettime(CLOCK_MONOTONIC, &b);
  while ((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000 < ms);
}

static void onto(int pid, int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  sched_setaffinity(pid, sizeof set, &set);
}

static int task(const char *name) {
  int pid = fork();
  if (pid == 0) prctl(PR_SET_NAME, name);
  return pid;
}

int main(int argc, char **argv) {
  if (argc > 1) {
    int left = atoi(argv[1]);
    char next[9];
    sprintf(next, "%d", left - 1);
    burn(1);
    if (left > 0) execl("/proc/self/exe", "causes", next, NULL);
    return 0;
  }
  if (!task("moves-itself")) {
    for (int i = 0; i < 12; i++) onto(0, i & 1), burn(2);
    return 0;
  }
  int moved = task("is-moved");
  if (!moved) return burn(60), 0;
  for (int i = 0; i < 2; i++)
    if (!task("balanced")) return burn(50), 0;
  if (!task("sleeps")) {
    for (int i = 0; i < 30; i++) usleep(1500), burn(1);
    return 0;
  }
  if (!task("execs")) execl("/proc/self/exe", "causes", "15", NULL);
  prctl(PR_SET_NAME, "moves-another");
  for (int i = 0; i < 12; i++) onto(moved, i & 1), usleep(4000);
  while (wait(0) > 0);
}
