/** The lines to measure: all, or those with a text in their name. */

import { UserError } from '../src/errors.ts';
import type { Sweep } from './growth/sweep.ts';
import { SWEEPS } from './growth/sweeps.ts';
import { type Part, SUITE } from './suite.ts';

export interface Selection {
  readonly parts: readonly Part[];
  readonly sweeps: readonly Sweep[];
  readonly memory: boolean;
}

/** A filter sees `part: name`. Throws UserError when it leaves nothing. */
export function selected(filter: string): Selection {
  const has = (part: string, name: string): boolean => matches(filter, part, name);
  const parts = SUITE.map(({ name, lines }) => ({
    name,
    lines: lines.filter((line) => has(name, line.name)),
  })).filter(({ lines }) => lines.length > 0);
  const sweeps = SWEEPS.filter(({ name }) => has('growth', name));
  const memory = has('memory', '');
  if (parts.length > 0 || sweeps.length > 0 || memory) return { parts, sweeps, memory };
  throw new UserError(
    `nothing has '${filter}' in its name; there are\n${namesOf(selected('')).trimEnd()}`,
  );
}

export const matches = (filter: string, part: string, name: string): boolean =>
  `${part}: ${name}`.toLowerCase().includes(filter.toLowerCase());

/** A name in each row, below those of the parts. */
export function namesOf({ parts, sweeps, memory }: Selection): string {
  const groups = [
    ...parts.map(({ name, lines }) => [name, ...lines.map((line) => line.name)]),
    ...(sweeps.length > 0 ? [['growth', ...sweeps.map(({ name }) => name)]] : []),
    ...(memory ? [['memory']] : []),
  ];
  return groups
    .map(([part, ...names]) => [part, ...names.map((n) => `  ${n}`), ''].join('\n'))
    .join('');
}
