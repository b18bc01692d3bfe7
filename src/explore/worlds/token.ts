/** A run of a world as one line: the world's name, and the decisions. The code is the user's. */

import { z } from 'zod';
import { UserError } from '../../errors.ts';
import { packed, packSwitches, unpacked, unpackSwitches } from '../packed.ts';
import { Diverged, Recorded } from '../strategies/recorded.ts';
import type { Strategy } from '../strategies/strategy.ts';
import { WorldBoard, type WorldEnding, type WorldResult, type WorldStep } from './board.ts';
import type { World } from './world.ts';

/** The number is raised whenever the same decisions may lead to another run. */
const PREFIX = 'umbraworld1.';

export interface WorldReplayed {
  readonly ending: WorldEnding;
  readonly message: string;
  readonly steps: number;
  readonly story: readonly string[];
}

const tokenSchema = z.strictObject({
  world: z.string(),
  turns: z.array(z.int().min(0)),
  steps: z.int().min(0),
  /** Of all steps. */
  digest: z.string(),
});

export const worldToken = ({ name }: World, { decisions, steps, digest }: WorldResult): string =>
  PREFIX +
  packed(JSON.stringify({ world: name, turns: packSwitches(decisions.turns), steps, digest }));

export const isWorldToken = (text: string): boolean => /^umbraworld\d+\./.test(text.trim());

/** Its world. Throws UserError for a token that is damaged, or of another version. */
export const worldNameOf = (token: string): string => decoded(token).world;

/** Replay a run. Throws UserError for a token of another world, and if the run diverges. */
export function replayWorld(
  world: World,
  token: string,
  watcher?: (step: WorldStep) => void,
): WorldResult {
  const { world: name, turns, steps, digest } = decoded(token);
  if (name !== world.name) {
    throw new UserError(`the token is of world ${name}, and this is world ${world.name}`);
  }
  // A run that was cut off was cut off there.
  const board = new WorldBoard(world, { mostSteps: steps });
  board.watcher = watcher;
  const result = runRecorded(board, new Recorded({ turns: unpackSwitches(turns), drawn: [] }));
  if (result.steps === steps && result.digest === digest) return result;
  throw new UserError(`the run diverges: world ${name} does not do what it did`);
}

/** Replay a schedule. Throws a `UserError` where the world diverges. */
export function replayOfWorld(world: World, token: string): WorldReplayed {
  const story: string[] = [];
  const { ending, message, steps } = replayWorld(world, token, ({ thread, text, result }) =>
    story.push(`${thread}: ${text} -> ${result}`),
  );
  return { ending, message, steps, story };
}

function runRecorded(board: WorldBoard, strategy: Strategy): WorldResult {
  try {
    return board.run(strategy, 0);
  } catch (error) {
    if (!(error instanceof Diverged)) throw error;
    throw new UserError(`the run diverges ${error.message}`);
  }
}

function decoded(token: string): z.infer<typeof tokenSchema> {
  const text = token.trim();
  if (!text.startsWith(PREFIX)) {
    throw new UserError(`found a token of something else, expected one that begins with ${PREFIX}`);
  }
  try {
    return tokenSchema.parse(JSON.parse(unpacked(text.slice(PREFIX.length))));
  } catch {
    throw new UserError('the token is damaged: it must be given whole, as it was printed');
  }
}
