/**
 * The chain of ever smaller tests that a failure was shrunk to, and which of them fail without the
 * defects as well. Some dozens of schedules do not show all of these. So the last one is checked by
 * as many schedules as the search took, and if it fails, shrinking goes back to the last test that
 * does not. Failing tests are remembered, with the schedule.
 */

import type { Kept } from '../litmus/kept.ts';
import { Noted, type Plan } from '../strategies/lenient.ts';
import { Recorded } from '../strategies/recorded.ts';
import type { Control, Yardstick } from './yardstick.ts';

interface Link {
  readonly kept: Kept;
  readonly plan: Plan;
}

const keyOf = ({ kept }: Link): string => JSON.stringify(kept);

export class Chain<Failure extends Link> {
  readonly #yardstick: Yardstick;
  readonly #whole: Failure;
  /** Each smaller than the one before. */
  readonly #links: Failure[];
  /** How each was checked. */
  readonly #checked = new Map<string, Control>();
  /** Those that fail without the defects. */
  readonly #refused = new Set<string>();
  /** How the whole test failed without the defects, if it did. */
  #failed: Control | undefined;

  constructor(yardstick: Yardstick, whole: Failure) {
    this.#yardstick = yardstick;
    this.#whole = whole;
    this.#links = [whole];
    this.#failed = yardstick.failed;
  }

  /** Whether a smaller test is known to fail without the defects. */
  isRefused(link: Link): boolean {
    return this.#failed === undefined && this.#refused.has(keyOf(link));
  }

  /** Whether a smaller test may pass without the defects; then it is the next link. */
  accepts(failure: Failure): boolean {
    if (!this.#mayPass(failure)) return false;
    this.#links.push(failure);
    return true;
  }

  /**
   * The smallest that passes without the defects, `best` if it does; and how that was checked, or
   * how the whole test failed. `next` as in Yardstick.check.
   */
  async settle(
    best: Failure,
    next: (control: Control) => Promise<void>,
  ): Promise<{ readonly best: Failure; readonly control: Control }> {
    if (this.#failed !== undefined) return { best, control: this.#failed };
    for (let link: Failure | undefined = best; link !== undefined; link = this.#links.pop()) {
      if (link !== best && link !== this.#whole && !this.#mayPass(link)) continue;
      const control = await this.#check(link, next);
      if (control.failure !== undefined) continue;
      if (link !== best) this.#links.push(link);
      return { best: link, control };
    }
    this.#failed = this.#checked.get(keyOf(this.#whole))!;
    this.#yardstick.loosen();
    return { best, control: this.#failed };
  }

  #mayPass(link: Failure): boolean {
    if (this.isRefused(link)) return false;
    if (this.#yardstick.accepts(link.kept, link.plan)) return true;
    this.#refused.add(keyOf(link));
    return false;
  }

  async #check(link: Failure, next: (control: Control) => Promise<void>): Promise<Control> {
    const known = this.#checked.get(keyOf(link));
    if (known !== undefined) return known;
    const control = await this.#yardstick.check(link.kept, next);
    this.#checked.set(keyOf(link), control);
    if (control.failure !== undefined) {
      this.#refused.add(keyOf(link));
      this.#heed(control.failure);
    }
    return control;
  }

  #heed({ subject, result: { run } }: NonNullable<Control['failure']>): void {
    const noted = new Noted(new Recorded(run.decisions));
    subject.run(noted, 0);
    const { abridged = false } = subject.setting;
    this.#yardstick.heed({ plan: [...noted.plan], drawn: run.decisions.drawn, abridged });
  }
}
