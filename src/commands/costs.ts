/** `umbra costs`: what events cost on which hardware; or what runs cost, and how sure that is. */

import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { costTable, DEFAULT_PRESET } from '../cost/model.ts';
import { PRESET_NAMES, PRESETS, type PresetName } from '../cost/presets.ts';
import { EVENTS } from '../cost/table.ts';
import { UserError } from '../errors.ts';
import { compareCosts } from '../report/cost-comparison.ts';
import { readOccurrences } from '../report/cost-reader.ts';
import { formatComparedCosts, formatEvents, formatPreset } from '../report/cost-text.ts';
import { ExitCode } from './exit-code.ts';
import { JSON_OPTION, jsonOutput } from './json-output.ts';
import { costsOption, type OptionsOf } from './options.ts';
import { columnsOf } from './terminal.ts';

function declare() {
  return new Command('costs')
    .summary('List what events cost in cycles, or compare the cycles of runs')
    .description(
      'Without a report, list what events cost in cycles, with ranges and sources. With reports ' +
        'of several runs (--json of start and run), count their cycles, and say which takes ' +
        'fewer ' +
        'and which single cost, twice or half as high, would reverse that. Runs that differ ' +
        'only in ' +
        'the seed are taken together; a verdict takes six of each.',
    )
    .argument('[report...]', 'files of --json of start or run')
    .addOption(costsOption())
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      `\nExit code: ${ExitCode.Ok} listed or compared, whatever the result, ` +
        `${ExitCode.UserMistake} a mistake in the input.\n\nExamples:\n` +
        '  umbra costs --costs haswell\n' +
        '  umbra start --policy pinned --json one.json\n' +
        '  umbra start --policy random --json another.json\n' +
        '  umbra costs one.json another.json --costs pentium4',
    );
}

type Options = OptionsOf<typeof declare>;

export const costsCommand = (): CommandUnknownOpts => declare().action(run);

function run(reports: readonly string[], { costs, json }: Options): void {
  const write = jsonOutput(json);
  if (reports.length === 0) list(costs, json !== '-', write);
  else compare(reports, costs, json !== '-', write);
  process.exitCode = ExitCode.Ok;
}

function list(
  only: PresetName | undefined,
  asText: boolean,
  write: (result: unknown) => void,
): void {
  const presets = only === undefined ? PRESET_NAMES : [only];
  const columns = columnsOf(process.stdout);
  if (asText) {
    const texts = presets.map((name) => formatPreset(name, columns));
    process.stdout.write([formatEvents(columns), ...texts].join('\n'));
  }
  const events = Object.entries(EVENTS).map(([id, { title, counted }]) => [id, { title, counted }]);
  write({
    events: Object.fromEntries(events),
    default: DEFAULT_PRESET,
    presets: Object.fromEntries(presets.map((name) => [name, PRESETS[name]])),
  });
}

function compare(
  paths: readonly string[],
  preset: PresetName | undefined,
  asText: boolean,
  write: (result: unknown) => void,
): void {
  if (paths.length === 1) throw new UserError('one report is nothing to compare: give two or more');
  const table = costTable(preset);
  const result = compareCosts(paths.map(readOccurrences), table);
  if (asText) process.stdout.write(formatComparedCosts(result, table));
  write({ ...table, ...result });
}
