/* The frame allocator: one pool behind a lock, and a cache of a few frames for each CPU. */
#include "frames.h"

#include "lock.h"

enum { CACHE_FRAMES = 63, BATCH = 32, POISON = 0x6b };

void initialise_frames(struct host *host, u32 first_frame, u32 first_free_frame) {
  for (u32 pfn = 0; pfn < first_free_frame; pfn++) {
    u32 kind = pfn < first_frame ? KIND_HOST : pfn == first_frame ? KIND_ZERO : KIND_SWITCHER;
    host->frames[pfn].kind = kind | (u32)HOST_OWNED << 8;
    host->frames[pfn].count = OWNED;
  }
  host->machine->pool.fresh = first_free_frame;
}

/* Under the pool's lock. */
static u32 take_from_pool(struct host *host) {
  struct pool *pool = &host->machine->pool;
  u32 head = pool->head;
  if (head != NO_FRAME) {
    pool->head = host->frames[head].next;
    pool->length--;
    return head;
  }
  return pool->fresh == total_frames ? NO_FRAME : pool->fresh++;
}

static u32 refill(struct host *host) {
  u32 *cache = host->frame_cache;
  u32 moved = 0;
  acquire(&host->machine->pool.lock, host->this_cpu);
  for (; moved < BATCH; moved++) {
    u32 pfn = take_from_pool(host);
    if (pfn == NO_FRAME) break;
    cache[1 + moved] = pfn;
  }
  release(&host->machine->pool.lock);
  cache[0] = moved;
  return moved;
}

static u32 drain(struct host *host) {
  struct pool *pool = &host->machine->pool;
  u32 left = CACHE_FRAMES - BATCH;
  acquire(&pool->lock, host->this_cpu);
  for (u32 i = left; i < CACHE_FRAMES; i++) {
    u32 pfn = host->frame_cache[1 + i];
    host->frames[pfn].next = pool->head;
    pool->head = pfn;
  }
  pool->length += BATCH;
  release(&pool->lock);
  return left;
}

u32 allocate_frame(struct host *host, enum frame_kind kind, u32 owner) {
  u32 *cache = host->frame_cache;
  u32 cached = cache[0];
  if (cached == 0) cached = refill(host);
  if (cached == 0) return NO_FRAME;
  u32 pfn = cache[cached];
  cache[0] = cached - 1;
  memset(frame_start(pfn), 0, PAGE_SIZE);
  store(&host->frames[pfn].kind, kind | owner << 8);
  store(&host->frames[pfn].count, OWNED);
  return pfn;
}

u32 get_zeroed_page(struct guest *lg, enum frame_kind kind) {
  struct host *host = lg->host;
  struct machine_record *machine = host->machine;
  bool fails = (int32_t)load(&machine->fail_after) == 0;
  u32 pfn = fails ? NO_FRAME : allocate_frame(host, kind, 0);
  add(&machine->allocations, 1);
  if (pfn == NO_FRAME) add(&machine->failed_allocations, 1);
  count(lg, kind == KIND_PAGE_TABLE ? TABLE_PAGES : COPIES_ON_WRITE);
  return pfn;
}

void free_frame(struct host *host, u32 pfn) {
  u32 *cache = host->frame_cache;
  store(&host->frames[pfn].kind, KIND_FREE);
  memset(frame_start(pfn), POISON, PAGE_SIZE);
  u32 cached = cache[0];
  if (cached == CACHE_FRAMES) cached = drain(host);
  cache[cached + 1] = pfn;
  cache[0] = cached + 1;
}

bool break_copy_on_write(struct guest *lg, u32 page, u32 value) {
  u32 copy = get_zeroed_page(lg, KIND_GUEST_PAGE);
  if (copy == NO_FRAME) return false;
  if (!compare_exchange(&lg->map[page], value, copy << 2 | VMA_READ_WRITE)) {
    disown_frame(lg->host, copy);
  }
  return true;
}
