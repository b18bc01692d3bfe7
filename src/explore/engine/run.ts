/** How a run under control ends. */

import type { Host } from '../../../shared/host.ts';
import { Dead } from '../../../shared/lguest.ts';
import { HostOops } from '../../errors.ts';
import { ALL_HAVE_ENDED } from './control-state.ts';
import { Deadlock, type Decisions, TooManySteps } from './controller.ts';

export type Verdict =
  /** The guest ended by itself. */
  | 'ended'
  /** The guest died. */
  | 'killed'
  /** The host died. */
  | 'oops'
  /** No CPU could go on. */
  | 'deadlock'
  /** It did not end within the allowed number of steps. */
  | 'livelock'
  /** Stopped by a violation between two steps (between-steps.ts). */
  | 'broken';

export interface End {
  readonly verdict: Verdict;
  /** The message of the cause; '' for `ended`. */
  readonly message: string;
}

export interface Run extends End {
  readonly steps: number;
  readonly decisions: Decisions;
  /** Of all steps, in their order. */
  readonly digest: string;
  /** Of the order of conflicting accesses alone: the same for all runs of one behaviour. */
  readonly trace: string;
}

/** Thrown by a strategy that has found a violation at a decision. */
export class BrokenBetween extends Error {
  override readonly name = 'BrokenBetween';
}

const BY_ITSELF: End = { verdict: 'ended', message: '' };

/** The end that an error stands for. A bug is rethrown. */
export function endOf(error: unknown): End {
  if (error instanceof HostOops) return { verdict: 'oops', message: error.message };
  if (error instanceof TooManySteps) return { verdict: 'livelock', message: error.message };
  if (error instanceof Deadlock) return { verdict: 'deadlock', message: error.message };
  if (error === ALL_HAVE_ENDED) return BY_ITSELF;
  if (error instanceof BrokenBetween) return { verdict: 'broken', message: error.message };
  throw error;
}

/** All CPUs have finished. */
export function endOfGuests({ guests }: Host): End {
  const killed = guests.find(({ dead }) => dead === Dead.Killed);
  return killed === undefined ? BY_ITSELF : { verdict: 'killed', message: killed.reason };
}
