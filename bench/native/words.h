/*
 * The leaf: one memory of 32-bit words, and the few ways to read and write it.
 * (shared/words.ts, src/hardware/address.ts)
 *
 * A plain load or store is what an x86 processor orders well enough: later stores are
 * never seen before earlier ones. What is locked there is an atomic operation here.
 */
#ifndef WORDS_H
#define WORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef uint32_t u32;
typedef uint64_t u64;
/* A 64-bit entry is two words as well: the processor updates its low half alone. */
typedef u64 __attribute__((may_alias)) wide;

enum { PAGE_SHIFT = 12, PAGE_SIZE = 4096, PAGE_WORDS = 1024 };

enum { NO_FRAME = 0 };

/* The machine's memory, and how many frames it has. */
extern u32 *memory;
extern u32 total_frames;

/* `words` zeroed words in small pages, such as the memory of a JavaScript engine has. */
u32 *make_memory(u64 words);

/* What must not happen: the yardstick ends. */
_Noreturn void oops(const char *what);

static inline u32 load(const u32 *at) { return __atomic_load_n(at, __ATOMIC_ACQUIRE); }
static inline void store(u32 *at, u32 value) { __atomic_store_n(at, value, __ATOMIC_RELEASE); }
static inline u32 add(u32 *at, u32 value) {
  return __atomic_fetch_add(at, value, __ATOMIC_SEQ_CST);
}
static inline u32 exchange(u32 *at, u32 value) {
  return __atomic_exchange_n(at, value, __ATOMIC_SEQ_CST);
}
static inline bool compare_exchange(u32 *at, u32 expected, u32 value) {
  return __atomic_compare_exchange_n(at, &expected, value, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST);
}

static inline u64 load64(const u32 *at) {
  return __atomic_load_n((const wide *)at, __ATOMIC_ACQUIRE);
}
static inline void store64(u32 *at, u64 value) {
  __atomic_store_n((wide *)at, value, __ATOMIC_RELEASE);
}
static inline u64 exchange64(u32 *at, u64 value) {
  return __atomic_exchange_n((wide *)at, value, __ATOMIC_SEQ_CST);
}
static inline bool compare_exchange64(u32 *at, u64 expected, u64 value) {
  return __atomic_compare_exchange_n((wide *)at, (wide *)&expected, value, false,
                                     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Sleep while a word is `expected`, for `ms` at most; wake `count` sleepers. */
void wait_while(u32 *at, u32 expected, u32 ms);
void wake(u32 *at, u32 count);

/* A frame's first word, the frame that a word lies in, and a word at a byte offset. */
static inline u32 *frame_start(u32 pfn) { return memory + (u64)pfn * PAGE_WORDS; }
static inline u32 frame_of(const u32 *at) { return (u32)((u64)(at - memory) / PAGE_WORDS); }
static inline u32 *word_in_frame(u32 pfn, u32 offset) {
  return frame_start(pfn) + ((offset & (PAGE_SIZE - 1)) >> 2);
}

#endif
