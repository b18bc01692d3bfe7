/** Width of the terminal, fitting text, and the progress line. */

import { stripVTControlCharacters } from 'node:util';

/** The width for a pipe. */
const PIPE_COLUMNS = 100;

const PROGRESS_MS = 250;

/** Columns of a stream; at least 40, so that a line holds something. */
export const columnsOf = (stream: { readonly columns?: number }): number =>
  Math.max(stream.columns || PIPE_COLUMNS, 40);

/** How wide tables may be: through a pipe as wide as they are. */
export const tableColumns = (): number =>
  Math.max(process.stdout.columns || Number.POSITIVE_INFINITY, 40);

/** A command to be pasted is of no use broken. */
const COMMAND = /^\s*(\w+ +)?umbra /;

/** Control characters but those of lines and of colours: texts of files may have others. */
const CONTROL = /(?![\n\t]|\p{Cc}\[[\d;]*m)\p{Cc}/gu;

/**
 * Lines that are wider than a terminal, broken between words; through a pipe they are left as long
 * as they are. What would steer the terminal is replaced.
 */
export function fitLines(text: string, columns = process.stdout.columns): string {
  const harmless = text.replaceAll(CONTROL, '\ufffd');
  if (!columns) return harmless;
  return harmless
    .split('\n')
    .map((line) => {
      if (stripVTControlCharacters(line).length <= columns || COMMAND.test(line)) return line;
      const indent = line.search(/\S/);
      return ' '.repeat(indent) + wrap(line.trimStart(), columns - indent, indent + 2);
    })
    .join('\n');
}

/**
 * Break a text between words so that no line is longer than `columns`; lines after the
 * first are indented by `indent`. A longer word has a line of its own.
 */
export function wrap(text: string, columns: number, indent = 2): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = ' '.repeat(indent) + word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].join('\n');
}

/** Names and descriptions in two columns, indented by `margin`. */
export function listing(
  entries: readonly (readonly [name: string, text: string])[],
  margin = 0,
): string {
  const indent = Math.max(...entries.map(([name]) => name.length)) + 2;
  const columns = columnsOf(process.stdout) - margin;
  return entries
    .map(([name, text]) => `${wrap(`${name.padEnd(indent - 1)} ${text}`, columns, indent)}\n`)
    .join('')
    .replaceAll(/^(?=.)/gm, ' '.repeat(margin));
}

let isSilent = false;

/** Turn progress lines off: --quiet. */
export function silenceProgress(): void {
  isSilent = true;
}

/**
 * A progress line that is overwritten, at a terminal. Parts that do not fit are left out from the
 * end: put the important ones first. Returns how to end it.
 */
export function showProgress(text: () => string): () => void {
  if (!process.stderr.isTTY || isSilent) return () => {};
  const timer = setInterval(() => announce(text()), PROGRESS_MS);
  return () => {
    clearInterval(timer);
    clearLine();
  };
}

/** Before work during which no progress can be shown: such a line, at once. */
export function announce(text: string): void {
  if (!process.stderr.isTTY || isSilent) return;
  process.stderr.write(`\r${fitted(text, columnsOf(process.stderr) - 1)}\x1b[K`);
}

/** As many of the parts between commas as fit; of the first, if that does not, its beginning. */
export function fitted(text: string, columns: number): string {
  const parts = text.split(', ');
  while (parts.length > 1 && parts.join(', ').length > columns) parts.pop();
  return parts.join(', ').slice(0, columns);
}

export function clearLine(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}
