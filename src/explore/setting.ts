/** The setting of a litmus test: paging form, discipline, defects, and the run mode. */

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
  /** For abridged runs: invariants are checked between steps, too (between-steps.ts). */
  readonly betweenSteps?: boolean | undefined;
}

/** Those of the given settings that a test is for; may be none. */
export function settingsOf(
  litmus: Litmus,
  { paging, discipline, defects, memory }: Partial<Setting>,
): Setting[] {
  const pagings = litmus.paging.filter((form) => form === (paging ?? form));
  // As the C code was written: every test runs in that setting on request.
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
