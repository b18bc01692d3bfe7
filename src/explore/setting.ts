/** What a litmus test is run in: paging, discipline, defects, and how the run goes. */

import type { DisciplineName } from '../../shared/discipline.ts';
import type { DefectId } from '../defects.ts';
import { UserError } from '../errors.ts';
import type { PagingName } from '../hardware/entry.ts';
import type { RunMode } from './engine/run-mode.ts';
import type { Litmus } from './litmus/litmus.ts';

export interface Setting extends RunMode {
  readonly paging: PagingName;
  readonly discipline: DisciplineName;
  readonly defects: readonly DefectId[];
  /** Of abridged runs: invariants are looked at between steps, too (between-steps.ts). */
  readonly betweenSteps?: boolean | undefined;
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
