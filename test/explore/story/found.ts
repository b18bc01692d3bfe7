/** Failing runs, and a passing one beside each, for stories. */

import type { DisciplineName } from '../../../shared/discipline.ts';
import type { DefectId } from '../../../src/defects.ts';
import { readLitmus } from '../../../src/explore/litmus/read.ts';
import type { Result } from '../../../src/explore/result.ts';
import { STRATEGIES } from '../../../src/explore/strategies/catalogue.ts';
import { Subject } from '../../../src/explore/subject.ts';
import type { PagingName } from '../../../src/hardware/entry.ts';

export interface Found {
  readonly subject: Subject;
  readonly failing: Result;
  /** The last passing run before it. */
  readonly passing: Result | undefined;
}

const MOST_RUNS = 2000;

/** With the fewest switches first, so that the failure has few. */
export function find(
  path: string,
  defect: DefectId,
  discipline: DisciplineName,
  paging: PagingName,
): Found {
  const setting = { paging, discipline, defects: [defect] };
  const subject = new Subject(path, readLitmus(path), setting);
  const strategy = STRATEGIES.fewest!();
  let passing: Result | undefined;
  for (let seed = 0; seed < MOST_RUNS; seed++) {
    const result = subject.run(strategy, seed);
    if (result.ending !== 'ok') return { subject, failing: result, passing };
    passing = result;
  }
  throw new Error(`${path} does not go wrong in ${MOST_RUNS} runs`);
}

export const R2 = 'litmus/1-fault/R2-cleared-entry-comes-back.yaml';
export const R5 = 'litmus/5-flush/R5-table-freed-before-unlinked.yaml';
export const R9 = 'litmus/6-switcher/R9-same-cpu-another-vcpu.yaml';
export const R10 = 'litmus/6-switcher/R10-one-pgdir-two-cpus.yaml';
