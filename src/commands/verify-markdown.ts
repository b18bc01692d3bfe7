/** Verdicts as tables, each a part of a page. */

import { basename, dirname, extname, join } from 'node:path';
import { grouped } from '../numbers.ts';
import { tableMarkdown } from '../report/text-table.ts';
import type { Part } from './marked-page.ts';
import { conditionsOf, type Report, rounded, type TestReport } from './verify-report.ts';

const partOf = (what: string, option: string): Part => ({
  begin: `<!-- written by umbra verify ${option}: begin -->`,
  end: `<!-- written by umbra verify ${option}: end -->`,
  what,
});

/** A row for each test, a column for each setting. */
export const VERDICTS_PART = partOf('table of verdicts', '--markdown');

/** A row for each defect: the fewest preemptions that it takes. */
export const DEFECTS_PART = partOf('table of defects', '--own-defect --markdown');

export const markdownOf = (report: Report, part: Part): string =>
  `${provenanceOf(report)}\n\n${(part === DEFECTS_PART ? defectsOf : verdictsOf)(report.tests)}\n`;

/** The commit and what was run. */
function provenanceOf({ engine, project: { version, commit, dirty }, tests }: Report): string {
  const of = commit === undefined ? '' : `, commit ${commit}${dirty ? ' with changes' : ''}`;
  const conditions = [...new Set(tests.map(conditionsOf))].join('; ');
  return `umbra ${version}, engine ${engine}${of}; ${conditions}:`;
}

function verdictsOf(tests: readonly TestReport[]): string {
  const settings = [...new Set(tests.map(settingOf))];
  const rows = Map.groupBy(tests, ({ file }) => nameOf(file))
    .entries()
    .map(([name, of]) => {
      const by = Map.groupBy(of, settingOf);
      return [name, ...settings.map((setting) => cellOf(by.get(setting) ?? []))];
    });
  return tableMarkdown({ head: ['test', ...settings], rows: [...rows] });
}

const settingOf = ({ discipline, paging }: TestReport): string => `${discipline}, ${paging}`;

const nameOf = (file: string): string =>
  join(basename(dirname(file)), basename(file, extname(file)));

/** For one setting: the result without a bound, and with one if the first is not complete. */
function cellOf(tests: readonly TestReport[]): string {
  const reached = tests.findLast(({ bound }) => bound !== null && bound >= 0) ?? tests[0];
  if (reached === undefined) return '–';
  const { classes, bound, complete, guess } = reached;
  const wrong = tests.some((test) => failuresOf(test).length > 0) ? ' **wrong**' : '';
  const n = `${grouped(classes)}${complete ? '' : '+'}`;
  if (bound !== null) return `${bound < 0 ? '' : `≤ ${bound}: `}${n}${wrong}`;
  if (complete) return `**${n}**${wrong}`;
  return `${n}${guess === null ? '' : ` of some ${rounded(guess)}`}${wrong}`;
}

const failuresOf = ({ outcomes }: TestReport) => outcomes.filter(({ ending }) => ending !== 'ok');

function defectsOf(tests: readonly TestReport[]): string {
  const rows = Map.groupBy(tests, ({ defects }) => defects.join(', '))
    .entries()
    .map(([defect, of]) => [defect, ...fewestOf(of)]);
  return tableMarkdown({
    head: ['defect', 'fewest preemptions', 'as', 'in', 'setting'],
    rows: [...rows],
  });
}

/** By whichever of the tests for it. */
function fewestOf(tests: readonly TestReport[]): readonly string[] {
  const found = tests.flatMap((test) => failuresOf(test).map((failure) => ({ test, failure })));
  const countOf = ({ failure }: (typeof found)[number]): number => failure.preemptions ?? Infinity;
  const [first] = found.toSorted((a, b) => countOf(a) - countOf(b));
  if (first === undefined) {
    const [least] = tests.map(({ bound }) => bound ?? -1).toSorted((a, b) => a - b);
    return [least! < 0 ? 'not found' : `more than ${least}`, '', nameOf(tests[0]!.file), ''];
  }
  const { test, failure } = first;
  const fewest = failure.preemptions === undefined ? 'found' : `${failure.preemptions}`;
  return [fewest, failure.ending, nameOf(test.file), settingOf(test)];
}
