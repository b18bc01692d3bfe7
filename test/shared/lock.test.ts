import { expect, test } from 'vitest';
import { Lock } from '../../shared/lock.ts';
import { makeMemory, Words } from '../../shared/words.ts';
import { toPtr } from '../../src/hardware/address.ts';
import { onThreads } from './machine.ts';

const LOCK = toPtr(16);

function locks(gaveUp = false): { lock: Lock; words: Words } {
  const words = new Words(makeMemory(64), toPtr(2));
  return { words, lock: new Lock(words, LOCK, () => gaveUp) };
}

test('no two threads are inside at once, and every thread gets in', async () => {
  const memory = makeMemory(256);
  const count = toPtr(64);
  const times = 20_000;
  const threads = 4;
  await onThreads(
    'lock-worker.ts',
    Array.from({ length: threads }, (_, holder) => ({
      memory,
      lock: LOCK,
      count,
      holder,
      times,
      scratch: 128 + holder * 16,
    })),
  );
  const words = new Words(memory, toPtr(2));
  expect(words.load(count)).toBe(threads * times);
  expect(words.load(LOCK)).toBe(0);
});

test('knows its holder', () => {
  const { lock } = locks();
  expect(lock.holding(0)).toBe(false);
  lock.acquire(0);
  expect([lock.holding(0), lock.holding(1)]).toEqual([true, false]);
  lock.release(0);
  expect(lock.holding(0)).toBe(false);
});

test('is not taken twice by the same holder', () => {
  const { lock } = locks();
  lock.acquire(3);
  expect(() => lock.acquire(3)).toThrow('a lock is not taken twice');
});

test('is released only by its holder', () => {
  const { lock } = locks();
  expect(() => lock.release(0)).toThrow('a lock is released by its holder');
  lock.acquire(0);
  expect(() => lock.release(1)).toThrow('a lock is released by its holder');
});

test('a waiter gives up when the machine has failed', () => {
  const { lock } = locks(true);
  lock.acquire(0);
  expect(() => lock.acquire(1)).toThrow('the holder of this lock does not come');
  // Its waiters flag does not hide the holder.
  expect(lock.holding(0)).toBe(true);
  lock.release(0);
  lock.acquire(1);
});
