/**
 * The operations that programs are made of, as patterns over a few names:
 *
 *     X, Y      an address that each table maps, and one that none does
 *     K         an address of the kernel's, which sees page S there at first
 *     TOP       where the kernel begins
 *     T         each of the tables A, B and C, whose own pages are `page T`
 *     S, N      two more pages: everybody's, and one that nobody maps
 *     OTHER     the next vCPU, or host CPU
 *
 * Registers of loads and stored values follow from the places of operations.
 */

import { UserError } from '../../errors.ts';
import type { PagingName } from '../../hardware/entry.ts';
import { didYouMean } from '../../yaml/closest.ts';

export const TABLES = ['A', 'B', 'C'] as const;

const CORE = [
  'load X',
  'store X',
  'set_pte T X = none',
  'set_pte T X = page S rw user accessed dirty',
  'set_pgd T X',
  'set_pgd T TOP',
  'new_pgtable T',
  'flush_all',
  'syscall',
];

const MORE = [
  'load Y',
  'kernel load K',
  'set_pte T X = page S user accessed',
  'set_pte T X = page T rw user',
  'set_pte * K = page N rw accessed dirty',
  'flush_user',
  'set_stack own 2',
  'discard page T',
  'discard page S',
  'yield',
  'evict',
  'migrate OTHER',
];

/** The first vCPU starts the second one. */
export const START = 'start OTHER';

const BOOT = [
  START,
  'set_stack own 2',
  ...['load X', 'store X', 'new_pgtable T', 'set_pte T X = none', 'flush_all', 'syscall'],
];

/** Pages that come and go. */
const FRAMES = [
  ...['load X', 'store X', 'discard page T', 'discard page S'],
  ...['set_pte T X = none', 'set_pte T X = page S rw user accessed dirty'],
];

export const ALPHABETS: Readonly<Record<string, readonly string[]>> = {
  core: CORE,
  all: [...CORE, ...MORE],
  boot: BOOT,
  frames: FRAMES,
};

/** With three levels there is one more level at which page tables are changed. */
const PAE = ['set_pmd T X'];

/**
 * Operations that an alphabet has in a form, tables filled in. Throws UserError if it is unknown.
 */
export function lettersOf(name: string, paging: PagingName): readonly string[] {
  const patterns = ALPHABETS[name];
  if (patterns === undefined) {
    const known = Object.keys(ALPHABETS);
    const which = didYouMean(name, known) || `: there are ${known.join(', ')}`;
    throw new UserError(`there is no alphabet '${name}'${which}`);
  }
  const more = paging === 'pae' && patterns.includes('set_pgd T X') ? PAE : [];
  return [...patterns, ...more].flatMap((pattern) =>
    /\bT\b/.test(pattern) ? TABLES.map((table) => pattern.replaceAll(/\bT\b/g, table)) : [pattern],
  );
}

/** An operation with its tables permuted. */
export const renamed = (letter: string, to: Readonly<Record<string, string>>): string =>
  letter.replaceAll(/\b[ABC]\b/g, (table) => to[table]!);

/** The table that the operation names or switches to; not the one whose page it discards. */
export const tableOf = (letter: string): string | undefined => /^\w+ ([ABC])\b/.exec(letter)?.[1];
