/** How a schedule of a litmus test ended. */

import type { GuestDuty } from '../check/guest-duty.ts';
import { Moment } from '../check/moment.ts';
import type { Board } from './engine/board.ts';
import type { Run, Verdict } from './engine/run.ts';
import { brokenIn } from './litmus/duty.ts';
import { judge } from './litmus/judge.ts';
import type { Litmus } from './litmus/litmus.ts';

/** How a schedule ended: an allowed outcome, or what is wrong. */
export type Ending = 'ok' | 'violation' | Exclude<Verdict, 'ended' | 'broken'>;

/** Endings of a run that was stopped before its end: it has no outcome. */
export const CUT_SHORT = ['livelock', 'deadlock', 'oops'] as const;

export type CutShort = (typeof CUT_SHORT)[number];

export const isCutShort = (ending: Ending | Verdict): ending is CutShort =>
  CUT_SHORT.includes(ending as CutShort);

export interface Result {
  readonly ending: Ending;
  /** The number of the declared outcome; undefined when none holds, or the run was stopped. */
  readonly outcome: number | undefined;
  /** The kind of a failure: an outcome, an invariant, a reason without its numbers. */
  readonly kind: string;
  /** The failure, in words; '' for none. */
  readonly message: string;
  /** What the guest has left undone that its test asks of it; of a run that ended well. */
  readonly neglected?: ReadonlySet<GuestDuty>;
  readonly run: Run;
}

/** The result of the run that has just ended on a board. */
export function resultOf(litmus: Litmus, { host, beginning }: Board, run: Run): Result {
  const { verdict, message } = run;
  const reason = message.replace(/0x[0-9a-f]+|\d+/gi, 'N');
  if (verdict === 'broken' || isCutShort(verdict)) {
    const ending = verdict === 'broken' ? 'violation' : verdict;
    return { ending, outcome: undefined, kind: reason, message, run };
  }
  const { outcome, is, because } = judge(litmus, host);
  const as = (ending: Ending, kind: string, text: string): Result => ({
    ending,
    outcome,
    kind,
    message: text,
    run,
  });
  const mayBe = is === 'allowed' || is === 'interesting';
  if (verdict === 'killed' && !mayBe) return as('killed', reason, message);
  // Also for a guest that may be killed: the host's duties to others remain.
  if (!mayBe) return as('violation', `outcome ${outcome ?? is}`, `${is}: ${because}`);
  const moment = new Moment(beginning.isUnused);
  const { byHost, byGuest } = brokenIn(litmus, host, moment);
  const [broken] = byHost;
  if (broken === undefined) return { ...as('ok', '', ''), neglected: byGuest };
  return as('violation', `invariant ${broken.invariant}: ${broken.title}`, broken.text);
}
