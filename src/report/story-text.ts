/** A story for the terminal: a column for each CPU where there is room, else one for all. */

import { counted } from '../numbers.ts';
import { FLAG_TEXTS, type Line, partText, type Story, type Told } from './story.ts';

export interface TextStyle {
  /** Characters in a line. */
  readonly columns: number;
  readonly colours: boolean;
}

/** Before the columns: the number of the step. */
const GUTTER = 6;
const BETWEEN = 2;
/** A narrower column cannot be read. */
const LEAST_COLUMN = 34;

type Colour = keyof typeof CODES;
const CODES = { plain: '', bold: '\x1b[1m', dim: '\x1b[2m', red: '\x1b[1;31m', cyan: '\x1b[36m' };
const RESET = '\x1b[0m';

/** A line of a cell, before it is coloured. */
interface Row {
  readonly text: string;
  readonly colour: Colour;
  readonly indent: number;
}

export function storyText(story: Story, { columns, colours }: TextStyle): string {
  const paint = (text: string, colour: Colour): string =>
    colours && colour !== 'plain' ? `${CODES[colour]}${text}${RESET}` : text;
  const count = story.columns.length;
  const wide = Math.floor((columns - GUTTER - BETWEEN * (count - 1)) / count);
  const single = wide < LEAST_COLUMN;
  const width = single ? columns - GUTTER : wide;
  const out: string[] = [];
  const put = (gutter: string, column: number, { text, colour, indent }: Row): void => {
    const before = single ? 0 : column * (width + BETWEEN);
    wrapped(text, width - indent).forEach((line, i) => {
      const left = (i === 0 ? gutter : '').padStart(GUTTER - 1);
      const space = ' '.repeat(1 + before + indent + (i === 0 ? 0 : 2));
      out.push(`${left}${space}${paint(line, colour)}`);
    });
  };
  const paragraph = (text: string, colour: Colour): void => {
    for (const [i, line] of wrapped(text, columns - 2).entries()) {
      out.push(`${i === 0 ? '' : '  '}${paint(line, colour)}`);
    }
  };

  paragraph(`${story.title} (${story.setting})`, 'bold');
  if (story.about !== '') paragraph(story.about, 'plain');
  paragraph(
    `${story.told} of ${story.steps} steps are shown; ${counted(story.turns, 'switch')}.`,
    'dim',
  );
  out.push('');
  if (!single) {
    const heads = story.columns.map((name) => name.padEnd(width)).join(' '.repeat(BETWEEN));
    out.push(paint(`${'step'.padStart(GUTTER - 1)} ${heads}`.trimEnd(), 'bold'));
  }
  for (const line of story.lines) {
    const name = single ? `${story.columns[line.column]!}: ` : '';
    if (line.kind === 'turn') out.push('');
    for (const [i, row] of rowsOf(line).entries()) {
      const gutter = i === 0 && line.kind === 'step' ? `${line.step}` : '';
      put(gutter, line.column, i === 0 ? { ...row, text: name + row.text } : row);
    }
  }
  out.push('');
  paragraph(story.ending, story.good ? 'bold' : 'red');
  for (const { text } of story.findings) paragraph(text, 'plain');
  return `${out.join('\n')}\n`;
}

function rowsOf(line: Line): Row[] {
  switch (line.kind) {
    case 'step':
      return stepRows(line);
    case 'turn':
      return [{ text: `--- ${line.text} ---`, colour: 'dim', indent: 0 }];
    case 'migration':
      return [{ text: `>>> ${line.text}`, colour: 'bold', indent: 0 }];
    case 'operation':
      return [{ text: `=== ${line.text}`, colour: 'cyan', indent: 0 }];
    case 'event':
      return [{ text: `- ${line.text}`, colour: 'dim', indent: 0 }];
  }
}

function stepRows({ part, name, does, place, before, after, locks, source, flags }: Told): Row[] {
  const colour = flags.length > 0 ? 'red' : 'plain';
  const rows: Row[] = flags.map((flag) => {
    return { text: `!!! ${FLAG_TEXTS[flag]}`, colour: 'red', indent: 0 };
  });
  rows.push({ text: `${does} ${place}`, colour, indent: 0 });
  const value = after === undefined ? before : `${before} -> ${after}`;
  if (value !== '') rows.push({ text: value, colour, indent: 2 });
  const where = source === '' ? partText(part) : `${partText(part)}: ${name}, ${source}`;
  rows.push({ text: where, colour: 'dim', indent: 2 });
  if (locks.length > 0) {
    rows.push({ text: `holding ${locks.join(', ')}`, colour: 'dim', indent: 2 });
  }
  return rows;
}

/** Between words; lines after the first are two shorter, to be indented. A longer word is cut. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const whole of text.split(' ')) {
    const most = width - 2;
    const word = whole.length > most ? `${whole.slice(0, most - 3)}...` : whole;
    const room = lines.length === 0 ? width : most;
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
