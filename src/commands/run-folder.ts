/** `--out DIR`: the input and results of a run, in a folder that other programs can read. */

import { existsSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { UserError } from '../errors.ts';
import { ENGINE_VERSION } from '../explore/token.ts';
import { makeFolder } from '../files.ts';
import { shownText } from '../queue/address.ts';
import { csvOf, describeTable, parquetOf, type Table } from '../report/table.ts';
import { pathOf } from './configuration.ts';
import { JSON_OPTION, jsonOutput, QUIET_OPTION } from './json-output.ts';
import { group, type None, type OptionsOf } from './options.ts';
import { whyNothingIn } from './output-file.ts';

export const OUT_OPTION = [
  '--out <dir>',
  'write configuration, environment and results into this new folder, as JSON, Parquet and CSV',
] as const;

/** The output of a command for other programs, and for people. */
export const withResults = group((command) =>
  command
    .option(...JSON_OPTION)
    .option(...QUIET_OPTION)
    .option(...OUT_OPTION),
);

export type ResultOptions = OptionsOf<typeof withResults<[], None, None>>;

const SCHEMA_VERSION = 1;

/**
 * How to write the results of a command: as JSON to the target of --json, and into the folder of
 * --out, which appears complete or not at all. Both targets are checked before the work begins.
 * `resolved`: the command's options with all defaults resolved, if that says more.
 */
export function resultsOf(
  { json, out }: ResultOptions,
  command: CommandUnknownOpts,
): (result: unknown, tables?: readonly Table[], resolved?: unknown) => void {
  const writeJson = jsonOutput(json);
  if (out !== undefined) mustBeNew(out);
  const started = new Date();
  return (result, tables = [], resolved) => {
    writeJson(result);
    if (out === undefined) return;
    const run = {
      schema_version: SCHEMA_VERSION,
      command: pathOf(command),
      arguments: command.args,
      ...configurationOf(command),
      ...(resolved !== undefined && { resolved }),
      started: started.toISOString(),
      seconds: (Date.now() - started.getTime()) / 1000,
      environment: environment(command),
      tables: tables.map(describeTable),
    };
    writeFolder(out, { 'run.json': asJson(run), 'result.json': asJson(result) }, tables);
  };
}

/** Every option with its value (of a queue what may be known), and where that came from. */
function configurationOf(command: CommandUnknownOpts) {
  const values = Object.entries(command.opts() as Record<string, unknown>)
    .filter(([, value]) => typeof value !== 'function')
    .map(([name, value]) => [name, name === 'queue' ? shownText(String(value)) : value] as const);
  return {
    options: Object.fromEntries(values),
    sources: Object.fromEntries(
      values.map(([name]) => [name, command.getOptionValueSource(name) ?? 'default']),
    ),
  };
}

const environment = (command: CommandUnknownOpts) => ({
  umbra: rootOf(command).version() ?? null,
  engine: ENGINE_VERSION,
  node: process.version,
  v8: process.versions.v8,
  platform: `${platform()} ${arch()}`,
  kernel: release(),
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  memory_bytes: totalmem(),
});

const rootOf = (command: CommandUnknownOpts): CommandUnknownOpts =>
  command.parent === null ? command : rootOf(command.parent);

const asJson = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

function mustBeNew(path: string): void {
  if (existsSync(path)) {
    throw new UserError(`${path} is there already; give --out a folder that is not there yet`);
  }
  const above = nearestAbove(path);
  if (!statSync(above).isDirectory()) {
    throw new UserError(`${path} cannot be made: ${above} is no folder; give --out another`);
  }
  const why = whyNothingIn(above);
  if (why === undefined) return;
  throw new UserError(
    `${path} cannot be made: nothing can be in ${above} (${why}); give --out another`,
  );
}

/** The first of the folders that a path is in to be there; the others will be made. */
function nearestAbove(path: string): string {
  const above = dirname(path);
  return existsSync(above) ? above : nearestAbove(above);
}

function writeFolder(
  path: string,
  files: Readonly<Record<string, string>>,
  tables: readonly Table[],
): void {
  const temporary = `${path}.${process.pid}.tmp`;
  makeFolder(temporary);
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(temporary, name), text);
    for (const table of tables) {
      writeFileSync(join(temporary, `${table.name}.parquet`), parquetOf(table));
      writeFileSync(join(temporary, `${table.name}.csv`), csvOf(table));
    }
    const given = nameFolder(temporary, path);
    if (given === path) return;
    process.stderr.write(
      `umbra: another process has made ${path} meanwhile; this run is in ${given}\n`,
    );
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw new UserError(`${path} cannot be written: ${(error as Error).message}`);
  }
}

/** The path, or the first with a number behind it that is free. */
function nameFolder(folder: string, path: string, number = 1): string {
  const name = number === 1 ? path : `${path}-${number}`;
  try {
    renameSync(folder, name);
    return name;
  } catch (error) {
    if (!existsSync(name)) throw error;
    return nameFolder(folder, path, number + 1);
  }
}
