/* Raw deflate (RFC 1951) and CRC-32, as the blocks of a compact trace are packed. */
#ifndef INFLATE_H
#define INFLATE_H

#include "words.h"

/* Exactly `size` bytes, or the yardstick ends. */
void inflate(const uint8_t *packed, u32 packed_size, uint8_t *out, u32 size);
u32 crc32_of(const uint8_t *bytes, u32 size);

#endif
