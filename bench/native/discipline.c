/* Waiting: for a lock, and for another CPU to come out of where it is. */
#include "discipline.h"

void lock_slowly(u32 *lock, u32 holder) {
  for (;;) {
    u32 value = load(lock);
    if (value == 0) {
      /* Others may sleep still, so take it with the bit set. */
      if (compare_exchange(lock, 0, (holder + 1) | WAITERS)) return;
    } else if (value & WAITERS || compare_exchange(lock, value, value | WAITERS)) {
      wait_while(lock, value | WAITERS, LOCK_PATIENCE_MS);
    }
  }
}

void wait_until_out(struct host_cpu *cpu, struct section *section, u32 inside) {
  while (load(&section->count) == inside) {
    __atomic_fetch_or(&cpu->mailbox, MAIL_LEAVE, __ATOMIC_SEQ_CST);
    wake(&cpu->mailbox, INT32_MAX);
    wait_while(&section->count, inside, PATIENCE_MS);
  }
}
