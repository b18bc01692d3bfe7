/*
 * How the host reads and writes guest memory, through the Launcher's map.
 * (shared/guest-memory.ts)
 */
#ifndef GUEST_MEMORY_H
#define GUEST_MEMORY_H

#include "frames.h"

/* As in the kernel, the last byte of memory is not within reach. */
static inline bool address_ok(const struct guest *lg, u32 gpa, u32 bytes) {
  u32 end = gpa + bytes;
  return end > gpa && end >> PAGE_SHIFT < lg->pfn_limit;
}

/* Where an entry at a guest-physical address lies, or NULL: then the guest is dead. */
static inline u32 *guest_entry(struct vcpu *cpu, u32 gpa, bool write) {
  struct guest *lg = cpu->lg;
  u32 frame = address_ok(lg, gpa, FORM.entry_words * 4)
                  ? frame_for_host(lg, gpa >> PAGE_SHIFT, write)
                  : NO_FRAME;
  if (frame != NO_FRAME) return word_in_frame(frame, gpa);
  kill_guest(cpu, write ? "bad write address" : "bad read address");
  return NULL;
}

static inline entry lgread(struct vcpu *cpu, u32 gpa) {
  u32 *at = guest_entry(cpu, gpa, false);
  return at == NULL ? 0 : read_entry(at);
}

static inline void lgwrite(struct vcpu *cpu, u32 gpa, entry e) {
  u32 *at = guest_entry(cpu, gpa, true);
  if (at != NULL) set_entry(at, e);
}

/* False when something else than `expected` was there. */
static inline bool lgcmpxchg(struct vcpu *cpu, u32 gpa, entry expected, entry e) {
  u32 *at = guest_entry(cpu, gpa, true);
  return at == NULL || compare_exchange_entry(at, expected, e);
}

#endif
