/** `umbra litmus`: what litmus tests come to, counted over many schedules. */

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';
import { Command, Option } from 'commander';
import type { DefectId } from '../../shared/defects.ts';
import { UserError } from '../../shared/errors.ts';
import { type Litmus, readLitmus } from '../explore/litmus/litmus.ts';
import { type Result, type Setting, Subject, settingsOf } from '../explore/search.ts';
import { STRATEGIES } from '../explore/strategies/catalogue.ts';
import { parseDefects } from './defects.ts';
import { ExitCode } from './exit-code.ts';
import { JSON_OPTION, jsonOutput } from './json-output.ts';
import { disciplineOption, integer, memoryOption, pagingOption } from './options.ts';

interface Options extends Partial<Pick<Setting, 'paging' | 'discipline' | 'memory'>> {
  readonly defects?: readonly DefectId[];
  readonly strategy: string;
  readonly runs: number;
  readonly seed: number;
  readonly json?: string;
}

/** What the schedules of one test came to. */
interface Tally {
  readonly path: string;
  readonly litmus: Litmus;
  readonly schedules: number;
  /** Of each declared outcome, in the order of the file. */
  readonly outcomes: readonly number[];
  /** Those that went wrong, whatever their outcome. */
  readonly wrong: readonly { readonly message: string; readonly token: string }[];
}

export function litmusCommand(): Command {
  return new Command('litmus')
    .description(
      'Run litmus tests by many schedules each, in every setting that they are for, and count ' +
        'their outcomes.',
    )
    .argument('<path...>', 'litmus tests, or folders of them')
    .addOption(disciplineOption())
    .addOption(pagingOption())
    .addOption(memoryOption())
    .addOption(
      new Option('--defects <ids>', 'defects of the C code that are on: all, none, or R9,R10,…')
        .argParser(parseDefects)
        .default(undefined, 'none'),
    )
    .addOption(
      new Option('--strategy <name>', 'how schedules are chosen')
        .choices(Object.keys(STRATEGIES))
        .default('portfolio'),
    )
    .option('--runs <n>', 'schedules in each setting', integer(1), 100)
    .option('--seed <n>', 'of the first schedule; the next ones count up', integer(0), 1)
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      `\nExit code: ${ExitCode.Ok} all as it may be, ${ExitCode.Failed} an outcome that is ` +
        `forbidden or not declared, a broken invariant or a bad end, ${ExitCode.UserMistake} a ` +
        'mistake in what was given.\n\nExamples:\n' +
        '  umbra litmus litmus\n' +
        '  umbra litmus litmus/6-switcher --defects R9 --runs 1000',
    )
    .action(litmus);
}

async function litmus(paths: readonly string[], options: Options): Promise<void> {
  const writeJson = jsonOutput(options.json);
  const files = paths.flatMap(filesAt);
  const tests = files.map((path) => ({ path, litmus: readLitmus(path) }));
  const tallies: Tally[] = [];
  for (const { path, litmus: test } of tests) {
    const tally = await tallyOf(path, test, options);
    tallies.push(tally);
    if (options.json !== '-') process.stdout.write(describe(tally));
  }
  writeJson({
    schema_version: 1,
    tests: tallies.map(({ path, litmus: test, schedules, outcomes, wrong }) => ({
      ...{ path, name: test.name, schedules, wrong },
      outcomes: test.outcomes.map(({ text, is }, i) => ({ when: text, is, count: outcomes[i] })),
    })),
  });
  const failed = tallies.some(({ wrong }) => wrong.length > 0);
  process.exitCode = failed ? ExitCode.Failed : ExitCode.Ok;
}

/** A file, or all tests below a folder. */
function filesAt(path: string): string[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new UserError(`${path}: there is no such file or folder`);
  if (!stat.isDirectory()) return [path];
  const found = readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => join(path, name));
  if (found.length === 0) throw new UserError(`${path}: there is no litmus test (*.yaml) below it`);
  return found;
}

/** Wrong schedules of a test that are kept to be told. */
const MOST_WRONG = 3;

async function tallyOf(path: string, test: Litmus, options: Options): Promise<Tally> {
  const outcomes = test.outcomes.map(() => 0);
  const wrong: { message: string; token: string }[] = [];
  let schedules = 0;
  for (const setting of settingsOf(test, options)) {
    const subject = new Subject(path, test, setting);
    const strategy = STRATEGIES[options.strategy]!();
    for (let i = 0; i < options.runs; i++) {
      const result = subject.run(strategy, options.seed + i);
      schedules++;
      if (result.outcome !== undefined) outcomes[result.outcome]!++;
      if (result.ending === 'ok' || wrong.length === MOST_WRONG) continue;
      wrong.push({ message: messageOf(setting, result), token: subject.tokenOf(result) });
    }
    // So that Ctrl-C is heard.
    await new Promise(setImmediate);
  }
  return { path, litmus: test, schedules, outcomes, wrong };
}

const messageOf = ({ discipline, paging }: Setting, { ending, message }: Result): string =>
  `${discipline}, ${paging}: ${ending}: ${message}`;

function describe({ path, litmus: test, schedules, outcomes, wrong }: Tally): string {
  const table = new Table({
    head: ['', 'count', 'when'],
    colAligns: ['left', 'right', 'left'],
    style: { head: [], border: [], compact: true },
    chars: EMPTY,
  });
  for (const [i, { is, text }] of test.outcomes.entries()) {
    table.push([is, outcomes[i]!.toLocaleString('en-US'), text]);
  }
  const bad = wrong.map(({ message, token }) => `${message}\numbra replay ${token}\n`).join('');
  const heading = `${path}: ${test.name} (${schedules.toLocaleString('en-US')} schedules)`;
  return `${heading}\n${table.toString()}\n${bad}\n`;
}

const EMPTY = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left'],
    ...['bottom-right', 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ].map((name) => [name, name === 'middle' ? ' ' : '']),
);
