import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BLOCK_OPS, Op } from '../../../src/guest/program.ts';
import { StreamBuilder } from '../../../src/guest/traces/builder.ts';
import { BlockDecoder } from '../../../src/guest/traces/decode.ts';
import { BlockEncoder } from '../../../src/guest/traces/encode.ts';
import { errorOf } from '../../complaint.ts';
import { anyOperations, operations, streamOf } from './helpers.ts';

test('a block decodes to the operations that were encoded', () => {
  const encoder = new BlockEncoder();
  const decoder = new BlockDecoder();
  fc.assert(
    fc.property(anyOperations, (all) => {
      fc.pre(all.length > 0);
      const block = streamOf(all).block(0);
      const decoded = decoder.decode(encoder.encode(block));
      expect(decoded).toEqual(block);
    }),
  );
});

test('a run of a thousand different operations still decodes', () => {
  const builder = new StreamBuilder();
  for (let i = 0; i < 1000; i++) builder.load(0x1000 + 64 * (i % 7), 1 + (i % 300));
  builder.syscall(192, 0xffffffff, 0, 1);
  const block = builder.build().block(0);
  expect(new BlockDecoder().decode(new BlockEncoder().encode(block))).toEqual(block);
});

test('a decoded block does not change when another one is decoded', () => {
  const encoder = new BlockEncoder();
  const decoder = new BlockDecoder();
  const one = encoder.encode(new StreamBuilder().load(0x1000).build().block(0)).slice();
  const other = encoder.encode(new StreamBuilder().store(0x2000).build().block(0)).slice();
  const block = decoder.decode(one);
  decoder.decode(other);
  expect([...block.ops]).toEqual([Op.Load | (4 << 8), 0x1000]);
});

test('bytes that are no block end in an error or a block, never in a hang', () => {
  const decoder = new BlockDecoder();
  const encoder = new BlockEncoder();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect([undefined, RangeError]).toContain(errorOf(() => decoder.decode(bytes))?.constructor);
    }),
  );
  fc.assert(
    fc.property(anyOperations, fc.nat(), fc.nat(255), (all, at, byte) => {
      fc.pre(all.length > 0);
      const bytes = encoder.encode(streamOf(all).block(0)).slice();
      bytes[at % bytes.length] = byte;
      expect([undefined, RangeError]).toContain(errorOf(() => decoder.decode(bytes))?.constructor);
    }),
  );
});

test('a loop takes less than half a byte per operation before compression', () => {
  const builder = new StreamBuilder();
  for (let i = 0; i < BLOCK_OPS / 4; i++) {
    builder
      .fetch(0x8048000, 3)
      .load(0x9000000 + 4 * i)
      .fetch(0x8048003, 2)
      .store(0xbffff000);
  }
  const bytes = new BlockEncoder().encode(builder.build().block(0));
  expect(bytes.length).toBeLessThan(BLOCK_OPS / 2);
});

test('all blocks of a stream but the last hold BLOCK_OPS operations', () => {
  const builder = new StreamBuilder();
  for (let i = 0; i < 2 * BLOCK_OPS + 5; i++) {
    if (i % 1000 === 0) builder.syscall(i, 1, 2, 3);
    else builder.fetch(4 * i);
  }
  const stream = builder.build();
  expect(stream.length).toBe(2 * BLOCK_OPS + 5);
  expect([0, 1, 2].map((b) => stream.block(b).count)).toEqual([BLOCK_OPS, BLOCK_OPS, 5]);
  const all = operations(stream);
  expect(all[BLOCK_OPS + 616]).toEqual([Op.Syscall, 17000, 1, 2, 3]);
  expect(all[BLOCK_OPS + 617]).toEqual([Op.Fetch, 4 * 17001, 4]);
});

test('a built stream does not grow', () => {
  const builder = new StreamBuilder().load(0);
  builder.build();
  expect(() => builder.load(4)).toThrow('cannot grow');
});
