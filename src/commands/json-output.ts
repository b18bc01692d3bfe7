/** Output on stdout, and the targets of `--json` and its like: a file, or stdout for `-`. */

import { outputFile } from './output-file.ts';
import { fitLines } from './terminal.ts';

export const JSON_OPTION = [
  '--json <file>',
  'write the result as JSON too; - for JSON on stdout, and nothing else',
] as const;

/** For commands that print more than failures. */
export const QUIET_OPTION = [
  '-q, --quiet',
  'say only what is wrong, and show no progress',
] as const;

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
