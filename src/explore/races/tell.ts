/** The two sides of a race in one run, as in a story. */

import type { Line, Told } from '../../report/story.ts';
import { Access } from '../engine/access.ts';
import type { Result } from '../result.ts';
import { recordRun } from '../story/recording.ts';
import { tellStory } from '../story/tell.ts';
import type { Subject } from '../subject.ts';
import type { Race } from './gather.ts';
import type { Role } from './roles.ts';

export interface ToldSide extends Told {
  /** Machine-wide number; −1 for none. */
  readonly vcpu: number;
  /** `vCPU 0: load 0x00400000 -> r0`: what was begun last on that CPU; '' for nothing. */
  readonly operation: string;
}

interface ToldRun {
  readonly lines: readonly Line[];
  /** Of each step. */
  readonly vcpus: readonly number[];
}

/** Several races may share an example run, which is told once. */
export class SideTeller {
  readonly #subject: Subject;
  readonly #told = new Map<Result, ToldRun>();

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  /** Of the race's example, in the order of its sides. */
  sides({ example: { result, steps } }: Race): readonly [ToldSide, ToldSide] {
    const run = this.#told.get(result) ?? this.#tell(result);
    this.#told.set(result, run);
    return [toldSide(run, steps[0]), toldSide(run, steps[1])];
  }

  #tell(result: Result): ToldRun {
    const { steps } = recordRun(this.#subject, result.run.decisions);
    const { lines } = tellStory(this.#subject, result, { all: true });
    return { lines, vcpus: steps.map(({ vcpu }) => vcpu) };
  }
}

function toldSide({ lines, vcpus }: ToldRun, step: number): ToldSide {
  const i = lines.findIndex((line) => line.kind === 'step' && line.step === step);
  const told = lines[i] as Told;
  const begun = lines
    .slice(0, i)
    .findLast(({ kind, column }) => kind === 'operation' && column === told.column);
  const operation = begun?.kind === 'operation' ? begun.text : '';
  return { ...told, vcpu: vcpus[step]!, operation };
}

const WORDS: Readonly<Partial<Record<Role, string>>> = {
  entry: 'an entry',
  record: 'a record',
  data: 'memory',
};

/** `order race on an entry` */
export function titleOf({ kind, role, sides }: Race): string {
  const isLife = sides.some(({ access }) => access === Access.Fill);
  return `${kind} race on ${isLife ? 'a frame that is freed or handed out' : WORDS[role]}`;
}
