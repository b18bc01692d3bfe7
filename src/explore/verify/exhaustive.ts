/** Goes through all behaviours of what runs on a board: a strategy, to be asked run after run. */

import { assert } from '../../errors.ts';
import type { Board } from '../engine/board.ts';
import type { RecordingTrace } from '../engine/recording-trace.ts';
import type { Situation, Strategy } from '../strategies/strategy.ts';
import { ALL_SLEEP, Dpor } from './dpor.ts';
import type { Node } from './node.ts';

/** Thrown to leave a run in the middle whose rest was done before. */
export class Blocked extends Error {
  override readonly name = 'Blocked';
}

export class Exhaustive implements Strategy {
  readonly dpor: Dpor;
  readonly #board: Board;
  readonly #recording: RecordingTrace;
  /** Steps of this run that are as in the last one. */
  goesBackTo = 0;

  /** `board`: of abridged runs; `nodes`: see Dpor.enter. */
  constructor(board: Board, nodes: readonly Node[] = []) {
    const { recording, controller } = board;
    assert(recording !== undefined, 'accesses are recorded');
    const { plain } = board.host.words;
    this.dpor = new Dpor(controller.actors, plain.length, (word) => plain[word]!, controller.cpus);
    this.dpor.enter(nodes);
    this.#board = board;
    this.#recording = recording;
  }

  /** Before each run: false when there are no more. */
  goOn(): boolean {
    const known = this.dpor.begin();
    if (known === undefined) return false;
    this.goesBackTo = known;
    return true;
  }

  begin(): void {
    this.#recording.recorder = undefined;
  }

  /** Throws Blocked. */
  next({ step, runnable, guardOf }: Situation): number {
    this.#recording.recorder = this.dpor;
    this.#board.past!.mark(step);
    const actor = this.dpor.next(runnable, guardOf);
    if (actor === ALL_SLEEP) throw new Blocked();
    return actor;
  }

  ended(): void {
    this.#recording.recorder = undefined;
    this.dpor.end(this.#board.controller.guardOf);
  }

  draw(): number {
    return 0;
  }
}
