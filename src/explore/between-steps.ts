/**
 * Checks invariants between two steps of a run, and not at its end alone: wherever all host CPUs
 * are at safe points (src/host/safe-point.ts), by the schedule and not by the clock. Elsewhere a
 * CPU is in the middle of a change, and counts may rightly be off. The first violation ends the
 * run.
 */

import { dutyOf } from '../check/guest-duty.ts';
import { guestLookUp, judgingTop } from '../check/guest-tables.ts';
import { Moment } from '../check/moment.ts';
import type { Violation } from '../check/violation.ts';
import { toGva } from '../hardware/address.ts';
import type { Board } from './engine/board.ts';
import { BrokenBetween } from './engine/run.ts';
import type { Task } from './engine/task.ts';
import { brokenIn } from './litmus/duty.ts';
import type { Litmus } from './litmus/litmus.ts';
import type { Situation, Strategy } from './strategies/strategy.ts';

/** Most behaviours that are remembered; beyond that they are checked again. */
const MOST_LOOKED = 1 << 20;

export class BetweenSteps {
  readonly #litmus: Litmus;
  readonly #board: Board;
  /** Behaviours up to checked moments: they determine the contents of memory. */
  readonly looked = new Set<string>();
  /** Addresses whose entries the guest changes without telling the host; pages that it discards. */
  readonly #untold: ReadonlySet<number>;
  readonly #discarded: ReadonlySet<number>;

  /** `board`: of abridged runs. */
  constructor(litmus: Litmus, board: Board) {
    this.#litmus = litmus;
    this.#board = board;
    const ops = litmus.vcpus.flatMap((column) => column.ops);
    this.#untold = new Set(ops.flatMap((op) => (op.kind === 'pte' ? [op.va] : [])));
    this.#discarded = new Set(ops.flatMap((op) => (op.kind === 'discard' ? [op.page] : [])));
  }

  /** The same strategy, which throws BrokenBetween. */
  watching(strategy: Strategy): Strategy {
    return new Watching(strategy, this);
  }

  /** Throws BrokenBetween. */
  look(): void {
    const { controller, host, beginning, recording } = this.#board;
    if (!controller.tasks.every((task) => this.#isSafe(task))) return;
    const { digest } = recording!;
    if (this.looked.has(digest)) return;
    const moment = new Moment(beginning.isUnused);
    const { byHost } = brokenIn(this.#litmus, host, moment);
    const broken = byHost.find((violation) => !this.#isBeingTold(violation));
    if (broken !== undefined) throw new BrokenBetween(`between two steps: ${broken.text}`);
    if (this.looked.size === MOST_LOOKED) this.looked.clear();
    this.looked.add(digest);
  }

  /** At the beginning of a piece, or asleep and idle. */
  #isSafe(task: Task): boolean {
    const { mailbox } = this.#board.host.cpus[task.index]!;
    return !task.hasBegun || task.finished || task.waitsFor === mailbox;
  }

  /** What the guest itself must ensure, while it has not told the host of all its changes. */
  #isBeingTold(violation: Violation): boolean {
    if (dutyOf(violation) === undefined) return false;
    const { guests, vcpus } = this.#board.host;
    const { guest, pgdir, vaddr } = violation;
    if (guest === undefined || pgdir === undefined || vaddr === undefined) return false;
    if (this.#untold.has(vaddr) || vcpus.some((vcpu) => vcpu.hypercallPending)) return true;
    const lg = guests[guest]!;
    const mapped = guestLookUp(lg, judgingTop(lg, pgdir, toGva(vaddr)), toGva(vaddr))?.page;
    return mapped !== undefined && this.#discarded.has(mapped);
  }
}

/** A strategy that is asked at the beginning of each piece, and checks before it answers. */
class Watching implements Strategy {
  readonly eachPiece = true;
  readonly #strategy: Strategy;
  readonly #between: BetweenSteps;

  constructor(strategy: Strategy, between: BetweenSteps) {
    this.#strategy = strategy;
    this.#between = between;
  }

  begin(seed: number, actors: number): void {
    this.#strategy.begin(seed, actors);
  }

  next(situation: Situation): number {
    this.#between.look();
    return this.#strategy.next(situation);
  }

  get until(): number {
    return this.#strategy.until ?? 0;
  }

  get goesBackTo(): number | undefined {
    return this.#strategy.goesBackTo;
  }

  ended(steps: number, trace: string): void {
    this.#strategy.ended?.(steps, trace);
  }

  draw(): number {
    return this.#strategy.draw();
  }
}
