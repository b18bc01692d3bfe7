/* Codes of up to ten bits by a table, longer ones bit by bit. */
#include "inflate.h"

enum { TABLE_BITS = 10, MOST_BITS = 15, LITERALS = 288, DISTANCES = 32, END = 256 };

struct input {
  const uint8_t *at, *end;
  u64 bits;
  u32 count;
};

struct code {
  /* Symbol << 4 | length for each beginning of a short code; 0 where it is longer. */
  uint16_t table[1 << TABLE_BITS];
  /* Codes of each length, and all symbols in the order of their codes. */
  uint16_t counts[MOST_BITS + 1];
  uint16_t symbols[LITERALS];
};

/* At least 56 bits, with zeroes after the end. */
static void refill(struct input *in) {
  while (in->count <= 56) {
    if (in->end - in->at >= 8) {
      u64 next;
      memcpy(&next, in->at, 8);
      in->bits |= next << in->count;
      in->at += (63 - in->count) >> 3;
      in->count |= 56;
      return;
    }
    if (in->at < in->end) in->bits |= (u64)*in->at++ << in->count;
    in->count += 8;
  }
}

static u32 take(struct input *in, u32 bits) {
  u32 value = (u32)(in->bits & ((1u << bits) - 1));
  in->bits >>= bits;
  in->count -= bits;
  return value;
}

static void make_code(struct code *code, const uint8_t *lengths, u32 symbols) {
  uint16_t offsets[MOST_BITS + 2] = {0};
  u32 next[MOST_BITS + 2] = {0};
  memset(code->counts, 0, sizeof code->counts);
  memset(code->table, 0, sizeof code->table);
  for (u32 i = 0; i < symbols; i++) code->counts[lengths[i]]++;
  code->counts[0] = 0;
  for (u32 length = 1; length <= MOST_BITS; length++) {
    offsets[length + 1] = offsets[length] + code->counts[length];
    next[length + 1] = (next[length] + code->counts[length]) << 1;
  }
  for (u32 i = 0; i < symbols; i++) {
    u32 length = lengths[i];
    if (length == 0) continue;
    code->symbols[offsets[length]++] = (uint16_t)i;
    u32 forwards = next[length]++;
    if (length > TABLE_BITS) continue;
    u32 backwards = 0;
    for (u32 bit = 0; bit < length; bit++) backwards |= (forwards >> bit & 1) << (length - 1 - bit);
    for (u32 at = backwards; at < 1 << TABLE_BITS; at += 1u << length) {
      code->table[at] = (uint16_t)(i << 4 | length);
    }
  }
}

static u32 decode(struct input *in, const struct code *code) {
  u32 found = code->table[in->bits & ((1 << TABLE_BITS) - 1)];
  if (found != 0) {
    take(in, found & 15);
    return found >> 4;
  }
  u32 value = 0, first = 0, index = 0;
  for (u32 length = 1; length <= MOST_BITS; length++) {
    value |= take(in, 1);
    u32 count = code->counts[length];
    if (value - first < count) return code->symbols[index + value - first];
    index += count;
    first = (first + count) << 1;
    value <<= 1;
  }
  oops("a block does not inflate");
}

static void read_codes(struct input *in, struct code *literals, struct code *distances) {
  static const uint8_t order[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                    11, 4,  12, 3, 13, 2, 14, 1, 15};
  uint8_t lengths[LITERALS + DISTANCES] = {0};
  u32 literal_count = take(in, 5) + 257, distance_count = take(in, 5) + 1, count = take(in, 4) + 4;
  for (u32 i = 0; i < count; i++) {
    refill(in);
    lengths[order[i]] = (uint8_t)take(in, 3);
  }
  make_code(literals, lengths, 19);
  memset(lengths, 0, sizeof lengths);
  for (u32 i = 0; i < literal_count + distance_count;) {
    refill(in);
    u32 symbol = decode(in, literals);
    u32 repeat = 1;
    uint8_t length = (uint8_t)symbol;
    if (symbol == 16) length = i > 0 ? lengths[i - 1] : 0, repeat = 3 + take(in, 2);
    else if (symbol == 17) length = 0, repeat = 3 + take(in, 3);
    else if (symbol == 18) length = 0, repeat = 11 + take(in, 7);
    while (repeat-- > 0 && i < sizeof lengths) lengths[i++] = length;
  }
  make_code(literals, lengths, literal_count);
  make_code(distances, lengths + literal_count, distance_count);
}

