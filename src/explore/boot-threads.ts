/** A litmus test's machine, as it is in one thread, with its host CPUs in threads of their own. */

import { UserError } from '../errors.ts';
import { ThreadBoard } from './engine/threads/thread-board.ts';
import { litmusLoad } from './litmus/on-threads.ts';
import type { Subject } from './subject.ts';

/** The caller closes it. */
export function bootThreads(subject: Subject): Promise<ThreadBoard> {
  const { shared, board, limits, setting, path, kept } = subject;
  if (setting.betweenSteps) {
    throw new UserError(
      'a schedule is checked between steps in one thread only: leave --engine out',
    );
  }
  const world = { worker: 'controlled-cpu', loadFrom: litmusLoad, told: { path, kept } };
  return ThreadBoard.boot(shared, board.host, board.beginning, world, limits);
}
