/** Where `--json` goes: a file, or stdout for `-`. */

import { outputFile } from './output-file.ts';

export const JSON_OPTION = [
  '--json <file>',
  'write the result as JSON too; - for JSON on stdout, and nothing else',
] as const;

/** How to write the result, asked for before the work begins: see outputFile. */
export function jsonOutput(path: string | undefined): (result: unknown) => void {
  if (path === undefined) return () => {};
  if (path === '-') return (result) => process.stdout.write(toText(result));
  const advice = 'give --json a file in a folder that exists, or - for stdout';
  const write = outputFile(path, 'JSON', advice);
  return (result) => write(toText(result));
}

const toText = (result: unknown): string => `${JSON.stringify(result, null, 2)}\n`;
