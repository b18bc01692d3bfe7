/*
 * What comes next is what followed the same place last time, or differs from it by what a
 * code says: src/guest/traces/predictor.ts says more, and decode.ts is the same loop.
 */
#define _GNU_SOURCE
#include "trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "inflate.h"

enum { SLOT_BITS = 14, SLOTS = 1 << SLOT_BITS };
enum code { EXPECTED = 0, ADJACENT = 1, DIFFERS = 2, KNOWN = 3, ESCAPE = 255 };
enum { MOST_HEADS = (ESCAPE - KNOWN) / 2 };

struct slot {
  u32 head, address, stride, distance;
};

static int file;
static uint8_t packed[1 << 20], bytes[1 << 20];
static struct slot slots[SLOTS];

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

static struct slot *slot_after_fetch(u32 pc) {
  return &slots[pc * 0x9e3779b1u >> (32 - SLOT_BITS)];
}
static struct slot *slot_after_data(struct slot *slot) {
  return slot + 1 == slots + SLOTS ? slots : slot + 1;
}

/* Fills `ops`; returns how many are system calls, and where the bytes go on. */
static u32 operations(u32 *ops, u32 count, const u32 *heads, const uint8_t **from,
                      u32 fetch_bytes) {
  for (u32 i = 0; i < SLOTS; i++) slots[i] = (struct slot){.head = UINT32_MAX};
  const uint8_t *codes = *from, *fetches = codes + count, *at = fetches + fetch_bytes;
  struct slot *slot = slots;
  u32 behind = 0, data = 0, calls = 0;
  for (u32 i = 0; i < count; i++, ops += 2) {
    u32 code = codes[i];
    u32 head = slot->head;
    if (code == EXPECTED) {
      u32 address = slot->address + slot->stride;
      ops[0] = head;
      ops[1] = address;
      if ((head & 0xff) == OP_FETCH) {
        behind = address + (head >> 8);
        slot = slot_after_fetch(address);
      } else if ((head & 0xff) == OP_SYSCALL) {
        ops[1] = calls++;
        slot = slot_after_data(slot);
      } else {
        slot->address = address;
        slot->distance = address - data;
        data = address;
        slot = slot_after_data(slot);
      }
      continue;
    }
    if (code == ESCAPE) head = varint(&at);
    else if (code >= KNOWN) head = heads[(code - KNOWN) >> 1];
    u32 kind = head & 0xff;
    u32 difference = 0;
    if (code < KNOWN ? code == DIFFERS : ((code - KNOWN) & 1) || code == ESCAPE) {
      u32 folded = varint(kind == OP_FETCH ? &fetches : &at);
      difference = folded >> 1 ^ -(folded & 1);
    }
    ops[0] = slot->head = head;
    if (kind == OP_FETCH) {
      u32 address = behind + difference;
      ops[1] = slot->address = address;
      slot->stride = 0;
      behind = address + (head >> 8);
      slot = slot_after_fetch(address);
    } else if (kind == OP_SYSCALL) {
      ops[1] = calls++;
      slot = slot_after_data(slot);
    } else {
      u32 last = slot->address;
      u32 address = code == ADJACENT  ? data + slot->distance
                    : code == DIFFERS ? last + difference
                                      : data + difference;
      ops[1] = slot->address = address;
      slot->stride = code < KNOWN ? address - last : 0;
      slot->distance = address - data;
      data = address;
      slot = slot_after_data(slot);
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
  u32 head_count = varint(&at), fetch_bytes = varint(&at);
  u32 heads[MOST_HEADS];
  if (count > BLOCK_OPS || head_count > MOST_HEADS) oops("a block makes no sense");
  for (u32 i = 0; i < head_count; i++) heads[i] = varint(&at);
  if (operations(stream->ops, count, heads, &at, fetch_bytes) != call_count) {
    oops("a block's system calls make no sense");
  }
  for (u32 i = 0; i < call_count * 4; i++) stream->calls[i] = varint(&at);
  stream->decoded = index;
}
