/**
 * The turn among host CPUs that all live in one thread. Who gets it begins its piece of work, or
 * does it again, on the stack of who passes it on; that one simply goes on when the turn comes
 * back. But who stands further down can go on only when all that stand on it have left their
 * pieces, to do them again later. So of two switches there and back one costs little.
 */

import type { Strategy } from '../strategies/strategy.ts';
import type { ControlledCpu } from './controlled-cpu.ts';
import { LEAVE, type Task } from './task.ts';
import { Turn } from './turn.ts';

export class NestedTurn extends Turn {
  /** By their numbers. */
  readonly players: ControlledCpu[] = [];
  /** A bit for each that stands in the middle of a piece, with others above it. */
  #below = 0;

  override join(strategy: Strategy, seed: number, mostSteps: number): void {
    // The last run may have ended by an error from above.
    this.#below = 0;
    super.join(strategy, seed, mostSteps);
  }

  /** Until all have come to their end, or the turn comes to one that stands below. */
  play(): void {
    while (!this.isOver && !this.#isBelow(this.current)) {
      const cpu = this.players[this.current]!;
      cpu.goOn();
      if (cpu.task.finished && !this.isOver) this.decide();
    }
  }

  protected override pass(task: Task, next: number): void {
    // A stack tells who is watched what it does, and nobody else.
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
