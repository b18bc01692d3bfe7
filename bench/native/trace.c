/*
 * A block says what its runs are and which comes after which, and of the data where it is not
 * as expected: src/guest/traces/runs.ts says more, and decode.ts is the same loop.
 */
#define _GNU_SOURCE
#include "trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "inflate.h"

enum code { EXPECTED = 0, ADJACENT = 1, MOVED = 2, ELSEWHERE = 3 };

/* An operation of a run. */
struct place_in_run {
  u32 head, address, stride, distance;
};

static int file;
static uint8_t packed[1 << 20], bytes[1 << 20];
static struct place_in_run table[BLOCK_OPS];
static u32 starts[BLOCK_OPS + 1];

static u32 number(void) {
  unsigned value;
  if (scanf("%u", &value) != 1) oops("the index of the trace ends too early");
  return value;
}

u32 open_trace(const char *path, struct stream **streams) {
  file = open(path, O_RDONLY);
  if (file < 0) oops("the trace cannot be opened");
  u32 count = number();
  *streams = calloc(count, sizeof **streams);
  for (u32 i = 0; i < count; i++) {
    struct stream *stream = *streams + i;
    stream->length = number();
    stream->block_count = number();
    stream->blocks = calloc(stream->block_count, sizeof *stream->blocks);
    for (u32 b = 0; b < stream->block_count; b++) {
      struct block_place *at = stream->blocks + b;
      *at = (struct block_place){number(), 0, 0, 0};
      at->size = number();
      at->inflated = number();
      at->crc = number();
      if (at->size > sizeof packed || at->inflated > sizeof bytes) oops("a block is too large");
    }
    rewind_stream(stream);
  }
  getchar();
  return count;
}

void rewind_stream(struct stream *stream) { stream->decoded = UINT32_MAX; }

static u32 varint(const uint8_t **at) {
  u32 word = 0;
  for (u32 shift = 0; shift < 35; shift += 7) {
    uint8_t byte = *(*at)++;
    word |= (u32)(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return word;
}

static u32 signed_of(u32 word) { return word >> 1 ^ -(word & 1); }

/* What the runs are. */
static void read_runs(u32 count, const u32 *heads, u32 head_count, const uint8_t **at) {
  u32 place = 0, start = 0;
  for (u32 run = 0; run < count; run++) {
    starts[run] = place;
    u32 operations = varint(at);
    start += signed_of(varint(at));
    if (place + operations > BLOCK_OPS) oops("a block's runs make no sense");
    u32 address = start;
    for (u32 end = place + operations; place < end; place++) {
      u32 k = varint(at);
      if (k >= head_count) oops("a block's runs make no sense");
      bool is_fetch = (heads[k] & 0xff) == OP_FETCH;
      table[place] = (struct place_in_run){heads[k], is_fetch ? address : 0, 0, 0};
      if (is_fetch) address += heads[k] >> 8;
    }
  }
  starts[count] = place;
}

/* Fills `ops`; returns how many are system calls, and where the bytes go on. */
static u32 operations(u32 *ops, u32 count, u32 run_count, const uint8_t **from, u32 number_bytes,
                      u32 code_count) {
  const uint8_t *numbers = *from, *codes = numbers + number_bytes, *at = codes + code_count;
  u32 *end_of_ops = ops + 2 * count;
  u32 data = 0, calls = 0;
  while (ops < end_of_ops) {
    u32 number = varint(&numbers);
    u32 run = number >> 1;
    if (run >= run_count) oops("a block's runs make no sense");
    struct place_in_run *place = table + starts[run], *end = table + starts[run + 1];
    if (end == place || end - place > (end_of_ops - ops) / 2) oops("a block's runs make no sense");
    for (; place < end; place++, ops += 2) {
      u32 head = place->head, kind = head & 0xff;
      ops[0] = head;
      if (kind == OP_FETCH) {
        ops[1] = place->address;
        continue;
      }
      if (kind == OP_SYSCALL) {
        ops[1] = calls++;
        continue;
      }
      u32 last = place->address, address = last + place->stride;
      enum code code = number & 1 ? *codes++ : EXPECTED;
      if (code != EXPECTED) {
        if (code == ADJACENT) address = data + place->distance;
        else address = (code == MOVED ? last : data) + signed_of(varint(&at));
        place->stride = code == ELSEWHERE ? 0 : address - last;
      }
      ops[1] = place->address = address;
      place->distance = address - data;
      data = address;
    }
  }
  *from = at;
  return calls;
}

void need_block(struct stream *stream, u32 index) {
  if (stream->decoded == index) return;
  const struct block_place *place = &stream->blocks[index];
  if (pread(file, packed, place->size, place->offset) != (ssize_t)place->size) {
    oops("the trace cannot be read");
  }
  if (crc32_of(packed, place->size) != place->crc) oops("a block of the trace is damaged");
  inflate(packed, place->size, bytes, place->inflated);

  const uint8_t *at = bytes;
  u32 count = varint(&at), call_count = varint(&at);
  u32 head_count = varint(&at), run_count = varint(&at);
  u32 number_bytes = varint(&at), code_count = varint(&at);
  static u32 heads[BLOCK_OPS];
  if (count > BLOCK_OPS || head_count > BLOCK_OPS || run_count > BLOCK_OPS) {
    oops("a block makes no sense");
  }
  for (u32 i = 0; i < head_count; i++) heads[i] = varint(&at);
  read_runs(run_count, heads, head_count, &at);
  if (operations(stream->ops, count, run_count, &at, number_bytes, code_count) != call_count) {
    oops("a block's system calls make no sense");
  }
  for (u32 i = 0; i < call_count * 4; i++) stream->calls[i] = varint(&at);
  stream->decoded = index;
}
