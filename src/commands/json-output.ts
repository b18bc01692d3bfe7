/** Output on stdout, and the targets of `--json` and its like: a file, or stdout for `-`. */

import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { statOf } from '../files.ts';
import { outputFile } from './output-file.ts';
import { fitLines } from './terminal.ts';

export const JSON_OPTION = [
  '--json <file>',
  'also write the result as JSON; - for JSON on stdout, and nothing else',
] as const;

/** For commands that print more than failures. */
export const QUIET_OPTION = ['-q, --quiet', 'print only failures, and no progress'] as const;

/** Options that choose the output on stdout. */
export interface OutputOptions {
  readonly json?: string;
  readonly quiet?: boolean;
}

/**
 * How to print text for people: nothing if JSON goes to stdout, and with --quiet only failures.
 */
export const printer =
  ({ json, quiet = false }: OutputOptions) =>
  (text: string, isWrong = false): void => {
    if (json !== '-' && (isWrong || !quiet)) process.stdout.write(fitLines(text));
  };

/** The option whose file is stdout, if any. Throws UserError for two of them. */
export function mustShareStdout(
  paths: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const names = Object.keys(paths).filter((name) => paths[name] === '-');
  if (names.length < 2) return names[0];
  const asked = names.map((name) => `--${name} -`).join(' and ');
  throw new UserError(`${asked} ask for stdout: give all but one of them a file`);
}

/** Options of all commands that name what is written, and what is read. */
const WRITTEN = ['json', 'csv', 'html', 'markdown', 'trace', 'output', 'out'];
const READ = ['config', 'test', 'against', 'world'];

/**
 * Throws UserError for a file that two options name, or that the command also reads: it would
 * be overwritten.
 */
export function mustDiffer(
  options: Readonly<Record<string, unknown>>,
  args: readonly string[],
): void {
  const read = [...args, ...READ.map((name) => options[name])].filter(isPath);
  const inputs = new Set(read.filter((path) => statOf(path) !== undefined).map(placeOf));
  const byPlace = new Map<string, string>();
  for (const name of WRITTEN) {
    const given = options[name];
    if (!isPath(given)) continue;
    const place = placeOf(given);
    if (inputs.has(place)) {
      throw new UserError(`${given} is read, and --${name} would overwrite it: give it another`);
    }
    const other = byPlace.get(place);
    if (other !== undefined) {
      throw new UserError(
        `found ${given} for --${other} and for --${name}, expected a place of its own for each`,
      );
    }
    byPlace.set(place, name);
  }
}

/** No stream and no device, which may be given twice. */
function isPath(given: unknown): given is string {
  if (typeof given !== 'string' || given === '-') return false;
  const stat = statOf(given);
  return stat === undefined || stat.isFile() || stat.isDirectory();
}

/** A path without links, as far as it is there. */
function placeOf(path: string): string {
  const whole = resolve(path);
  if (statOf(whole) !== undefined) return realpathSync(whole);
  const above = dirname(whole);
  return above === whole ? whole : join(placeOf(above), basename(whole));
}

/** How to write the result as JSON: as `output` says. */
export function jsonOutput(path: string | undefined): (result: unknown) => void {
  const write = output(path, { option: '--json', what: 'JSON' });
  return (result) => write(`${JSON.stringify(result, null, 2)}\n`);
}

interface Asked {
  /** By what, and for what. */
  readonly option: string;
  readonly what: string;
}

/** How to write a text, asked for before the work begins: see outputFile. Not for undefined. */
export function output(path: string | undefined, { option, what }: Asked): (text: string) => void {
  if (path === undefined) return () => {};
  if (path === '-') return (text) => process.stdout.write(text);
  const advice = `give ${option} a file in a folder that exists, or - for stdout`;
  return outputFile(path, what, advice);
}
