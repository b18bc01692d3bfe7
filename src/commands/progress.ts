/** How far work is whose end is known: how much is done, how fast, and how long the rest takes. */

import { duration, grouped, perSecond } from '../numbers.ts';
import type { Advance } from '../report/page/live-section.ts';

export class Progress {
  readonly #unit: string;
  readonly #start = performance.now();
  readonly #before: number;
  #done = 0;
  #all: number;
  #failed = 0;

  /** `all`, in `unit` (a plural), of which `before` were done already when this began. */
  constructor(unit: string, all: number, before = 0) {
    this.#unit = unit;
    this.#all = all;
    this.#before = before;
  }

  add(n = 1): void {
    this.#done += n;
  }

  /** The number of failures so far: comes first, since a narrow terminal shows no more. */
  fail(n = 1): void {
    this.#failed += n;
  }

  /** In words, and of how many. */
  get done(): string {
    return `${count(this.#before + this.#done)} of ${count(this.#all)}`;
  }

  /** The same as data. */
  get advance(): Advance {
    const done = this.#before + this.#done;
    const rate = this.#rate;
    return {
      done,
      all: this.#all,
      unit: this.#unit,
      rate,
      eta: this.#eta,
      failures: this.#failed,
    };
  }

  get #rate(): number {
    return this.#done / ((performance.now() - this.#start) / 1000);
  }

  get #eta(): string {
    const left = this.#all - this.#before - this.#done;
    return this.#rate > 0 ? duration(left / this.#rate) : '–';
  }

  /** So much is done in all. */
  reach(done: number): void {
    this.#done = done;
  }

  /** It was thought to be more. */
  drop(n: number): void {
    this.#all -= n;
  }

  /** 2 FAILED, 1,200 of 5,000 schedules, 431/s, ETA 0:09 */
  toString(): string {
    const failed = this.#failed === 0 ? '' : `${count(this.#failed)} FAILED, `;
    return `${failed}${this.done} ${this.#unit}, ${perSecond(this.#rate)}/s, ETA ${this.#eta}`;
  }
}

const count = (n: number): string => grouped(Math.round(n));
