/**
 * Saved words of a machine, at the same places in a second memory. WebAssembly's memory.copy copies
 * between the two: a page takes a quarter of the time of a typed array's `set`, some fifty words
 * that of two accesses. Pages that were never saved take no memory.
 */

import { makeMemory } from '../../../shared/words.ts';
import type { WasmMemory } from '../../wasm.ts';

interface Exports {
  keep(at: number, words: number): void;
  putBack(at: number, words: number): void;
}

const section = (id: number, content: readonly number[]): number[] => [
  id,
  content.length,
  ...content,
];
const text = (s: string): number[] => [s.length, ...Array.from(s, (c) => c.charCodeAt(0))];
const imported = (name: string): number[] => [
  ...[...text('m'), ...text(name)],
  ...[2, 3, 0, 0x80, 0x80, 0x04],
];

/** (at, words) => memory.copy of as many from the same place in one memory to the other. */
function copyBetween(to: number, from: number): number[] {
  const bytes = (local: number): number[] => [0x20, local, 0x41, 2, 0x74];
  const code = [0, ...bytes(0), ...bytes(0), ...bytes(1), 0xfc, 0x0a, to, from, 0x0b];
  return [code.length, ...code];
}

const MACHINE = 0;
const BESIDE = 1;

const module = new WebAssembly.Module(
  Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 2, 0x7f, 0x7f, 0]),
    // Shared, of any size up to 65,536 pages: 80 80 04 in LEB128.
    ...section(2, [2, ...imported('machine'), ...imported('beside')]),
    ...section(3, [2, 0, 0]),
    ...section(7, [2, ...text('keep'), 0, 0, ...text('putBack'), 0, 1]),
    ...section(10, [2, ...copyBetween(BESIDE, MACHINE), ...copyBetween(MACHINE, BESIDE)]),
  ]),
);

export class Snapshot {
  readonly #exports: Exports;
  /** The saved words, at the same places. */
  readonly plain: Uint32Array;

  /** Empty at first. */
  constructor(machine: WasmMemory) {
    const beside = makeMemory(machine.buffer.byteLength / 4);
    this.plain = new Uint32Array(beside.buffer);
    const [own, other] = [machine, beside] as WebAssembly.Memory[];
    const m = { machine: own!, beside: other! };
    const { exports } = new WebAssembly.Instance(module, { m });
    this.#exports = exports as unknown as Exports;
  }

  /** Save `words` words from `at` on. */
  keep(at: number, words: number): void {
    this.#exports.keep(at, words);
  }

  /** Restore them. */
  putBack(at: number, words: number): void {
    this.#exports.putBack(at, words);
  }
}
