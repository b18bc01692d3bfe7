/*
 * Four threads that compute, sleep, and are sent to one CPU or both now and then, named as QEMU names
 * its vCPUs.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void *work(void *arg) {
  long id = (long)arg;
  char name[16];
  unsigned seed = id + 1;
  snprintf(name, sizeof name, "CPU %ld/KVM", id);
  pthread_setname_np(pthread_self(), name);
  for (int round = 0; round < 25; round++) {
    for (volatile int i = 0; i < (int)(20000 + rand_r(&seed) % 400000); i++);
    if (rand_r(&seed) % 5 == 0) {
      cpu_set_t cpus;
      CPU_ZERO(&cpus);
      CPU_SET(rand_r(&seed) % 2, &cpus);
      if (rand_r(&seed) % 2) CPU_SET(0, &cpus), CPU_SET(1, &cpus);
      pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus);
    }
    if (rand_r(&seed) % 2 == 0) usleep(rand_r(&seed) % 1000);
  }
  return NULL;
}

int main(void) {
  pthread_t threads[4];
  for (long i = 0; i < 4; i++) pthread_create(&threads[i], NULL, work, (void *)i);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
}
