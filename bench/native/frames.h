/*
 * The frame table, the frame allocator and the Launcher's map.
 * (shared/frames.ts, launcher-map.ts)
 */
#ifndef FRAMES_H
#define FRAMES_H

#include "records.h"

enum frame_kind {
  KIND_FREE,
  KIND_HOST,
  KIND_ZERO,
  KIND_GUEST_PAGE,
  KIND_PAGE_TABLE,
  KIND_REGS,
  KIND_SWITCHER
};
enum { HOST_OWNED = 0xffffff, OWNED = 1, REFERENCE = 2 };

void initialise_frames(struct host *host, u32 first_frame, u32 first_free_frame);
/* A zeroed frame held by its owner alone, or NO_FRAME. The second is counted. */
u32 allocate_frame(struct host *host, enum frame_kind kind, u32 owner);
u32 get_zeroed_page(struct guest *lg, enum frame_kind kind);
void free_frame(struct host *host, u32 pfn);

static inline void must_exist(u64 pfn) {
  if (pfn >= total_frames) oops("machine check: no such frame");
}

static inline void get_frame(struct host *host, u32 pfn) {
  must_exist(pfn);
  add(&host->frames[pfn].count, REFERENCE);
}

/* A reference on a frame that its owner may just be letting go. */
static inline bool get_if_owned(struct host *host, u32 pfn) {
  must_exist(pfn);
  u32 *at = &host->frames[pfn].count;
  for (;;) {
    u32 count = load(at);
    if (!(count & OWNED)) return false;
    if (compare_exchange(at, count, count + REFERENCE)) return true;
  }
}

static inline void put_frame(struct host *host, u32 pfn) {
  must_exist(pfn);
  if (add(&host->frames[pfn].count, -(u32)REFERENCE) == REFERENCE) free_frame(host, pfn);
}

static inline void disown_frame(struct host *host, u32 pfn) {
  must_exist(pfn);
  if (add(&host->frames[pfn].count, -(u32)OWNED) == OWNED) free_frame(host, pfn);
}

/* The Launcher's map: frame << 2 | state for each guest page. */
enum vma { VMA_NONE, VMA_READ_WRITE, VMA_READ_ONLY, VMA_COPY_ON_WRITE, VMA_STATE = 3 };

bool break_copy_on_write(struct guest *lg, u32 page, u32 value);

/* The frame behind a page with a reference, or NO_FRAME. */
static inline u32 get_user_page(struct guest *lg, u32 page, bool write, bool unshare) {
  for (;;) {
    u32 value = load(&lg->map[page]);
    u32 state = value & VMA_STATE;
    if (state == VMA_NONE || (write && state == VMA_READ_ONLY)) return NO_FRAME;
    if ((write || unshare) && state == VMA_COPY_ON_WRITE) {
      if (!break_copy_on_write(lg, page, value)) return NO_FRAME;
      continue;
    }
    u32 frame = value >> 2;
    if (!get_if_owned(lg->host, frame)) continue;
    if (load(&lg->map[page]) == value) return frame;
    put_frame(lg->host, frame);
  }
}

/* The frame that the host itself reads or writes a page in, or NO_FRAME. No reference. */
static inline u32 frame_for_host(struct guest *lg, u32 page, bool write) {
  for (;;) {
    u32 value = load(&lg->map[page]);
    u32 state = value & VMA_STATE;
    if (!write || state == VMA_READ_WRITE) return value >> 2;
    if (state != VMA_COPY_ON_WRITE) return NO_FRAME;
    if (!break_copy_on_write(lg, page, value)) return NO_FRAME;
  }
}

#endif
