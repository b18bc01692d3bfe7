/** Page table entries in words: `page 0x20 rw user accessed dirty`, or `none`. */

import {
  Entry,
  flagsOf,
  makeEntry,
  NO_ENTRY,
  PAGE_ACCESSED,
  PAGE_DIRTY,
  PAGE_GLOBAL,
  PAGE_NX_HIGH,
  PAGE_PRESENT,
  PAGE_PSE,
  PAGE_RW,
  PAGE_USER,
} from '../../hardware/entry.ts';
import { pageText, type Reader } from './tokens.ts';

/** Bits of the low half; `nx` is the high half's one. */
const FLAGS = {
  rw: PAGE_RW,
  user: PAGE_USER,
  accessed: PAGE_ACCESSED,
  dirty: PAGE_DIRTY,
  large: PAGE_PSE,
  global: PAGE_GLOBAL,
  nx: 0,
} as const;

export type Flag = keyof typeof FLAGS;

export const FLAG_NAMES = Object.keys(FLAGS) as readonly Flag[];

/** What an upper entry may have without killing the guest. */
const UPPER_FLAG_NAMES = ['rw', 'user', 'accessed', 'dirty'] as const satisfies readonly Flag[];

const MOST_PAGE = 0xf_ffff;

export function readEntry(reader: Reader): Entry {
  if (reader.word(['page', 'none']) === 'none') return NO_ENTRY;
  const page = reader.number('a page number', MOST_PAGE, pageText);
  return withFlags(makeEntry(page, PAGE_PRESENT), reader, FLAG_NAMES);
}

/** `table` with flags, or `none`: the flags of an entry of an upper level, 0 for none. */
export function readUpper(reader: Reader): number {
  if (reader.word(['table', 'none']) === 'none') return 0;
  return flagsOf(withFlags(makeEntry(0, PAGE_PRESENT), reader, UPPER_FLAG_NAMES));
}

/** With those of the rest of the text. */
function withFlags(entry: Entry, reader: Reader, known: readonly Flag[]): Entry {
  const made = readFlags(reader, known).reduce(withFlag, entry);
  if (reader.peek !== '') reader.word(known);
  return made;
}

/** Up to the first word that is no flag; each is there once. */
export function readFlags(reader: Reader, known = FLAG_NAMES): Flag[] {
  const flags: Flag[] = [];
  while (known.includes(reader.peek as Flag)) {
    if (flags.includes(reader.peek as Flag)) reader.fail('each flag once');
    if (reader.peek === 'nx') reader.ofThreeLevels();
    flags.push(reader.word(known));
  }
  return flags;
}

const withFlag = ({ low, high }: Entry, flag: Flag): Entry =>
  new Entry(low | FLAGS[flag], flag === 'nx' ? high | PAGE_NX_HIGH : high);

export const hasFlag = ({ low, high }: Entry, flag: Flag): boolean =>
  flag === 'nx' ? (high & PAGE_NX_HIGH) !== 0 : (low & FLAGS[flag]) !== 0;
