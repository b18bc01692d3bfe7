/** The table of verdicts, as a part of a page: a row for each test, a column for each setting. */

import { basename, dirname, extname, join } from 'node:path';
import { grouped } from '../numbers.ts';
import type { Part } from './marked-page.ts';
import { type Report, rounded, type TestReport } from './verify-report.ts';

export const MARKDOWN: Part = {
  begin: '<!-- written by umbra verify --markdown: begin -->',
  end: '<!-- written by umbra verify --markdown: end -->',
  what: 'table of verdicts',
};

export function markdownOf({ tests }: Report): string {
  const settings = [...new Set(tests.map(settingOf))];
  const files = Map.groupBy(tests, ({ file }) => nameOf(file));
  const rows = [...files].map(([name, of]) => {
    const cells = settings.map((setting) => {
      const test = of.find((each) => settingOf(each) === setting);
      return test === undefined ? '–' : cellOf(test);
    });
    return `| ${[name, ...cells].join(' | ')} |`;
  });
  return [
    `| test | ${settings.join(' | ')} |`,
    `|---|${settings.map(() => '--:|').join('')}`,
    ...rows,
    '',
  ].join('\n');
}

const settingOf = ({ discipline, paging }: TestReport): string => `${discipline}, ${paging}`;

const nameOf = (file: string): string =>
  join(basename(dirname(file)), basename(file, extname(file)));

/** **570** where all were run, ≤ 2: 1,234 with a bound, 1,234+ where time was up. */
function cellOf({ classes, bound, complete, guess, outcomes }: TestReport): string {
  const n = grouped(classes);
  const wrong = outcomes.some(({ ending }) => ending !== 'ok') ? ' **wrong**' : '';
  const some = complete ? '' : '+';
  if (bound !== null) return `${bound < 0 ? '' : `≤ ${bound}: `}${n}${some}${wrong}`;
  if (complete) return `**${n}**${wrong}`;
  return `${n}+${guess === null ? '' : ` of some ${rounded(guess)}`}${wrong}`;
}
