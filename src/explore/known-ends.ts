/**
 * The results of runs by the memory in which they ended, so that the checks are made once for each:
 * of thousands of schedules of a litmus test most end in one of some dozen memories.
 *
 * Equal memory means an equal result, but for counters, which no check reads, and events, which
 * only checkLivelock reads. Pages are compared, not digests of them.
 */

import type { Host } from '../../shared/host.ts';
import type { Region } from '../../shared/layout.ts';
import { checkLivelock } from '../check/progress.ts';
import { PAGE_WORDS } from '../hardware/address.ts';
import { holdsBytes } from '../platform.ts';
import type { Board } from './engine/board.ts';
import type { Run } from './engine/run.ts';
import type { Litmus } from './litmus/litmus.ts';
import { isCutShort, type Result, resultOf } from './result.ts';

/** Of so many memories the results are kept, some 100 KiB each. */
const MOST = 64;

/** After so many more runs without a known end than with one, none is looked for any more. */
const PATIENCE = 128;

/** Bytes of memory, from address `from` on. */
interface Part {
  readonly from: number;
  readonly bytes: Uint8Array;
}

interface Known {
  readonly parts: readonly Part[];
  readonly result: Result;
}

export class KnownEnds {
  /** Runs whose end was known, less others. */
  balance = 0;
  readonly #litmus: Litmus;
  readonly #board: Board;
  readonly #memory: Uint8Array;
  /** By verdict and written pages; those met last come first. */
  readonly #ends = new Map<string, Known[]>();
  #count = 0;
  /** Pages that are also written without the leaf. */
  readonly #always: readonly number[];

  constructor(litmus: Litmus, board: Board) {
    this.#litmus = litmus;
    this.#board = board;
    this.#memory = new Uint8Array(board.host.words.plain.buffer);
    this.#always = pagesOf(board.host.layout.regions.hostCpus);
  }

  /** The result of the run that has just ended. */
  resultOf(run: Run): Result {
    const { host } = this.#board;
    const hasNone = isCutShort(run.verdict) || run.verdict === 'broken';
    if (hasNone || this.balance < -PATIENCE || checkLivelock(host).length > 0) {
      return resultOf(this.#litmus, this.#board, run);
    }
    const pages = this.#writtenPages();
    const key = `${run.verdict} ${run.message} ${pages.join(' ')}`;
    const ends = this.#ends.get(key) ?? [];
    const known = ends.findIndex(({ parts }) => parts.every(this.#holds));
    if (known >= 0) {
      this.balance++;
      const [end] = ends.splice(known, 1);
      ends.unshift(end!);
      return { ...end!.result, run };
    }
    this.balance--;
    const result = resultOf(this.#litmus, this.#board, run);
    if (this.#count++ === MOST) {
      this.#ends.clear();
      this.#count = 1;
      ends.length = 0;
    }
    ends.unshift({ parts: pages.flatMap((page) => this.#partsOf(host, page)), result });
    this.#ends.set(key, ends);
    return result;
  }

  readonly #holds = ({ from, bytes }: Part): boolean =>
    holdsBytes(this.#memory.buffer, from, bytes);

  #writtenPages(): number[] {
    const { touched } = this.#board.beginning;
    const pages = [...this.#always];
    for (let page = 0; page < touched.length; page++) {
      if (touched[page] === 1 && !this.#always.includes(page)) pages.push(page);
    }
    return pages;
  }

  /** All of a page but counters and events. */
  #partsOf({ layout: { regions } }: Host, page: number): Part[] {
    const parts: Part[] = [];
    let from = page * PAGE_WORDS;
    const to = from + PAGE_WORDS;
    const add = (until: number): void => {
      if (until > from)
        parts.push({ from: 4 * from, bytes: this.#memory.slice(4 * from, 4 * until) });
    };
    for (const { at, count, stride } of [regions.counters, regions.events]) {
      add(Math.min(at, to));
      from = Math.min(Math.max(from, at + count * stride), to);
    }
    add(to);
    return parts;
  }
}

/** The pages in which a region lies. */
function pagesOf({ at, count, stride }: Region): number[] {
  const [first, last] = [at, at + count * stride - 1].map((word) => Math.floor(word / PAGE_WORDS));
  return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
}
