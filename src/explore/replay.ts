/** A run of a litmus test as a token, and a token as a run. */

import { UserError } from '../errors.ts';
import { hex } from '../hardware/address.ts';
import { Access } from './engine/access.ts';
import { actorOf } from './engine/actors.ts';
import type { Step } from './engine/controller.ts';
import type { Run } from './engine/run.ts';
import { placeText, whereNow } from './engine/source.ts';
import { digestOf } from './litmus/meaning.ts';
import { packSwitches, unpackSwitches } from './packed.ts';
import type { Result } from './result.ts';
import { Diverged, Recorded } from './strategies/recorded.ts';
import type { Subject } from './subject.ts';
import { encodeToken, type Token } from './token.ts';

/** Steps whose digests a token holds: each, or of a longer run every second, third, … */
const MOST_DIGESTS = 4000;

const strideOf = (steps: number): number => Math.ceil(steps / MOST_DIGESTS);

/** Four bits: a step that differs passes for the recorded one with a chance of 1/16. */
const hexDigit = (digest: number): string => (digest & 0xf).toString(16);

/** The same run as one line. It is replayed for that. */
export function tokenOf(subject: Subject, { run }: Result): string {
  const { path, whole, setting, kept } = subject;
  const stride = strideOf(run.steps);
  let digests = '';
  let steps = 0;
  watched(subject, run, ({ digest }) => {
    if (++steps % stride === 0) digests += hexDigit(digest);
  });
  return encodeToken({
    file: path,
    digest: digestOf(whole),
    ...setting,
    defects: [...setting.defects],
    ...(kept && { kept: kept.map((places) => [...places]) }),
    mostSteps: subject.mostSteps,
    turns: packSwitches(run.decisions.turns),
    drawn: [...run.decisions.drawn],
    steps: run.steps,
    digests,
  });
}

function watched(
  subject: Subject,
  run: Pick<Run, 'decisions'>,
  watcher: (step: Step) => void,
): Run {
  const { controller } = subject.board;
  controller.watcher = watcher;
  try {
    return subject.play(new Recorded(run.decisions), 0);
  } catch (error) {
    if (error instanceof Diverged) throw new UserError(`the run diverges ${error.message}`);
    throw error;
  } finally {
    controller.watcher = undefined;
  }
}

/** Replay the run of a token. Throws UserError where it diverges. */
export function replayToken(
  subject: Subject,
  token: Token,
  watcher?: (step: Step) => void,
): Result {
  const stride = strideOf(token.steps);
  let steps = 0;
  const run = watched(
    subject,
    { decisions: { turns: unpackSwitches(token.turns), drawn: token.drawn } },
    (step) => {
      watcher?.(step);
      if (++steps % stride !== 0) return;
      if (hexDigit(step.digest) !== token.digests[steps / stride - 1]) {
        throw divergedAt(step, steps, subject.litmus.cpus);
      }
    },
  );
  if (steps !== token.steps) {
    throw new UserError(`the run ended after ${steps} steps, and ${token.steps} were recorded`);
  }
  return subject.judged(run);
}

/** Called within the diverging access. */
function divergedAt({ cpu, kind, before, after }: Step, step: number, cpus: number): UserError {
  const actor = actorOf(cpu, cpus);
  const name = Object.entries(Access).find(([, value]) => value === kind)![0];
  const word = before[0] === after[0] ? hex(before[0]) : `${hex(before[0])} -> ${hex(after[0])}`;
  return new UserError(
    `the run diverges at step ${step}, or a step or two before: CPU ${actor.cpu} ` +
      `makes the access ${name} (${word}) in ${placeText(whereNow())}, and another one, or one ` +
      'with another result, was recorded',
  );
}
