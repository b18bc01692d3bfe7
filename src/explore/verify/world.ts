/** All behaviours of a world of the user's own, each once. */

import { UserError } from '../../errors.ts';
import type { Decisions } from '../engine/controller.ts';
import { goesOnByItself, type Situation, type Strategy } from '../strategies/strategy.ts';
import { WorldBoard, type WorldEnding, type WorldResult } from '../worlds/board.ts';
import { MOST_WORDS } from '../worlds/shared.ts';
import type { World } from '../worlds/world.ts';
import { ALL_SLEEP, Dpor } from './dpor.ts';
import { Blocked } from './exhaustive.ts';

/** The outcomes of behaviours, each with a run. */
export interface WorldOutcome {
  readonly ending: WorldEnding;
  readonly message: string;
  readonly classes: number;
  readonly decisions: Decisions;
}

export interface WorldVerification {
  readonly classes: number;
  /** Runs left in the middle, since the rest of them was done before. */
  readonly blocked: number;
  /** All were run. */
  readonly complete: boolean;
  /** Each of its own, the wrong ones last. */
  readonly outcomes: readonly WorldOutcome[];
}

const SPINS = 'has infinitely many behaviours: wait by until instead';

/** Words that a thread waits for together were not tied: the search begins again. */
class NotTied extends Error {
  override readonly name = 'NotTied';
}

class ExhaustiveWorld implements Strategy {
  readonly dpor: Dpor;
  readonly #board: WorldBoard;
  #known = 0;

  constructor(board: WorldBoard, threads: number) {
    this.#board = board;
    this.dpor = new Dpor(threads, MOST_WORDS + 1, board.valueOf);
  }

  /** Before each run: false when there are no more. */
  goOn(): boolean {
    const known = this.dpor.begin();
    this.#known = known ?? 0;
    return known !== undefined;
  }

  begin(): void {
    this.#board.trace.recorder = undefined;
  }

  next({ step, runnable, actors, guardOf, relaxes }: Situation): number {
    if (relaxes) {
      throw new UserError(`a world that spins (relax) ${SPINS}`);
    }
    if (step < this.#known) return this.dpor.actorOf(step);
    this.#tie(actors, guardOf);
    this.#board.trace.recorder = this.dpor;
    const actor = this.dpor.next(runnable, guardOf);
    if (actor === ALL_SLEEP) throw new Blocked();
    return actor;
  }

  ended(): void {
    this.#tie(this.#board.actors, this.#board.guardOf);
    this.#board.trace.recorder = undefined;
    this.dpor.end(this.#board.guardOf);
  }

  draw(): number {
    return 0;
  }

  /** Throws NotTied. */
  #tie(actors: number, guardOf: Situation['guardOf']): void {
    const { trace } = this.#board;
    for (let actor = 0; actor < actors; actor++) {
      const words = guardOf(actor)?.words ?? [];
      if (words.length < 2 || trace.areTied(words)) continue;
      trace.tie(words);
      throw new NotTied();
    }
  }
}

/** `goOn`: called before each run; false ends it early. */
export async function verifyWorld(
  world: World,
  mostSteps: number | undefined,
  goOn: () => boolean | Promise<boolean>,
): Promise<WorldVerification> {
  const board = new WorldBoard(world, { mostSteps, goesOn: true });
  // So that it is known how many threads there are.
  board.run({ begin: () => {}, next: goesOnByItself, draw: () => 0 }, 0);
  for (;;) {
    try {
      return await searched(board, goOn);
    } catch (error) {
      if (!(error instanceof NotTied)) throw error;
    }
  }
}

async function searched(
  board: WorldBoard,
  goOn: () => boolean | Promise<boolean>,
): Promise<WorldVerification> {
  const search = new ExhaustiveWorld(board, board.actors);
  const met = new Map<string, WorldOutcome>();
  let complete = false;
  while (await goOn()) {
    complete = !search.goOn();
    if (complete) break;
    const result = runOnce(board, search);
    if (result === undefined) continue;
    const { ending, message, decisions } = result;
    // Steps that the other threads had not taken yet were not reversed with the earlier ones.
    if (ending === 'livelock') throw new UserError(`a world that spins (${message}) ${SPINS}`);
    const key = `${ending} ${message}`;
    const before = met.get(key);
    const simpler = isSimpler(decisions, before?.decisions) ? decisions : before!.decisions;
    met.set(key, { ending, message, classes: (before?.classes ?? 0) + 1, decisions: simpler });
  }
  const { classes, blocked } = search.dpor;
  const rank = ({ ending }: WorldOutcome): number => (ending === 'ok' ? 0 : 1);
  const outcomes = [...met.values()].toSorted((a, b) => rank(a) - rank(b));
  return { classes, blocked, complete, outcomes };
}

/** Undefined for a run whose rest was done before. */
function runOnce(board: WorldBoard, search: ExhaustiveWorld): WorldResult | undefined {
  try {
    return board.run(search, 0);
  } catch (error) {
    if (error instanceof Blocked) return undefined;
    throw error;
  }
}

const isSimpler = ({ turns }: Decisions, than: Decisions | undefined): boolean =>
  than === undefined || turns.length < than.turns.length;
