/** A worker of the conformance command's pool: replays one vector file. */

import { type Replayed, replayVectorFile } from '../src/conformance/replay.ts';
import { readVectorFile } from '../src/conformance/vector-file.ts';
import { UserError } from '../src/errors.ts';

/** A file that could not be replayed. Errors lose their class between threads. */
export interface Refused {
  readonly path: string;
  /** For the user: where, what was found and what was expected. */
  readonly refused: string;
}

export function replay(path: string): Replayed | Refused {
  try {
    return replayVectorFile(readVectorFile(path));
  } catch (error) {
    if (error instanceof UserError) return { path, refused: error.message };
    throw error;
  }
}
