/** A worker that replays an earlier failure, with this version. */

import { UserError } from '../src/errors.ts';
import { subjectOf } from '../src/explore/find-subject.ts';
import { replayToken } from '../src/explore/replay.ts';
import { decodeToken } from '../src/explore/token.ts';
import type { AgainResult } from '../src/queue/kinds.ts';

export interface AgainTask {
  readonly token: string;
  /** Of the test that it is of. */
  readonly text: string;
}

export function again({ token: packed, text }: AgainTask): AgainResult {
  try {
    const token = decodeToken(packed);
    const { ending, message } = replayToken(subjectOf(token, { text }), token);
    return { still: ending === 'ok' ? 'passes' : `${ending}: ${message}` };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // Of another engine, or the code takes other steps by now: it says nothing any more.
    return { still: `cannot be done again: ${error.message}` };
  }
}
