/** Running a litmus test by many schedules, and saying of each how it ended. */

import type { DisciplineName } from '../../shared/discipline.ts';
import type { SharedMachine } from '../../shared/host.ts';
import type { GuestDuty } from '../check/guest-duty.ts';
import { Moment } from '../check/moment.ts';
import type { DefectId } from '../defects.ts';
import { UserError } from '../errors.ts';
import { hex } from '../hardware/address.ts';
import type { PagingName } from '../hardware/entry.ts';
import { BetweenSteps } from './between-steps.ts';
import { Access } from './engine/access.ts';
import { actorOf } from './engine/actors.ts';
import { Board, type Limits } from './engine/board.ts';
import type { Run, Verdict } from './engine/run.ts';
import { placeText, whereNow } from './engine/source.ts';
import type { RunMode, Step } from './engine/turn.ts';
import { bootLitmus } from './litmus/boot.ts';
import { brokenIn } from './litmus/duty.ts';
import { judge } from './litmus/judge.ts';
import { type Kept, keep } from './litmus/kept.ts';
import type { Litmus } from './litmus/litmus.ts';
import { digestOf } from './litmus/meaning.ts';
import { Timeline } from './litmus/overlap.ts';
import { litmusScheduling } from './litmus/scheduling.ts';
import { litmusSoftware } from './litmus/software.ts';
import { packTurns, unpackTurns } from './packed.ts';
import { Diverged, Recorded } from './strategies/recorded.ts';
import type { Strategy } from './strategies/strategy.ts';
import { encodeToken, type Token } from './token.ts';

/** How a schedule ended: as it may, or what is wrong with it. */
export type Ending = 'ok' | 'violation' | Exclude<Verdict, 'ended' | 'broken'>;

/** Endings of a run that was stopped on its way: it has come to no outcome. */
export const CUT_SHORT = ['livelock', 'deadlock', 'oops'] as const;

export type CutShort = (typeof CUT_SHORT)[number];

export const isCutShort = (ending: Ending | Verdict): ending is CutShort =>
  CUT_SHORT.includes(ending as CutShort);

export interface Setting extends RunMode {
  readonly paging: PagingName;
  readonly discipline: DisciplineName;
  readonly defects: readonly DefectId[];
  /** Of abridged runs: invariants are looked at between steps, too (between-steps.ts). */
  readonly betweenSteps?: boolean | undefined;
}

export interface Result {
  readonly ending: Ending;
  /** The declared outcome, by its number in the file; undefined when none holds, or it was cut short. */
  readonly outcome: number | undefined;
  /** What failures of one kind share: an outcome, an invariant, a reason without its numbers. */
  readonly kind: string;
  /** What is wrong, in words; '' if nothing is. */
  readonly message: string;
  /** What the guest has left undone, of what its test leaves to it; of a run that ended well. */
  readonly neglected?: ReadonlySet<GuestDuty>;
  readonly run: Run;
}

/** A run of so many steps does not end; litmus tests take some hundreds. */
export const MOST_STEPS = 20_000;

/** Steps whose digests a token holds: each, or of a longer run every second, third, … */
const MOST_DIGESTS = 4000;

const strideOf = (steps: number): number => Math.ceil(steps / MOST_DIGESTS);

/** Four bits: a step that differs passes for the recorded one with a chance of 1/16. */
const hexDigit = (digest: number): string => (digest & 0xf).toString(16);

/** A litmus test in one setting, or what is `kept` of its operations, ready to be run again and again. */
export class Subject {
  /** Of the file that the test is in, or the name of one that comes with umbra. */
  readonly path: string;
  readonly litmus: Litmus;
  readonly setting: Setting;
  readonly kept: Kept | undefined;
  readonly board: Board;
  /** When the operations of the last run began. */
  readonly timeline = new Timeline();
  readonly #whole: Litmus;
  /** Who looks at it between steps, if that is part of the setting. */
  readonly between: BetweenSteps | undefined;
  /** For threads that are to join it. */
  readonly shared: SharedMachine;

  /** Throws UserError when there is nothing at a place that is to be kept. */
  constructor(path: string, whole: Litmus, setting: Setting, kept?: Kept) {
    const litmus = kept === undefined ? whole : keep(whole, kept);
    this.path = path;
    this.litmus = litmus;
    this.setting = setting;
    this.kept = kept;
    this.#whole = whole;
    const { shared, host } = bootLitmus(litmus, setting);
    this.shared = shared;
    const software = litmusSoftware(litmus, {
      begins: (vcpu, place) => this.timeline.begins(vcpu, place, this.board.turn),
      ends: (vcpu, place) => this.timeline.ends(vcpu, place, this.board.turn),
    });
    this.board = new Board(shared, host, software, litmusScheduling(setting), this.limits);
    if (setting.betweenSteps) this.between = new BetweenSteps(litmus, this.board);
  }

