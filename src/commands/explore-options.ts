/** Options of the commands that run schedules under control: which settings, and which schedules. */

import { type Command, Option } from 'commander';
import type { Setting } from '../explore/search.ts';
import { STRATEGIES } from '../explore/strategies/catalogue.ts';
import { parseDefects } from './defects.ts';
import { disciplineOption, integer, pagingOption } from './options.ts';

/** Settings that are not given are those that a test is for. */
export type SettingOptions = Partial<Setting>;

export const withSettings = (command: Command): Command =>
  command
    .addOption(disciplineOption())
    .addOption(pagingOption())
    .addOption(
      new Option('--defects <ids>', 'defects of the C code that are on: all, none, or R9,R10,…')
        .argParser(parseDefects)
        .default(undefined, 'none'),
    );

const NAMES = Object.keys(STRATEGIES);

export const strategyOption = (): Option =>
  new Option('--strategy <name>', 'how schedules are chosen').choices(NAMES).default('portfolio');

export const seedOption = (): Option =>
  new Option('--seed <n>', 'of the first schedule; the next ones count up')
    .argParser(integer(0))
    .default(1);
