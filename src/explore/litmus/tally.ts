/** The outcomes of many schedules of a litmus test, and whether operations overlapped. */

import type { GuestDuty } from '../../check/guest-duty.ts';
import { Behaviours } from '../behaviours.ts';
import { CUT_SHORT, type CutShort, isCutShort, type Result } from '../result.ts';
import type { Subject } from '../subject.ts';
import type { Litmus } from './litmus.ts';
import { overlapped, type Pair, pairsOf } from './overlap.ts';

/** The number of schedules with an outcome. */
interface Line {
  /** As declared, or a description. */
  readonly is: string;
  readonly text: string;
  readonly count: number;
  /** False if it was declared as to be seen, and was not. */
  readonly isMet: boolean;
}

export class Tally {
  readonly litmus: Litmus;
  schedules = 0;
  readonly behaviours = new Behaviours();
  /** Of each declared outcome, in the order of the file. */
  readonly outcomes: number[];
  /** Runs that ended with none of the outcomes. */
  undeclared = 0;
  /** Runs that were stopped before their end. */
  readonly cutShort: Readonly<Record<CutShort, number>>;
  /** Runs in which the guest neglected what is left to it. */
  readonly neglected: Map<GuestDuty, number>;
  /** Runs in which operations of different vCPUs overlapped. */
  overlapping = 0;
  /** Of each pair of operations of different vCPUs, the runs in which they did. */
  readonly pairs: readonly { readonly pair: Pair; count: number }[];

  constructor(litmus: Litmus) {
    this.litmus = litmus;
    this.outcomes = litmus.outcomes.map(() => 0);
    this.cutShort = Object.fromEntries(
      CUT_SHORT.map((ending) => [ending, 0]),
    ) as typeof this.cutShort;
    this.neglected = new Map(litmus.guestDuty.map(({ duty }) => [duty, 0]));
    this.pairs = pairsOf(litmus).map((pair) => ({ pair, count: 0 }));
  }

  /** `result`: of the last run of `subject`; `isDrawn`: the schedule was not enumerated. */
  add(
    subject: Subject,
    { ending, outcome, neglected = new Set(), run }: Result,
    isDrawn = true,
  ): void {
    this.schedules++;
    const { discipline, paging } = subject.setting;
    this.behaviours.add(`${discipline} ${paging} ${run.trace}`, isDrawn);
    if (isCutShort(ending)) (this.cutShort as Record<CutShort, number>)[ending]++;
    else if (outcome === undefined) this.undeclared++;
    else this.outcomes[outcome]!++;
    for (const duty of neglected) this.neglected.set(duty, this.neglected.get(duty)! + 1);
    const spans = subject.timeline.spans(run.decisions.turns, run.steps, this.litmus.cpus);
    const met = this.pairs.filter(({ pair }) => overlapped(spans, pair));
    for (const each of met) each.count++;
    if (met.length > 0) this.overlapping++;
  }

  /** Outcomes as declared; then other endings, and violations left to the guest. */
  get lines(): Line[] {
    const { litmus, outcomes, undeclared, cutShort, neglected } = this;
    const declared = litmus.outcomes.map(({ is, text }, i) => {
      const isMet = outcomes[i]! > 0 || is === 'forbidden';
      return { is, text, count: outcomes[i]!, isMet };
    });
    const others: Omit<Line, 'isMet'>[] = [
      { is: 'not declared', count: undeclared, text: 'none of these' },
      ...CUT_SHORT.map((is) => ({ is, count: cutShort[is], text: 'cut short, and so no outcome' })),
    ];
    return [
      ...declared,
      ...others.filter(({ count }) => count > 0).map((line) => ({ ...line, isMet: true })),
      ...[...neglected].map(([duty, count]) => ({
        is: 'left to guest',
        text: duty,
        count,
        isMet: count > 0,
      })),
    ];
  }

  /** Operations of different vCPUs that never overlapped. */
  get apart(): Pair[] {
    return this.pairs.filter(({ count }) => count === 0).map(({ pair }) => pair);
  }
}
