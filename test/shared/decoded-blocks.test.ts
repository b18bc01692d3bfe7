import { expect, test } from 'vitest';
import { BLOCK_OPS, DecodedBlocks, MOST_SLOTS } from '../../shared/decoded-blocks.ts';
import { layOut } from '../../shared/layout.ts';
import { makeMemory, Words } from '../../shared/words.ts';
import { toGva, toPtr } from '../../src/hardware/address.ts';
import { onThreads } from './machine.ts';

const layoutWith = (blocks: number, hostCpus = 2) =>
  layOut({
    hostCpus,
    frames: 64,
    seed: 1,
    switcherAddr: toGva(0xffc0_0000),
    blocks,
    guests: [],
  });

/** Two CPUs' views of one store. */
function store(blocks: number) {
  const layout = layoutWith(blocks);
  const memory = makeMemory(layout.words);
  return [0, 1].map((cpu) => new DecodedBlocks(new Words(memory, toPtr(2 * cpu)), layout, cpu));
}

const words = (n: number, size: number) => (ops: Uint32Array) => {
  ops.fill(n);
  return new Uint32Array(size).fill(n);
};

test('a block is decoded once for all CPUs', () => {
  const [one, other] = store(3);
  let decoded = 0;
  const decode = (ops: Uint32Array) => {
    decoded++;
    return words(7, 4)(ops);
  };
  const first = one!.find(2, 5, decode)!;
  const second = other!.find(2, 5, decode)!;
  expect(decoded).toBe(1);
  expect([first.at, [...second.ops], [...second.calls.subarray(0, 4)]]).toEqual([
    second.at,
    [7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
    [7, 7, 7, 7],
  ]);
});

test('a block with too many system calls is not kept, and an unreadable one is requested again', () => {
  const [one, other] = store(3);
  expect(one!.find(0, 5, words(1, 4 * 257))).toBeUndefined();
  expect(other!.find(0, 5, () => expect.fail('it is known to be unfit'))).toBeUndefined();
  const damaged = () => {
    throw new RangeError('damaged');
  };
  expect(() => one!.find(1, 5, damaged)).toThrow('damaged');
  expect(other!.find(1, 5, words(3, 0))!.ops[0]).toBe(3);
});

test('with more blocks than slots, one being read stays, and the others are evicted', () => {
  const [one, other] = store(10 * MOST_SLOTS);
  const read = one!.find(0, BLOCK_OPS, words(42, 0))!;
  for (let i = 1; i < 3 * MOST_SLOTS; i++) {
    expect(other!.find(i, 2, words(i, 0))!.ops[0]).toBe(i);
  }
  expect(new Set(read.ops)).toEqual(new Set([42]));
  expect(one!.find(0, BLOCK_OPS, () => expect.fail('it is there'))!.at).toBe(read.at);
  let again = 0;
  other!.find(1, 2, (ops) => {
    again++;
    return words(1, 0)(ops);
  });
  expect(again).toBe(1);
});

test('threads that want more blocks than there are slots read what they requested', async () => {
  const layout = layoutWith(64, 3);
  const few = {
    ...layout,
    regions: { ...layout.regions, blockSlots: { ...layout.regions.blockSlots, count: 4 } },
  };
  const memory = makeMemory(layout.words);
  const results = await onThreads<{ wrong: number; found: number }>(
    './decoded-blocks-worker.ts',
    [0, 1, 2].map((cpu) => ({ layout: few, memory, cpu, blocks: 64, times: 8000 })),
  );
  for (const { wrong, found } of results) {
    expect(wrong).toBe(0);
    expect(found).toBeGreaterThan(2000);
  }
});

test('without memory there is no store', () => {
  expect(layoutWith(0).regions.blockSlots.count).toBe(0);
  expect(layoutWith(9).regions.blockSlots.count).toBe(11);
  expect(layoutWith(1e6).regions.blockSlots.count).toBe(MOST_SLOTS);
  const { config, firstFrame } = layoutWith(9);
  const room = (frames: number) => layOut({ ...config, frames }).regions.blockSlots.count;
  const most = (1 << 20) - layOut({ ...config, frames: (1 << 20) - 5000 }).firstFrame;
  expect(most).toBeGreaterThan(firstFrame);
  expect([room(most - 1000), room(most - 210), room(most - 20)]).toEqual([11, 4, 0]);
});