static void fixed_codes(struct code *literals, struct code *distances) {
  uint8_t lengths[LITERALS];
  for (u32 i = 0; i < LITERALS; i++) lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
  make_code(literals, lengths, LITERALS);
  memset(lengths, 5, DISTANCES);
  make_code(distances, lengths, 30);
}

/* What a length or distance symbol begins with, and how many bits more it has. */
static u32 with_more(struct input *in, u32 symbol, u32 plain, u32 group, u32 first) {
  if (symbol < plain) return symbol + first;
  u32 more = (symbol - plain) / group + 1;
  u32 base = ((symbol % group) + group) << more;
  return base + first + take(in, more);
}

static uint8_t *copy(uint8_t *out, const uint8_t *end, u64 length, u64 distance) {
  if (length > (u64)(end - out)) oops("a block inflates to too much");
  const uint8_t *from = out - distance;
  if (distance == 1) memset(out, *from, length);
  else if (distance >= length) memcpy(out, from, length);
  else for (u64 i = 0; i < length; i++) out[i] = from[i];
  return out + length;
}

void inflate(const uint8_t *packed, u32 packed_size, uint8_t *out, u32 size) {
  static struct code literals, distances;
  struct input in = {.at = packed, .end = packed + packed_size};
  const uint8_t *begin = out, *end = out + size;
  bool last = false;
  while (!last) {
    refill(&in);
    last = take(&in, 1);
    u32 kind = take(&in, 2);
    if (kind == 0) {
      take(&in, in.count & 7);
      refill(&in);
      u32 length = take(&in, 16);
      take(&in, 16);
      for (; length > 0 && out < end; length--) {
        refill(&in);
        *out++ = (uint8_t)take(&in, 8);
      }
      continue;
    }
    if (kind == 1) fixed_codes(&literals, &distances);
    else read_codes(&in, &literals, &distances);
    for (;;) {
      refill(&in);
      u32 symbol = decode(&in, &literals);
      if (symbol < END) {
        if (out == end) oops("a block inflates to too much");
        *out++ = (uint8_t)symbol;
        continue;
      }
      if (symbol == END) break;
      u32 length = symbol == 285 ? 258 : with_more(&in, symbol - 257, 8, 4, 3);
      refill(&in);
      u32 distance = with_more(&in, decode(&in, &distances), 4, 2, 1);
      if (distance > out - begin) oops("a block does not inflate");
      out = copy(out, end, length, distance);
    }
  }
  if (out != end) oops("a block inflates to too little");
}

u32 crc32_of(const uint8_t *bytes, u32 size) {
  static u32 table[4][256];
  if (table[0][1] == 0) {
    for (u32 i = 0; i < 256; i++) {
      u32 value = i;
      for (u32 bit = 0; bit < 8; bit++) value = value >> 1 ^ (value & 1 ? 0xedb88320 : 0);
      table[0][i] = value;
    }
    for (u32 t = 1; t < 4; t++) {
      for (u32 i = 0; i < 256; i++) {
        table[t][i] = table[t - 1][i] >> 8 ^ table[0][table[t - 1][i] & 255];
      }
    }
  }
  u32 crc = UINT32_MAX;
  for (; size >= 4; size -= 4, bytes += 4) {
    u32 next;
    memcpy(&next, bytes, 4);
    crc ^= next;
    crc = table[3][crc & 255] ^ table[2][crc >> 8 & 255] ^ table[1][crc >> 16 & 255] ^
          table[0][crc >> 24];
  }
  for (; size > 0; size--) crc = crc >> 8 ^ table[0][(crc ^ *bytes++) & 255];
  return ~crc;
}
