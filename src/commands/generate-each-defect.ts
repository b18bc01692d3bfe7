/** `umbra generate --each-defect`: which program finds it, for each defect. */

import type { GenerateTask } from '../../workers/generate-task.ts';
import { type DefectId, SCHEDULE_DEFECTS } from '../defects.ts';
import { UserError } from '../errors.ts';
import {
  type DefectRow,
  eachDefectMarkdown,
  eachDefectText,
  type FirstFind,
  LADDER,
  rowOf,
} from '../explore/generate/each-defect.ts';
import { Programs, type Space } from '../explore/generate/plan.ts';
import { ExitCode } from './exit-code.ts';
import { type GenerateOptions, planFor } from './generate.ts';
import { heedInterrupt } from './interrupt.ts';
import { jsonOutput, mustShareStdout, output, printer } from './json-output.ts';
import { doUnits, type UnitsJob } from './units.ts';

/** Those that take a schedule. */
const MUTANTS = SCHEDULE_DEFECTS.filter((id) => id.startsWith('R'));

export async function eachDefect(options: GenerateOptions): Promise<void> {
  const { defects = MUTANTS, json, markdown, threads } = options;
  if (options.queue !== undefined && !options.wait) {
    throw new UserError('--each-defect goes step by step: with --queue give --wait');
  }
  mustShareStdout({ json, markdown });
  const writeJson = jsonOutput(json);
  const writeMarkdown = output(markdown, { option: '--markdown', what: 'table' });
  using interrupted = heedInterrupt();
  const rows: DefectRow[] = [];
  const progress = (): string =>
    `${rows.length} of ${defects.length} defects; ${defects[rows.length] ?? ''}`;
  for (const defect of defects) {
    const { signal } = interrupted;
    const row = await firstRow(defect, options, { threads, signal, progress });
    if (row === undefined) break;
    rows.push(row);
  }
  const missed = rows.some(({ first }) => first === null);
  if (markdown !== '-') printer(options)(eachDefectText(rows), missed);
  writeJson({ schema_version: 1, interrupted: interrupted.signal.aborted, defects: rows });
  process.exitCode = missed ? ExitCode.Failed : ExitCode.Ok;
  if (interrupted.signal.aborted) {
    process.stderr.write(
      'umbra: interrupted, and the table is not whole; --defects makes it shorter\n',
    );
    process.exitCode = ExitCode.Interrupted;
    return;
  }
  writeMarkdown(eachDefectMarkdown(rows, commandOf(options)));
}

/** The one that makes the same table. */
function commandOf({ defects, paging, discipline, configuration, seed }: GenerateOptions): string {
  return [
    'umbra generate --each-defect',
    ...(defects === undefined ? [] : [`--defects ${defects}`]),
    ...(paging === undefined ? [] : [`--paging ${paging}`]),
    ...(discipline === undefined ? [] : [`--discipline ${discipline}`]),
    ...(String(configuration) === 'AA,AB' ? [] : [`--configuration ${configuration}`]),
    ...(seed === 1 ? [] : [`--seed ${seed}`]),
  ].join(' ');
}

/** Of the first rung of the ladder on which a program fails; undefined after Ctrl-C. */
async function firstRow(
  defect: DefectId,
  options: GenerateOptions,
  job: Pick<UnitsJob<GenerateTask, FirstFind>, 'threads' | 'signal' | 'progress'>,
): Promise<DefectRow | undefined> {
  let row: DefectRow | undefined;
  for (const rung of LADDER) {
    const plan = planFor({ ...options, ops: rung.operations, ...rung, defects: [defect] });
    const programs = new Programs(plan);
    const tasks = plan.spaces.map((space) => ({ space, programs: programs.of(space) }));
    const results = new Map<Space, FirstFind>();
    const left = await doUnits<GenerateTask, FirstFind>(
      {
        worker: 'generate-task',
        name: 'first',
        tasks,
        ...job,
        kind: 'generate first',
        title: `umbra generate --each-defect --defects ${defect}`,
        done: (result, { space }) => void results.set(space, result),
      },
      options,
    );
    if (job.signal.aborted || left > 0) return undefined;
    const inOrder = new Map(plan.spaces.map((space) => [space, results.get(space)!]));
    row = rowOf(defect, rung, inOrder);
    if (row.first !== null) return row;
  }
  return row;
}
