/**
 * The litmus test that a program is a part of: a guest with three tables, and columns of
 * operations.
 */

import type { PagingName } from '../../hardware/entry.ts';
import { type Litmus, parseLitmus } from '../litmus/litmus.ts';
import { type Operation, readOperation } from '../litmus/operations.ts';
import { readText, TextMistake } from '../litmus/tokens.ts';
import { START, TABLES } from './alphabets.ts';
import type { Configuration, Program } from './programs.ts';

const ADDRESSES = { X: '0x00400000', Y: '0x00401000', K: '0xc0025000', TOP: '0xc0000000' };

const PAGES = { A: '0x20', B: '0x21', C: '0x22', N: '0x24', S: '0x25' };

/** The first words of these are checked at the end. */
export const PAGE_NUMBERS: readonly number[] = Object.values(PAGES).map(Number);

const NAMES: Readonly<Record<string, string>> = { ...ADDRESSES, ...PAGES };

/** Shadow page tables: fewer than there are tables, so that one is evicted. */
const PGDIRS = 2;

/** A column's operations as texts of a litmus test. */
export function textsOf(column: readonly string[], vcpu: number, vcpus: number): string[] {
  let register = 0;
  return column.map((letter, i) => {
    const text = letter
      .replace(/^discard page/, 'discard')
      .replace(/\bpage ([A-Z])\b/, (_, page: string) => `page ${PAGES[page as 'A']}`)
      .replace(/^(discard) ([A-Z])$/, (_, verb: string, page: string) => `${verb} ${NAMES[page]}`)
      .replace(/\b(X|Y|K|TOP)\b/, (address) => NAMES[address]!)
      .replace('*', 'A')
      .replace('OTHER', String((vcpu + 1) % vcpus));
    if (text.startsWith('store')) {
      const value = 0x100 + vcpu * 0x10 + i;
      return `${text} 0x${value.toString(16)} -> r${register++}`;
    }
    return /^(kernel )?load/.test(text) ? `${text} -> r${register++}` : text;
  });
}

export interface Outcomes {
  readonly when: string;
  readonly is: 'allowed' | 'forbidden';
  readonly because: string;
}

interface Parts {
  readonly name: string;
  readonly about: string;
  readonly defect?: string;
  readonly outcomes: readonly Outcomes[];
}

/** The file: one operation a line, as people write them. */
export function litmusText(
  program: Program,
  configuration: Configuration,
  paging: PagingName,
  { name, about, defect, outcomes }: Parts,
): string {
  const columns = program.map((column, i) => [
    `  - on: ${configuration[i]}`,
    `    ops: [${textsOf(column, i, program.length).join(', ')}]`,
  ]);
  return `${[
    `name: ${JSON.stringify(name)}`,
    `about: ${JSON.stringify(about)}`,
    ...(defect === undefined ? [] : [`defect: ${defect}`]),
    ...(program.flat().some((letter) => letter.startsWith('set_pmd'))
      ? [`paging: [${paging}]`]
      : []),
    'guest:',
    `  pgdirs: ${PGDIRS}`,
    '  tables:',
    ...TABLES.map((table) => `    ${table}: {${ADDRESSES.X}: page ${PAGES[table]} rw user}`),
    'vcpus:',
    ...columns.flat(),
    'outcomes:',
    ...outcomes.flatMap(({ when, is, because }) => [
      `  - when: ${when}`,
      `    is: ${is}`,
      `    because: ${because}`,
    ]),
  ].join('\n')}\n`;
}

/** The same, parsed; its outcome is that the guest lives. */
function litmusOf(program: Program, configuration: Configuration, paging: PagingName): Litmus {
  const outcomes = [
    { when: 'alive', is: 'allowed', because: 'nothing here is a mistake of the guest' },
  ] as const;
  const parts = { name: 'a program', about: 'A program.', outcomes };
  const text = litmusText(program, configuration, paging, parts);
  return parseLitmus(text, 'a generated test');
}

/** The litmus test that it is; as outcome only that the guest lives. */
export function understood(
  program: Program,
  configuration: Configuration,
  paging: PagingName,
): Litmus {
  const template = templateOf(program, configuration, paging);
  const vcpus = template.vcpus.map((column, i) => {
    const texts = textsOf(program[i]!, i, program.length);
    return { ...column, texts, ops: texts.map((text) => operationOf(text, template, paging)) };
  });
  return { ...template, vcpus };
}

const templates = new Map<string, Litmus>();

/** The test without operations; it differs with whether a vCPU starts another. */
export function templateOf(
  program: Program,
  configuration: Configuration,
  paging: PagingName,
): Litmus {
  const starts = program[0]!.includes(START);
  const key = `${configuration} ${paging} ${starts}`;
  const found = templates.get(key);
  if (found !== undefined) return found;
  const empty = [...configuration].map((_, i) => (starts && i === 0 ? [START] : []));
  const litmus = litmusOf(empty, configuration, paging);
  const vcpus = litmus.vcpus.map((column) => ({ ...column, ops: [], texts: [] }));
  const template = { ...litmus, vcpus };
  templates.set(key, template);
  return template;
}

const known = new Map<string, Operation>();

function operationOf(text: string, { guest, vcpus, cpus }: Litmus, paging: PagingName): Operation {
  const key = `${cpus} ${text}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const names = {
    tables: [...guest.tables.keys()],
    vcpus: vcpus.length,
    hostCpus: cpus,
    pages: guest.pages,
    paging: [paging],
  };
  const operation = readText(text, names, readOperation);
  if (operation instanceof TextMistake) throw operation;
  known.set(key, operation);
  return operation;
}
