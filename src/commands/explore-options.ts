/** Options of commands that run schedules under control: which settings, and which schedules. */

import { basename } from 'node:path';
import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { findLitmusFiles } from '../explore/litmus/find-files.ts';
import { readLitmus } from '../explore/litmus/read.ts';
import { type Setting, settingsOf, someSettingsOf } from '../explore/setting.ts';
import { STRATEGIES } from '../explore/strategies/catalogue.ts';
import type { Shard } from '../ledger.ts';
import { didYouMean } from '../yaml/closest.ts';
import { parseDefects } from './defects.ts';
import { disciplineOption, group, integer, memoryOption, pagingOption } from './options.ts';

/** Options of the commands that run many tests. */
export const TESTS =
  'litmus tests, folders of them, or names of what comes with umbra (umbra litmus lists it)';

/** Settings that are not given are those that a test is for. */
export type SettingOptions = Partial<Setting>;

export const withSettings = group((command) =>
  command
    .optionsGroup('Settings (by default those that the test is for):')
    .addOption(disciplineOption())
    .addOption(pagingOption())
    .addOption(memoryOption())
    .addOption(defectsOption()),
);

export const defectsOption = () =>
  new Option('--defects <ids>', 'defects of the C code that are on: all, none, or R9,R10,…')
    .argParser(parseDefects)
    .default(undefined, 'none');

/**
 * The tests at these paths that are for the settings that are given; others are named on stderr.
 * Throws UserError if there are none.
 */
export function testsFor(paths: readonly string[], given: SettingOptions): readonly string[] {
  const files = findLitmusFiles(paths);
  const { paging, discipline } = given;
  if (paging === undefined && discipline === undefined) return files;
  const tests = files.map((path) => ({ path, litmus: readLitmus(path) }));
  const isFor = ({ litmus }: (typeof tests)[number]): boolean =>
    settingsOf(litmus, given).length > 0;
  const [fit, others] = [tests.filter(isFor), tests.filter((test) => !isFor(test))];
  const [first] = others;
  if (fit.length === 0 && first !== undefined) someSettingsOf(first.path, first.litmus, given);
  if (others.length > 0) {
    const names = others.map(({ path }) => basename(path, '.yaml')).join(', ');
    process.stderr.write(
      `umbra: not for ${[discipline, paging].filter(Boolean).join(', ')}, and left out: ${names}\n`,
    );
  }
  return fit.map(({ path }) => path);
}

const NAMES = Object.keys(STRATEGIES);

/** Names with commas between them; none twice. */
export const strategiesOption = () =>
  new Option(
    '--strategy <names>',
    `how schedules are chosen, with commas between: ${NAMES.join(', ')}`,
  )
    .argParser(parseStrategies)
    .default(['portfolio'], 'portfolio');

export const seedOption = () =>
  new Option('--seed <n>', 'of the first schedule; the next ones count up')
    .argParser(integer(0))
    .default(1);

export const shardOption = () =>
  new Option('--shard <i/n>', 'only the i-th of n parts')
    .argParser(parseShard)
    .default({ index: 1, of: 1 }, '1/1');

function parseStrategies(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(
      `'${unknown}' is no strategy${didYouMean(unknown, NAMES) || '.'} Allowed choices are ` +
        `${NAMES.join(', ')}, with commas between them.`,
    );
  }
  return [...new Set(names)];
}

const MOST_SHARDS = 0xffff;

function parseShard(text: string): Shard {
  const [index, of] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).slice(1).map(Number);
  if (index === undefined || of === undefined || index < 1 || index > of || of > MOST_SHARDS) {
    throw new InvalidArgumentError(
      `i/n is expected, with i from 1 to n, and n at most ${MOST_SHARDS}: 1/4 is the first of ` +
        'four.',
    );
  }
  return { index, of };
}
