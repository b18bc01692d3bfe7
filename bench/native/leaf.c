/* One operation on shared words, swept over 16 KiB, sequentially consistent: bench/words.ts. */
#include "works.h"

enum { WORDS = 4096, FIRST = 64, STEP64 = 2 };
#define ORDER __ATOMIC_SEQ_CST
#define ENTRY 0x512345067ull

static void begin(void) {
  total_frames = (FIRST + WORDS) / PAGE_WORDS + 1;
  memory = make_memory((u64)total_frames * PAGE_WORDS);
}

static u64 load_all(void) {
  u32 sum = 0;
  for (u32 i = 0; i < WORDS; i++) sum += __atomic_load_n(memory + FIRST + i, ORDER);
  sink ^= sum;
  return WORDS;
}

static u64 store_all(void) {
  for (u32 i = 0; i < WORDS; i++) __atomic_store_n(memory + FIRST + i, FIRST + i, ORDER);
  return WORDS;
}

static u64 compare_exchange_all(void) {
  u32 done = 0;
  for (u32 i = 0; i < WORDS; i++) done += compare_exchange(memory + FIRST + i, 0, 0);
  sink ^= done;
  return WORDS;
}

static wide *pair(u32 i) { return (wide *)(memory + FIRST + i * STEP64); }

static u64 load64_all(void) {
  u64 sum = 0;
  for (u32 i = 0; i < WORDS / STEP64; i++) sum ^= __atomic_load_n(pair(i), ORDER);
  sink ^= (u32)sum ^ (u32)(sum >> 32);
  return WORDS / STEP64;
}

static u64 store64_all(void) {
  for (u32 i = 0; i < WORDS / STEP64; i++) __atomic_store_n(pair(i), ENTRY, ORDER);
  return WORDS / STEP64;
}

static u64 compare_exchange64_all(void) {
  u32 done = 0;
  for (u32 i = 0; i < WORDS / STEP64; i++) done += compare_exchange64((u32 *)pair(i), 0, 0);
  sink ^= done;
  return WORDS / STEP64;
}

const struct work leaf_works[] = {
    {.name = "load", .begin = begin, .once = load_all},
    {.name = "store", .begin = begin, .once = store_all},
    {.name = "compare-and-exchange", .begin = begin, .once = compare_exchange_all},
    {.name = "load, 64 bits", .begin = begin, .once = load64_all},
    {.name = "store, 64 bits", .begin = begin, .once = store64_all},
    {.name = "compare-and-exchange, 64 bits", .begin = begin, .once = compare_exchange64_all},
    {.name = NULL},
};
