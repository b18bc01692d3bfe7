import { expect, test } from 'vitest';
import { recordOf } from '../../shared/record.ts';
import { makeMemory, Words } from '../../shared/words.ts';
import { type Ptr, toPtr } from '../../src/hardware/address.ts';

const AT = 16;

class Sample extends recordOf({
  own: [0, 'number', 'own', 'once', 'own word of %'],
  index: [1, 'index', 'plain', 'once', 'index of %'],
  truth: [2, 'truth', 'plain', 'once', 'truth of %'],
  ready: [3, 'number', 'published', 'once', 'ready of %'],
  started: [4, 'vcpu', 'atomic', 'once', 'started of %'],
} as const) {}

/** Says which accesses it was asked for. */
class AskedWords extends Words {
  readonly asked: string[] = [];
}

for (const way of ['peek', 'poke', 'read', 'write', 'load', 'store'] as const) {
  const leaf = Words.prototype[way] as (at: Ptr, value?: number) => unknown;
  Object.defineProperty(AskedWords.prototype, way, {
    value(this: AskedWords, at: Ptr, value?: number) {
      this.asked.push(`${way} ${at - AT}`);
      return leaf.call(this, at, value);
    },
  });
}

function fill(sample: Sample): unknown[] {
  sample.own = 0xffff_fffe;
  sample.index = -1;
  sample.truth = true;
  sample.ready = 7;
  sample.started = true;
  return [sample.own, sample.index, sample.truth, sample.ready, sample.started];
}

const HELD = [0xffff_fffe, -1, true, 7, true];

test('accessors of the leaf itself and of words that intercept do the same', () => {
  const memory = makeMemory(64);
  expect(fill(new Sample(new Words(memory, toPtr(2)), toPtr(AT)))).toEqual(HELD);
  const words = [...new Uint32Array(memory.buffer, AT * 4, 5)];
  new Uint32Array(memory.buffer).fill(0);
  expect(fill(new Sample(new AskedWords(memory, toPtr(2)), toPtr(AT)))).toEqual(HELD);
  expect([...new Uint32Array(memory.buffer, AT * 4, 5)]).toEqual(words);
});

test('words that intercept are asked for each access, by its field’s way', () => {
  const words = new AskedWords(makeMemory(64), toPtr(2));
  const sample = new Sample(words, toPtr(AT));
  fill(sample);
  const stores = ['poke 0', 'write 1', 'write 2', 'store 3', 'store 4'];
  expect(words.asked).toEqual([...stores, 'peek 0', 'read 1', 'read 2', 'read 3', 'load 4']);
  expect(sample).toBeInstanceOf(Sample);
});