  /** The same test with fewer operations, or in another setting. */
  changed({
    kept = this.kept,
    setting = this.setting,
  }: {
    kept?: Kept;
    setting?: Setting;
  }): Subject {
    return new Subject(this.path, this.#whole, setting, kept);
  }

  run(strategy: Strategy, seed: number): Result {
    this.timeline.reset();
    return this.judged(this.play(strategy, seed));
  }

  /** Run once, and do not judge it. */
  play(strategy: Strategy, seed: number): Run {
    return this.board.run(this.between?.watching(strategy) ?? strategy, seed);
  }

  get limits(): Limits {
    const { memory, abridged } = this.setting;
    return { mostSteps: MOST_STEPS, memory, abridged };
  }

  /** The same run as one line. It is run once more for it. */
  tokenOf({ run }: Result): string {
    const stride = strideOf(run.steps);
    let digests = '';
    let steps = 0;
    this.#watched(run, ({ digest }) => {
      if (++steps % stride === 0) digests += hexDigit(digest);
    });
    return encodeToken({
      file: this.path,
      digest: digestOf(this.#whole),
      ...this.setting,
      defects: [...this.setting.defects],
      ...(this.kept && { kept: this.kept.map((places) => [...places]) }),
      mostSteps: MOST_STEPS,
      turns: packTurns(run.decisions.turns),
      drawn: [...run.decisions.drawn],
      steps: run.steps,
      digests,
    });
  }

  #watched(run: Pick<Run, 'decisions'>, watcher: (step: Step) => void): Run {
    this.board.turn.watcher = watcher;
    try {
      return this.play(new Recorded(run.decisions), 0);
    } catch (error) {
      if (error instanceof Diverged)
        throw new UserError(`the run goes another way ${error.message}`);
      throw error;
    } finally {
      this.board.turn.watcher = undefined;
    }
  }

  /** Do a run again that a token tells of. Throws UserError when it goes another way. */
  replay(token: Token, watcher?: (step: Step) => void): Result {
    const stride = strideOf(token.steps);
    let steps = 0;
    const run = this.#watched(
      { decisions: { turns: unpackTurns(token.turns), drawn: token.drawn } },
      (step) => {
        watcher?.(step);
        if (++steps % stride !== 0) return;
        if (hexDigit(step.digest) !== token.digests[steps / stride - 1]) {
          throw divergedAt(step, steps, this.litmus.cpus);
        }
      },
    );
    if (steps !== token.steps) {
      throw new UserError(`the run ended after ${steps} steps, and ${token.steps} were recorded`);
    }
    return this.judged(run);
  }

  /** What the run that has just ended came to. */
  judged(run: Run): Result {
    const { host } = this.board;
    const { verdict, message } = run;
    const reason = message.replace(/0x[0-9a-f]+|\d+/gi, 'N');
    if (verdict === 'broken' || isCutShort(verdict)) {
      const ending = verdict === 'broken' ? 'violation' : verdict;
      return { ending, outcome: undefined, kind: reason, message, run };
    }
    const { outcome, is, because } = judge(this.litmus, host);
    const as = (ending: Ending, kind: string, text: string): Result => ({
      ending,
      outcome,
      kind,
      message: text,
      run,
    });
    const mayBe = is === 'allowed' || is === 'interesting';
    if (verdict === 'killed' && !mayBe) return as('killed', reason, message);
    // Also of a guest that may be killed: what the host owes others, it owes still.
    if (!mayBe) return as('violation', `outcome ${outcome ?? is}`, `${is}: ${because}`);
    const moment = new Moment(this.board.beginning.isUnused);
    const { byHost, byGuest } = brokenIn(this.litmus, host, moment);
    const [broken] = byHost;
    if (broken === undefined) return { ...as('ok', '', ''), neglected: byGuest };
    return as('violation', `invariant ${broken.invariant}: ${broken.title}`, broken.text);
  }
}

/** The settings that a test is for, of those that are given; none if it is for none of them. */
export function settingsOf(
  litmus: Litmus,
  { paging, discipline, defects, memory }: Partial<Setting>,
): Setting[] {
  const pagings = litmus.paging.filter((form) => form === (paging ?? form));
  // As the C code was written: every test may be held to that, if it is asked for.
  const any: readonly DisciplineName[] =
    discipline === 'as-written' ? [discipline] : litmus.disciplines;
  const disciplines = any.filter((name) => name === (discipline ?? name));
  return pagings.flatMap((form) =>
    disciplines.map((name) => ({ paging: form, discipline: name, defects: defects ?? [], memory })),
  );
}

/** The same, at least one. Throws UserError if there is none. */
export function someSettingsOf(path: string, litmus: Litmus, given: Partial<Setting>): Setting[] {
  const settings = settingsOf(litmus, given);
  if (settings.length > 0) return settings;
  const { paging, discipline } = given;
  const isForm = paging === undefined || litmus.paging.includes(paging);
  const [found, expected] = isForm ? [discipline, litmus.disciplines] : [paging, litmus.paging];
  throw new UserError(
    `${path}: found ${found}, expected ${expected.join(' or ')}: it is for no other`,
  );
}

/** Called within the access that differs. */
function divergedAt({ cpu, kind, before, after }: Step, step: number, cpus: number): UserError {
  const actor = actorOf(cpu, cpus);
  const name = Object.entries(Access).find(([, value]) => value === kind)![0];
  const word = before[0] === after[0] ? hex(before[0]) : `${hex(before[0])} -> ${hex(after[0])}`;
  return new UserError(
    `the run goes another way at step ${step}, if not a step or two before: CPU ${actor.cpu} makes ` +
      `the access ${name} (${word}) in ${placeText(whereNow())}, and another one, or one with ` +
      'another result, was recorded',
  );
}
