/** Mistakes in the text of a litmus test, by the parser of the commands. */

import { UserError } from '../../errors.ts';
import { type Litmus, parseLitmus } from '../../explore/litmus/litmus.ts';
import { TEST } from '../engine/test-name.ts';

export interface Mistake {
  /** From 1, as is the column. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface Checked {
  /** What the text says, if nothing is wrong with it. */
  readonly litmus: Litmus | undefined;
  readonly mistakes: readonly Mistake[];
}

export function checked(text: string): Checked {
  try {
    return { litmus: parseLitmus(text, TEST), mistakes: [] };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { litmus: undefined, mistakes: error.message.split('\n').map(mistakeOf) };
  }
}

function mistakeOf(line: string): Mistake {
  const [, at, column, message] = /^[^:]*:(\d+):(\d+): (.*)$/s.exec(line) ?? [];
  return { line: Number(at ?? 1), column: Number(column ?? 1), message: message ?? line };
}
