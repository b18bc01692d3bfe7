/**
 * Portfolio: several strategies, one after the other, since none is the best for every bug. One
 * that has no more schedules is skipped.
 */

import type { Situation, Strategy } from './strategy.ts';

export class Portfolio implements Strategy {
  readonly #members: readonly Strategy[];
  #runs = 0;
  #member: Strategy;

  constructor(members: readonly Strategy[]) {
    this.#members = members;
    this.#member = members[0]!;
  }

  begin(seed: number, actors: number): void {
    for (let tries = 0; tries < this.#members.length; tries++) {
      const round = Math.floor(this.#runs / this.#members.length);
      this.#member = this.#members[this.#runs++ % this.#members.length]!;
      // Each member needs even and odd seeds: see WithEvents.
      this.#member.begin(seed + round, actors);
      if (!this.#member.exhausted) return;
    }
  }

  get exhausted(): boolean {
    return this.#members.every(({ exhausted }) => exhausted);
  }

  get isListed(): boolean {
    return this.#member.isListed ?? false;
  }

  next(situation: Situation): number {
    return this.#member.next(situation);
  }

  get until(): number {
    return this.#member.until ?? 0;
  }

  get eachPiece(): boolean {
    return this.#member.eachPiece ?? false;
  }

  ended(steps: number, trace: string): void {
    this.#member.ended?.(steps, trace);
  }

  draw(): number {
    return this.#member.draw();
  }
}
