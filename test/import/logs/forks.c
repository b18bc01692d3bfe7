/* A thread forks while another allocates; each child works in memory of its own. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
static volatile int stop;
static void *allocates(void *p) {
  while (!stop) {
    char *b = mmap(0, 40960, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 40960; i += 512) b[i] = (char)i;
    munmap(b, 40960);
    usleep(1);
  }
  return p;
}
static void *forks(void *p) {
  char *b = malloc(9000);
  for (int n = 0; n < 2; n++) {
    memset(b, n, 9000);
    pid_t child = fork();
    if (child == 0) { for (int i = 0; i < 9000; i += 64) b[i]++; _exit(b[64] != n + 1); }
    int status; waitpid(child, &status, 0);
  }
  free(b); stop = 1;
  return p;
}
int main(void) {
  pthread_t a, f;
  pthread_create(&a, 0, allocates, 0);
  pthread_create(&f, 0, forks, 0);
  pthread_join(f, 0); pthread_join(a, 0);
  return 0;
}
