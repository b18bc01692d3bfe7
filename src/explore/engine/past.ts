/**
 * The state of a run under control at each of its decisions, so that the next run continues from
 * one of them in another way, without repeating what comes before.
 *
 * Changes of shared memory are logged and undone from the last one on. The private state of a host
 * CPU is saved for each piece, which is replayed from its beginning by the replay log, as after any
 * switch (task.ts).
 */

import type { Until } from '../../../shared/words.ts';
import type { HostOops } from '../../errors.ts';
import type { Controller } from './controller.ts';
import type { Journal } from './journal.ts';
import { Task } from './task.ts';

export class Past {
  readonly #controller: Controller;
  readonly #journal: Journal;
  readonly #now: Uint32Array;
  /** For each decision: the run's state, the length of the journal, and each task's place. */
  #rows: Uint32Array;
  readonly #rowWords: number;
  /** For each decision, what is not a number; and for each task. */
  readonly #oops: (HostOops | undefined)[] = [];
  readonly #untils: (Until | undefined)[] = [];

  /** `controller`: with all its tasks. */
  constructor(controller: Controller, journal: Journal) {
    this.#controller = controller;
    this.#journal = journal;
    this.#now = controller.state.now(controller.memory === 'tso');
    this.#rowWords = this.#now.length + 1 + controller.tasks.length * Task.PLACE_WORDS;
    this.#rows = new Uint32Array(256 * this.#rowWords);
  }

  /** A run begins; `keeps`: its decisions will be marked, to go back to. */
  begin(keeps: boolean): void {
    this.#journal.begin(keeps);
    for (const task of this.#controller.tasks) task.keepsPast = keeps;
  }

  /** Mark the decision of step `step`, which is made now, to go back to. */
  mark(step: number): void {
    const { state, tasks, oops } = this.#controller;
    let at = step * this.#rowWords;
    if (at === this.#rows.length) this.#grow();
    const rows = this.#rows;
    state.handOver();
    rows.set(this.#now, at);
    at += this.#now.length;
    rows[at++] = this.#journal.length;
    this.#oops[step] = oops;
    for (let i = 0; i < tasks.length; i++) {
      const task = tasks[i]!;
      task.keepPlace(rows, at);
      at += Task.PLACE_WORDS;
      this.#untils[step * tasks.length + i] = task.until;
    }
  }

  /** Undo the last run from the decision of `step` on; all before were marked. */
  goBack(step: number): void {
    const controller = this.#controller;
    const { state, tasks, touched } = controller;
    let at = step * this.#rowWords;
    this.#now.set(this.#rows.subarray(at, at + this.#now.length));
    state.takeOver();
    at += this.#now.length;
    this.#journal.takeBack(this.#rows[at++]!, touched);
    for (const [i, task] of tasks.entries()) {
      task.goBack(this.#rows, at, this.#untils[step * tasks.length + i]);
      at += Task.PLACE_WORDS;
    }
    controller.oops = this.#oops[step];
  }

  #grow(): void {
    const rows = new Uint32Array(this.#rows.length * 2);
    rows.set(this.#rows);
    this.#rows = rows;
  }
}
