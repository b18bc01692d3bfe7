/* A compact trace: streams of operations, read block by block. (src/guest/traces, program.ts) */
#ifndef TRACE_H
#define TRACE_H

#include "words.h"

enum { BLOCK_OPS = 1 << 14, MOST_STREAMS = 16 };
enum op { OP_FETCH, OP_LOAD, OP_STORE, OP_MODIFY, OP_LOCKED, OP_SYSCALL };
enum {
  SYS_EXIT = 1,
  SYS_BRK = 45,
  SYS_MUNMAP = 91,
  SYS_MPROTECT = 125,
  SYS_MMAP2 = 192,
  SYS_EXIT_GROUP = 252,
  SYS_SWITCH_TO = 0x1000,
};

struct block_place {
  u32 offset, size, inflated, crc;
};

struct stream {
  u32 length;
  u32 block_count;
  struct block_place *blocks;
  /* The block that is decoded, or none. */
  u32 decoded;
  u32 ops[BLOCK_OPS * 2];
  u32 calls[BLOCK_OPS * 4];
};

/* The streams of a file, whose index comes on stdin. */
u32 open_trace(const char *path, struct stream **streams);
/* Decode block `index` unless it is. */
void need_block(struct stream *stream, u32 index);
/* Forget what is decoded, so that it is read again. */
void rewind_stream(struct stream *stream);

#endif
