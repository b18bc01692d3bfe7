/** One unit: some programs of one space, each swept; failures are shrunk, and their cause found. */

import type { Decisions } from '../engine/controller.ts';
import type { Ending, Result } from '../result.ts';
import { pairToBlame } from '../story/blame.ts';
import { accessesOf } from '../story/tell.ts';
import type { FirstFind } from './each-defect.ts';
import { isLegal } from './legality.ts';
import type { Space } from './plan.ts';
import type { Program } from './programs.ts';
import { Trial, type Tried } from './trial.ts';

export interface UnitResult {
  readonly programs: number;
  readonly schedules: number;
  readonly blocked: number;
  /** Programs with more behaviours than the bound. */
  readonly unfinished: number;
  readonly steps: number;
  /** How many programs failed. */
  readonly failed: number;
  readonly finds: readonly Find[];
}

/** A failing program from which no operation can be left out. */
export interface Find {
  readonly program: Program;
  readonly ending: Ending;
  readonly kind: string;
  readonly message: string;
  /** The functions of the two accesses that are to blame. */
  readonly cause: string;
  readonly decisions: Decisions;
  /** How many failing programs of the unit it stands for. */
  readonly count: number;
}

/** Failures of one kind in a unit that are analysed; more of them are only counted. */
const MOST_OF_A_KIND = 2;

/** A pure function of space and programs. */
export function runUnit(space: Space, programs: readonly Program[]): UnitResult {
  const trial = warmTrial(space);
  const finds: Find[] = [];
  const ofKind = new Map<string, number>();
  let [schedules, blocked, unfinished, steps, failed] = [0, 0, 0, 0, 0];
  for (const program of programs) {
    const tried = trial.try(program);
    schedules += tried.schedules;
    blocked += tried.blocked;
    unfinished += Number(tried.isUnfinished);
    steps += tried.steps;
    if (tried.failure === undefined) continue;
    failed++;
    const { kind } = tried.failure;
    const before = ofKind.get(kind) ?? 0;
    ofKind.set(kind, before + 1);
    if (before < MOST_OF_A_KIND) finds.push(lookInto(trial, program, tried.failure));
    else {
      const last = finds.findLastIndex((find) => find.kind === kind);
      finds[last] = { ...finds[last]!, count: finds[last]!.count + 1 };
    }
  }
  return { programs: programs.length, schedules, blocked, unfinished, steps, failed, finds };
}

/** Programs until one fails. */
export function firstFind(space: Space, programs: readonly Program[]): FirstFind {
  const trial = warmTrial(space);
  let schedules = 0;
  for (const [i, program] of programs.entries()) {
    const tried = trial.try(program);
    schedules += tried.schedules;
    if (tried.failure === undefined) continue;
    return { programs: i + 1, schedules, find: lookInto(trial, program, tried.failure) };
  }
  return { programs: programs.length, schedules, find: undefined };
}

function lookInto(trial: Trial, program: Program, failure: Result): Find {
  const smallest = smaller(trial, program, failure.kind);
  const tried = trial.try(smallest);
  const { ending, kind, message, run } = tried.failure!;
  return {
    program: smallest,
    ending,
    kind,
    message,
    decisions: run.decisions,
    cause: causeOf(trial, tried),
    count: 1,
  };
}

/** Shrink the program as long as it fails in the same way. */
function smaller(trial: Trial, program: Program, kind: string): Program {
  for (const [vcpu, column] of program.entries()) {
    for (const i of column.keys()) {
      const candidate = program.with(vcpu, column.toSpliced(i, 1));
      if (!isLegal(candidate, trial.configuration, trial.setting.paging)) continue;
      if (trial.try(candidate).failure?.kind === kind) return smaller(trial, candidate, kind);
    }
  }
  return program;
}

/** From the failing schedule and a passing one of the same program. */
function causeOf({ subject }: Trial, { failure, passing }: Tried): string {
  const beside = passing && accessesOf(subject, passing).accesses;
  const { accesses, broke } = accessesOf(subject, failure!);
  const pair = pairToBlame(accesses, broke?.step ?? accesses.length, beside);
  if (pair === undefined) return '';
  return `${pair.first.where.name}, then ${pair.second.where.name}`;
}

/** A thread's boards, by space; some megabytes each. */
const warm = new Map<string, Trial>();

function warmTrial({ configuration, setting, most }: Space): Trial {
  const key = JSON.stringify([configuration, setting, most]);
  const trial = warm.get(key) ?? new Trial(configuration, setting, most);
  warm.set(key, trial);
  return trial;
}
