/** Commands shown in pages, and the output shown below some of them. */

import { readFileSync } from 'node:fs';

export interface Shown {
  readonly command: string;
  /** The output the page shows; '' if none. */
  readonly output: string;
}

/**
 * Commands of a page: lines of its `sh` blocks, where a block right below shows the output of the
 * last; and lines after a `$` where output is shown.
 */
export function commandsOf(page: string): readonly Shown[] {
  const blocks = readFileSync(page, 'utf8').matchAll(
    /^```(\w*)\n([\s\S]*?)^```(?:\n\n```\n(?!\$ )([\s\S]*?)^```)?/gm,
  );
  return Array.from(blocks, ([, language, block, below = '']) => {
    const text = block!.replaceAll(/\\\n\s*/g, '');
    if (language === 'sh') {
      const lines = text.trim().split('\n');
      return lines.map((command, i) => ({
        command,
        output: i === lines.length - 1 ? below.trimEnd() : '',
      }));
    }
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

/** Matches output as a page shows it. `…` stands for anything; on a line of its own, for lines. */
export function asShown(output: string): RegExp {
  const lines = output.split('\n').map((text) => {
    if (text === '…') return '(?:.*\\n)*?';
    return `${escaped(text).replaceAll('…', '.*')}\\n`;
  });
  return new RegExp(output === '' ? '' : `^${lines.join('')}`, 'm');
}

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

/**
 * Parts of the output that change with the code: digests, names of kept files, figures, and space.
 */
const FIGURES = /(\b[0-9a-f]{16}\b|\b[0-9a-f]{6}(?=\.txt)|\d[\d,.]*|\bschedules?\b| +|…)/;

/** The page's output with the figures of the actual one. Throws if the words differ. */
export function renewed(output: string, printed: string): string {
  if (output === '') return '';
  let left = printed.split('\n');
  let mayBeLater = true;
  return output
    .split('\n')
    .map((line) => {
      const pieces = line.split(FIGURES);
      const pattern = new RegExp(`^${pieces.map(patternOf).join('')}$`);
      const at = line === '…' ? -1 : left.findIndex((one) => pattern.test(one));
      const isThere = line === '…' || at === 0 || (at > 0 && mayBeLater);
      if (!isThere) throw new Error(`the page shows: ${line}\nand printed is: ${left[0]}`);
      mayBeLater = line === '…';
      if (mayBeLater) return line;
      const found = pattern.exec(left[at]!)!.slice(1);
      left = left.slice(at + 1);
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
