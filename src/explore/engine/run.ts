/** How a run under control ends. */

import type { Host } from '../../../shared/host.ts';
import { Dead } from '../../../shared/lguest.ts';
import { HostOops } from '../../errors.ts';
import { Deadlock, type Decisions, TooManySteps } from './controller.ts';

export type Verdict =
  /** The guest ended by itself. */
  | 'ended'
  /** The guest died. */
  | 'killed'
  /** The host died. */
  | 'oops'
  /** Nobody could go on. */
  | 'deadlock'
  /** It did not end within the steps that were allowed. */
  | 'livelock'
  /** Something was wrong between two steps (between-steps.ts), where it was stopped. */
  | 'broken';

export interface End {
  readonly verdict: Verdict;
  /** Why, in the words of who says so; '' for `ended`. */
  readonly message: string;
}

export interface Run extends End {
  readonly steps: number;
  readonly decisions: Decisions;
  /** Of all steps, in their order. */
  readonly digest: string;
  /** Of the order of conflicting accesses alone: the same for all runs that behave alike. */
  readonly trace: string;
}

/** Thrown by a strategy that has seen something wrong where it was asked. */
export class BrokenBetween extends Error {
  override readonly name = 'BrokenBetween';
}

/** The end that an error is. One of ours is thrown on. */
export function endOf(error: unknown): End {
  if (error instanceof HostOops) return { verdict: 'oops', message: error.message };
  if (error instanceof TooManySteps) return { verdict: 'livelock', message: error.message };
  if (error instanceof Deadlock) return { verdict: 'deadlock', message: error.message };
  if (error instanceof BrokenBetween) return { verdict: 'broken', message: error.message };
  throw error;
}

/** All CPUs have come to their end. */
export function endOfGuests({ guests }: Host): End {
  const killed = guests.find(({ dead }) => dead === Dead.Killed);
  return killed === undefined
    ? { verdict: 'ended', message: '' }
    : { verdict: 'killed', message: killed.reason };
}
