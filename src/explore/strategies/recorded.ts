/** Replays recorded decisions. */

import { actorOf } from '../engine/actors.ts';
import type { Decisions } from '../engine/controller.ts';
import { type Carry, canBe, type Situation, type Strategy } from './strategy.ts';

/** The run diverges from the recorded one. */
export class Diverged extends Error {
  override readonly name = 'Diverged';
}

export class Recorded implements Strategy {
  readonly #decisions: Decisions;
  #nextSwitch = 0;
  #nextDrawn = 0;

  constructor(decisions: Decisions) {
    this.#decisions = decisions;
  }

  begin(): void {
    this.#nextSwitch = 0;
    this.#nextDrawn = 0;
  }

  next(situation: Situation): number {
    const { step, current } = situation;
    const { turns } = this.#decisions;
    let actor = current;
    if (turns[this.#nextSwitch] === step) {
      actor = turns[this.#nextSwitch + 1]!;
      this.#nextSwitch += 2;
    }
    if (canBe(situation, actor)) return actor;
    throw new Diverged(`at step ${step}: ${nameOf(actor, situation.cpus)} was next, and cannot be`);
  }

  get until(): number {
    return this.#decisions.turns[this.#nextSwitch] ?? Number.POSITIVE_INFINITY;
  }

  draw(): number {
    const value = this.#decisions.drawn[this.#nextDrawn++];
    if (value === undefined) throw new Diverged('more numbers are drawn than were');
    return value;
  }

  carry(carry: Carry): void {
    this.#nextSwitch = carry(this.#nextSwitch);
    this.#nextDrawn = carry(this.#nextDrawn);
  }
}

function nameOf(number: number, cpus: number): string {
  const { kind, cpu } = actorOf(number, cpus);
  return kind === 'cpu' ? `CPU ${cpu}` : `CPU ${cpu}'s ${kind}`;
}
