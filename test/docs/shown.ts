/** What pages show: commands, and beneath some of them what they print. */

import { readFileSync } from 'node:fs';

export interface Shown {
  readonly command: string;
  /** What the page shows of what it prints; '' if nothing. */
  readonly output: string;
}

/** Commands of a page: lines of its `sh` blocks, and what stands behind a `$` where output is shown. */
export function commandsOf(page: string): readonly Shown[] {
  const blocks = readFileSync(page, 'utf8').matchAll(/^```(\w*)\n([\s\S]*?)^```/gm);
  return Array.from(blocks, ([, language, block]) => {
    const text = block!.replaceAll(/\\\n\s*/g, '');
    if (language === 'sh') return text.split('\n').map((command) => ({ command, output: '' }));
    const [, ...shown] = `\n${text}`.split('\n$ ');
    return shown.map((one) => ({
      command: one.split('\n')[0]!,
      output: one.slice(one.indexOf('\n') + 1).trimEnd(),
    }));
  })
    .flat()
    .map(({ command, output }) => ({ command: command.replace(/(^|\s)#.*$/, '').trim(), output }))
    .filter(({ command }) => command !== '');
}

/**
 * Matches what is printed as a page shows it. `…` is what the page leaves out, on a line of its own any
 * number of lines; how fast it goes hangs on the machine.
 */
export function asShown(output: string): RegExp {
  const lines = output.split('\n').map((text) => {
    if (text === '…') return '(?:.*\\n)*?';
    const line = text.replace(/[\d,]+ schedules\/s/, '… schedules/s');
    return `${escaped(line).replaceAll('…', '.*')}\\n`;
  });
  return new RegExp(output === '' ? '' : `^${lines.join('')}`, 'm');
}

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

/** What changes in what is printed when the code does: digests, names of kept files, figures, and space. */
const FIGURES = /(\b[0-9a-f]{16}\b|\b[0-9a-f]{6}(?=\.txt)|\d[\d,.]*|\bschedules?\b| +|…)/;

/** What a page shows, with the figures of what is printed now. Throws where other words are printed. */
export function renewed(output: string, printed: string): string {
  if (output === '') return '';
  const left = printed.split('\n');
  return output
    .split('\n')
    .map((line) => {
      if (line === '…') return line;
      const pieces = line.split(FIGURES);
      const pattern = new RegExp(`^${pieces.map(patternOf).join('')}$`);
      const at = left.findIndex((one) => pattern.test(one));
      if (at < 0) throw new Error(`nothing is printed any more that is like this: ${line}`);
      const found = pattern.exec(left.splice(0, at + 1)[at]!)!.slice(1);
      return pieces
        .map((piece, i) => (i % 2 === 0 || piece === '…' ? piece : found.shift()))
        .join('');
    })
    .join('\n');
}

function patternOf(piece: string, i: number): string {
  if (i % 2 === 0) return escaped(piece);
  if (piece === '…') return '.*';
  return piece.startsWith(' ')
    ? '( +)'
    : piece.startsWith('schedule')
      ? '(schedules?)'
      : '([\\w,.]+)';
}
