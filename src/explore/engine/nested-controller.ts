/**
 * The controller of host CPUs that all live in one thread. The next CPU begins or replays its
 * piece on the stack of the CPU before it, which simply goes on when control comes back. A CPU
 * further down the stack can go on only when all above it have unwound; they replay their
 * pieces later. So of two switches there and back, one is cheap.
 */

import type { Strategy } from '../strategies/strategy.ts';
import type { ControlledCpu } from './controlled-cpu.ts';
import { Controller } from './controller.ts';
import { LEAVE, type Task } from './task.ts';

export class NestedController extends Controller {
  /** By CPU number. */
  readonly players: ControlledCpu[] = [];
  /** A bit for each CPU that is in the middle of a piece, with others above it on the stack. */
  #below = 0;

  override join(strategy: Strategy, seed: number, mostSteps: number): void {
    // The last run may have ended with an error thrown through these frames.
    this.#below = 0;
    super.join(strategy, seed, mostSteps);
  }

  /** Run until all CPUs have finished, or control passes to one further down the stack. */
  play(): void {
    while (!this.isOver && !this.#isBelow(this.current)) {
      const cpu = this.players[this.current]!;
      cpu.goOn();
      if (cpu.task.finished && !this.isOver) this.decide();
    }
  }

  protected override pass(task: Task, next: number): void {
    // A watcher reads places from the stack: it must hold frames of one CPU only.
    if (this.watcher !== undefined || this.#isBelow(next)) throw LEAVE;
    const mine = 1 << task.index;
    this.#below |= mine;
    this.play();
    this.#below &= ~mine;
    if (this.current !== task.index) throw LEAVE;
  }

  #isBelow(cpu: number): boolean {
    return ((this.#below >>> cpu) & 1) === 1;
  }
}
