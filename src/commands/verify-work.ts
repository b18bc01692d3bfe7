/** The work of `umbra verify`: which unit is next, and how far time allows. */

import { Piscina } from 'piscina';
import type { EstimateTask, VerifyTask } from '../../workers/verify-task.ts';
import { leastOf } from '../explore/verify/estimate.ts';
import type { VerifyLedger } from '../explore/verify/ledger.ts';
import { type Entry, guessOf } from '../explore/verify/verification.ts';
import { counted } from '../numbers.ts';
import { settingInShort } from '../report/litmus-setting.ts';
import type { QueuePool } from './verify-queue.ts';
import { rounded } from './verify-report.ts';

/** Runs of a unit: the first units are short, to create work for other threads. */
const FIRST_RUNS = 100;
const RUNS = 3000;
/** And some seconds: as much as is lost when the process is killed. */
const SECONDS = 5;
/** By which it is estimated how many there are, if these were not all. */
const RUNS_OF_ESTIMATE = 500;

export type Pool = Piscina | QueuePool;

export class Work {
  readonly #entries: readonly Entry[];
  /** For each entry. */
  readonly #seconds: number;
  readonly #ledger: VerifyLedger | undefined;
  #last: Entry | undefined;
  readonly #estimating = new Set<Entry>();

  constructor(
    entries: readonly Entry[],
    seconds = Number.POSITIVE_INFINITY,
    ledger?: VerifyLedger,
  ) {
    this.#entries = entries;
    this.#seconds = seconds;
    this.#ledger = ledger;
  }

  get isDone(): boolean {
    return this.#entries.every(
      (entry) => entry.frontier.isDone || entry.insteadOf?.frontier.isDone,
    );
  }

  /** R6-no-shootdown, guest-lock, nonpae: 12,345 behaviours, of some 60,000 */
  get progress(): string {
    const entry = this.#last;
    if (entry === undefined) return '';
    const { litmus, setting, frontier } = entry;
    const all = guessOf(entry);
    const where = `${litmus.name}, ${settingInShort(setting)}`;
    const { classes } = frontier.totals;
    const guess = all === undefined ? '' : `, of some ${rounded(all)}`;
    const most = frontier.bound === null ? '' : `, ${frontier.bound + 1} preemptions`;
    return `${counted(classes, 'behaviour')}${guess}, ${where}${most}`;
  }

  /** It is done, or its time is up; or it is not needed. */
  isSettled(entry: Entry): boolean {
    const { frontier, insteadOf } = entry;
    return frontier.isDone || this.#isOut(entry) || insteadOf?.frontier.isDone === true;
  }

  /**
   * Run as many at a time as there are jobs; the next one may depend on the results of one. `tell`
   * is called after each.
   */
  async doneBy(pool: Pool, jobs: number, signal: AbortSignal, tell: () => void): Promise<void> {
    const working = new Set<Promise<void>>();
    try {
      for (;;) {
        const next = working.size < jobs && !signal.aborted ? this.#next(pool, signal) : undefined;
        if (next !== undefined) {
          const done: Promise<void> = next.finally(() => working.delete(done));
          working.add(done);
        } else if (working.size === 0) return;
        else await Promise.race(working);
        tell();
      }
    } catch (error) {
      await Promise.allSettled(working);
      if ((error as Error).name !== 'AbortError') throw error;
    }
  }

  /** Its time is up, or would be, and it is not done. */
  #isOut(entry: Entry): boolean {
    const { isDone, isUnderWay } = entry.frontier;
    return !isDone && !isUnderWay && this.#isSpent(entry);
  }

  #isSpent(entry: Entry): boolean {
    const { seconds, classes } = entry.frontier.totals;
    if (seconds >= this.#seconds) return true;
    const hasBound = this.#entries.some(({ insteadOf }) => insteadOf === entry);
    return hasBound && leastOf(entry.estimate ?? 0) * (seconds / classes) > this.#seconds;
  }

  /** Once it is seen not to be small: before more is done. If it is broken off, not again. */
  #estimate(entry: Entry, pool: Piscina, signal: AbortSignal): Promise<void> {
    this.#estimating.add(entry);
    entry.estimate = null;
    this.#ledger?.estimated(entry);
    const { path, setting } = entry;
    const task: EstimateTask = { path, setting, most: RUNS_OF_ESTIMATE };
    return pool.run(task, { name: 'estimated', signal }).then((estimate: number) => {
      entry.estimate = estimate;
      this.#ledger?.estimated(entry);
      this.#estimating.delete(entry);
    });
  }

  /** The next piece of work there is, under way. */
  #next(pool: Pool, signal: AbortSignal): Promise<void> | undefined {
    for (const entry of this.#entries) {
      const next = this.#unit(entry, pool, signal);
      if (next === undefined) continue;
      this.#last = entry;
      return next;
    }
    return undefined;
  }

  /** Runs of the next unit: no more than there is time for, by the rate so far. */
  #runsOf({ classes, blocked, seconds }: Entry['frontier']['totals']): number {
    const runs = classes + blocked;
    if (runs === 0 || seconds === 0) return FIRST_RUNS;
    const inTime = (runs / seconds) * Math.min(SECONDS, this.#seconds - seconds);
    return Math.min(RUNS, Math.max(1, Math.ceil(inTime)));
  }

  #unit(entry: Entry, pool: Pool, signal: AbortSignal): Promise<void> | undefined {
    const { path, setting, frontier, insteadOf, bounds, estimate } = entry;
    const { seconds } = frontier.totals;
    if (insteadOf !== undefined && !this.#isOut(insteadOf)) return undefined;
    // What is left of many tests would fill the memory.
    if (this.#isOut(entry)) frontier.leave();
    if (frontier.isDone || this.#isSpent(entry) || this.#estimating.has(entry)) return undefined;
    const isWanted = bounds === undefined && estimate === undefined && seconds > 0;
    if (isWanted && pool instanceof Piscina) return this.#estimate(entry, pool, signal);
    const due = frontier.due();
    if (due === undefined) return undefined;
    const most = this.#runsOf(frontier.totals);
    const task: VerifyTask = { path, setting, ...due.part, most };
    return pool.run(task, { name: 'unit', signal }).then(
      (result) => {
        due.add(result as never);
        this.#ledger?.record(entry, { place: due.place, result });
      },
      (error: unknown) => {
        due.giveBack();
        throw error;
      },
    );
  }
}
