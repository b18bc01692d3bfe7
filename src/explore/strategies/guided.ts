/**
 * Guided by coverage: a schedule that shows something new is kept and mutated, as in greybox
 * fuzzing (Wolff, Shi, Duck, Mathur, Roychoudhury: Greybox Fuzzing for Concurrency Testing, ASPLOS
 * 2024). New is a behaviour, by its trace digest, and worth more a race pair: an access and the
 * next conflicting one of its word, by another CPU.
 *
 * The stretches of a kept schedule are played up to a random one, another CPU runs then, and
 * from there on it goes by random priorities that change at each conflict (POS). One of four
 * schedules goes by these alone.
 */

import { type Access, onlyReads } from '../engine/access.ts';
import { Dice } from './dice.ts';
import type { Plan } from './lenient.ts';
import { Pos } from './pos.ts';
import {
  canBe,
  countRunnable,
  isRunnable,
  nthRunnable,
  type Situation,
  type Strategy,
} from './strategy.ts';

/** A kept schedule, and its energy: how often it will still be mutated first. */
interface Kept {
  readonly plan: Plan;
  energy: number;
}

/** The energy for a new behaviour alone, and for a new race pair. */
const BEHAVIOUR = 1;
const RACE = 8;

/** The most that are kept: the newest. */
const MOST = 1000;

/** The last access of a word in this run. */
interface Last {
  readonly actor: number;
  readonly isRead: boolean;
  readonly nth: number;
}

export class Guided implements Strategy {
  readonly #dice = new Dice();
  readonly #pos = new Pos();
  readonly #kept: Kept[] = [];
  readonly #traces = new Set<string>();
  readonly #pairs = new Set<string>();
  /** In this run: stretches that are played first, the current one of them, and the choices. */
  #prefix: Plan = [];
  #stretch = 0;
  #chosen: number[] = [];
  #plan: { who: number; until: number }[] = [];
  #last = new Map<number, Last>();
  #counts = new Map<string, number>();
  #newPairs = 0;

  begin(seed: number, actors: number): void {
    this.#dice.seed(seed);
    this.#pos.begin(seed, actors);
    this.#stretch = 0;
    this.#chosen = Array<number>(actors).fill(0);
    this.#plan = [];
    this.#last = new Map();
    this.#counts = new Map();
    this.#newPairs = 0;
    this.#prefix = this.#kept.length === 0 || this.#dice.below(4) === 0 ? [] : this.#drawn();
  }

  next(situation: Situation): number {
    // Its priorities follow each step, whichever part decided it.
    const free = this.#pos.next(situation);
    const who = this.#planned(situation) ?? free;
    this.#note(situation, who);
    return who;
  }

  ended(_steps: number, trace: string): void {
    const isNew = trace !== '' && !this.#traces.has(trace);
    if (isNew) this.#traces.add(trace);
    const energy = (isNew ? BEHAVIOUR : 0) + RACE * this.#newPairs;
    if (energy === 0) return;
    this.#kept.push({ plan: this.#plan, energy });
    if (this.#kept.length > MOST) this.#kept.shift();
  }

  draw(): number {
    return this.#dice.word();
  }

  /** Stretches of a kept schedule, up to a random one, which ends elsewhere. */
  #drawn(): Plan {
    const { length } = this.#kept;
    const worth = this.#kept.findLastIndex(({ energy }) => energy > 0);
    const kept = this.#kept[worth < 0 ? this.#dice.below(length) : worth]!;
    kept.energy--;
    const { plan } = kept;
    if (plan.length === 0) return [];
    const at = this.#dice.below(plan.length);
    const { who, until } = plan[at]!;
    const begun = plan.slice(0, at).findLast((stretch) => stretch.who === who)?.until ?? 0;
    return [...plan.slice(0, at), { who, until: begun + this.#dice.below(until - begun) + 1 }];
  }

  /** Undefined behind the last stretch: at its end another CPU goes on. */
  #planned(situation: Situation): number | undefined {
    for (; this.#stretch < this.#prefix.length; this.#stretch++) {
      const { who, until } = this.#prefix[this.#stretch]!;
      if (this.#chosen[who]! < until && canBe(situation, who)) return who;
    }
    if (this.#stretch !== this.#prefix.length || this.#stretch === 0) return undefined;
    this.#stretch++;
    const others = situation.runnable & ~(1 << this.#prefix.at(-1)!.who);
    return others === 0 ? undefined : nthRunnable(others, this.#dice.below(countRunnable(others)));
  }

  #note(situation: Situation, who: number): void {
    const until = ++this.#chosen[who]!;
    const stretch = this.#plan.at(-1);
    if (stretch?.who === who) stretch.until = until;
    else this.#plan.push({ who, until });
    const kind = situation.pendingKind(who);
    if (kind !== 0 && isRunnable(situation.runnable, who)) {
      this.#access(situation.pendingAt(who), who, kind);
    }
  }

  #access(at: number, actor: number, kind: Access): void {
    const isRead = onlyReads(kind);
    const key = `${at} ${actor}`;
    const nth = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, nth);
    const last = this.#last.get(at);
    this.#last.set(at, { actor, isRead, nth });
    if (last === undefined || last.actor === actor || (last.isRead && isRead)) return;
    const pair = `${at} ${last.actor} ${last.nth} ${actor} ${nth}`;
    if (this.#pairs.has(pair)) return;
    this.#pairs.add(pair);
    this.#newPairs++;
  }
}
