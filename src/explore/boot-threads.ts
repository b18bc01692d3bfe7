/** A litmus test's machine, as it is in one thread, with its host CPUs in threads of their own. */

import { ThreadBoard } from './engine/threads/thread-board.ts';
import type { Subject } from './subject.ts';

/** To be closed when done with. */
export function bootThreads(subject: Subject): Promise<ThreadBoard> {
  const { shared, board, limits } = subject;
  return ThreadBoard.boot(shared, board.host, board.beginning, subject, limits);
}
