/** A litmus test in one setting, ready to run under many schedules. */

import type { SharedMachine } from '../../shared/host.ts';
import { BetweenSteps } from './between-steps.ts';
import { Board, type Limits } from './engine/board.ts';
import type { Run } from './engine/run.ts';
import { MOST_STEPS_EVER } from './engine/run-mode.ts';
import { KnownEnds } from './known-ends.ts';
import { bootLitmus } from './litmus/boot.ts';
import { type Kept, keep } from './litmus/kept.ts';
import type { Litmus } from './litmus/litmus.ts';
import { Timeline } from './litmus/overlap.ts';
import { litmusScheduling } from './litmus/scheduling.ts';
import { litmusSoftware } from './litmus/software.ts';
import type { Result } from './result.ts';
import type { Setting } from './setting.ts';
import type { Strategy } from './strategies/strategy.ts';

/**
 * A run of so many steps does not end. Litmus tests take some hundreds; where three vCPUs poll for
 * the one page table of a fourth, up to 63,000 were measured, of which 6,500 were no polling.
 */
const MOST_STEPS = 100_000;

/** Two to four accesses for an entry, and those of vCPUs that poll meanwhile. */
const MOST_STEPS_OF_ENTRY = 200;

/** With prefault, what an operation does may touch many entries. */
function mostStepsOf({ guest, vcpus }: Litmus): number {
  const operations = vcpus.flatMap(({ ops }) => ops).length;
  const entries = (guest.policy?.prefault ?? 1) - 1;
  return Math.min(MOST_STEPS + MOST_STEPS_OF_ENTRY * operations * entries, MOST_STEPS_EVER);
}

/** A litmus test in one setting, with all or some (`kept`) of its operations. */
export class Subject {
  /** Of the file that the test is in, or the name of one that comes with umbra. */
  readonly path: string;
  readonly litmus: Litmus;
  readonly setting: Setting;
  readonly kept: Kept | undefined;
  readonly board: Board;
  /** When the operations of the last run began. */
  readonly timeline = new Timeline();
  /** With all of its operations. */
  readonly whole: Litmus;
  /** The check between steps, if that is part of the setting. */
  readonly between: BetweenSteps | undefined;
  /** For threads that join it. */
  readonly shared: SharedMachine;
  /** A run of so many steps is cut short: a livelock. */
  readonly mostSteps: number;
  readonly #ends: KnownEnds;

  /** Throws UserError if there is no operation at a place to keep. */
  constructor(path: string, whole: Litmus, setting: Setting, kept?: Kept, mostSteps?: number) {
    const litmus = kept === undefined ? whole : keep(whole, kept);
    this.mostSteps = mostSteps ?? mostStepsOf(litmus);
    this.path = path;
    this.litmus = litmus;
    this.setting = setting;
    this.kept = kept;
    this.whole = whole;
    const { shared, host } = bootLitmus(litmus, setting);
    this.shared = shared;
    const software = litmusSoftware(litmus, {
      begins: (vcpu, place) => this.timeline.begins(vcpu, place, this.board.controller),
      ends: (vcpu, place) => this.timeline.ends(vcpu, place, this.board.controller),
    });
    this.board = new Board(shared, host, software, litmusScheduling(setting), this.limits);
    this.#ends = new KnownEnds(litmus, this.board);
    if (setting.betweenSteps) this.between = new BetweenSteps(litmus, this.board);
  }

  /** The same test with fewer operations, or in another setting. */
  changed({
    kept = this.kept,
    setting = this.setting,
  }: {
    kept?: Kept;
    setting?: Setting;
  }): Subject {
    return new Subject(this.path, this.whole, setting, kept);
  }

  run(strategy: Strategy, seed: number): Result {
    this.timeline.reset();
    return this.judged(this.play(strategy, seed));
  }

  /** Run once, without judging the result. */
  play(strategy: Strategy, seed: number): Run {
    return this.board.run(this.between?.watching(strategy) ?? strategy, seed);
  }

  get limits(): Limits {
    const { memory, abridged } = this.setting;
    return { mostSteps: this.mostSteps, memory, abridged };
  }

  /** The result of the run that has just ended. */
  judged(run: Run): Result {
    return this.#ends.resultOf(run);
  }
}
