/** Output on stdout, and the targets of `--json` and its like: a file, or stdout for `-`. */

import { resolve } from 'node:path';
import { UserError } from '../errors.ts';
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

/** Options of all commands that name what is written. */
const TARGETS = ['json', 'csv', 'html', 'markdown', 'trace', 'out'];

/** Throws UserError for a file that two options name: the second would overwrite the first. */
export function mustDiffer(options: Readonly<Record<string, unknown>>): void {
  const byPath = new Map<string, string>();
  for (const name of TARGETS) {
    const given = options[name];
    if (typeof given !== 'string' || given === '-') continue;
    const path = resolve(given);
    const other = byPath.get(path);
    if (other !== undefined) {
      throw new UserError(
        `found ${given} for --${other} and for --${name}, expected a place of its own for each`,
      );
    }
    byPath.set(path, name);
  }
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
