/**
 * The condition of an outcome, on the end of a run:
 *
 *     vcpu 0 r1 == 7              a register; also `cr2`, where its kernel found its last fault
 *     word 0x20:0 != 7            a word of guest memory, by page and index
 *     vcpu 0 r0 == vcpu 1 r0      two of these
 *     vcpu 0 r0 == fault          the operation faulted
 *     A 0x00400000 is page 0x21   the guest's own entry; or `is none`, `has dirty`
 *     shadow A 0x00400000 has rw  the host's
 *     tlb 1 has 0x00400000        host CPU 1 has a translation of the page
 *     dead, dead "no stack"       the host killed the guest, for such a reason; `alive`: it did not
 *
 * joined by `and`, `or` and `not`, with parentheses.
 */

import type { Gva } from '../../hardware/address.ts';
import { FLAG_NAMES, type Flag, readFlags } from './entries.ts';
import { REGISTERS } from './operations.ts';
import { type Reader, TextMistake } from './tokens.ts';

export type Term =
  | { readonly kind: 'register'; readonly vcpu: number; readonly name: RegisterName }
  | { readonly kind: 'word'; readonly page: number; readonly index: number }
  | { readonly kind: 'fault' }
  | { readonly kind: 'number'; readonly value: number };

const REGISTER_NAMES = [...REGISTERS, 'cr2', 'irqs'] as const;

export type RegisterName = (typeof REGISTER_NAMES)[number];

export type Condition =
  | { readonly kind: 'and' | 'or'; readonly left: Condition; readonly right: Condition }
  | { readonly kind: 'not'; readonly of: Condition }
  | { readonly kind: 'equal'; readonly left: Term; readonly right: Term }
  | {
      readonly kind: 'entry';
      readonly shadow: boolean;
      readonly table: string;
      readonly va: Gva;
      /** The page that it maps, or that it maps nothing, or the flags that it has. */
      readonly test: { readonly page: number | undefined } | { readonly flags: readonly Flag[] };
    }
  | { readonly kind: 'tlb'; readonly hostCpu: number; readonly va: Gva }
  | { readonly kind: 'dead'; readonly reason: RegExp }
  | { readonly kind: 'alive' };

const ATOMS = ['vcpu', 'word', 'fault', 'shadow', 'tlb', 'dead', 'alive', 'not'] as const;

const PAGE_WORDS = 1024;

export function readCondition(reader: Reader): Condition {
  let left = readAnd(reader);
  while (reader.accept('or')) left = { kind: 'or', left, right: readAnd(reader) };
  return left;
}

function readAnd(reader: Reader): Condition {
  let left = readNot(reader);
  while (reader.accept('and')) left = { kind: 'and', left, right: readNot(reader) };
  return left;
}

function readNot(reader: Reader): Condition {
  if (reader.accept('not')) return { kind: 'not', of: readNot(reader) };
  if (!reader.accept('(')) return readAtom(reader);
  const inner = readCondition(reader);
  reader.expect(')');
  return inner;
}

function readAtom(reader: Reader): Condition {
  if (reader.accept('alive')) return { kind: 'alive' };
  if (reader.accept('dead')) return { kind: 'dead', reason: readPattern(reader) };
  if (reader.accept('tlb')) {
    const hostCpu = reader.hostCpu();
    reader.expect('has');
    return { kind: 'tlb', hostCpu, va: reader.address() };
  }
  if (reader.accept('shadow')) return readEntryTest(reader, true);
  if (/^[A-Z]/.test(reader.peek)) return readEntryTest(reader, false);
  const left = readTerm(reader);
  const same = reader.word(['==', '!=']) === '==';
  const equal: Condition = { kind: 'equal', left, right: readTerm(reader) };
  return same ? equal : { kind: 'not', of: equal };
}

function readEntryTest(reader: Reader, shadow: boolean): Condition {
  const entry = { kind: 'entry', shadow, table: reader.table(), va: reader.address() } as const;
  if (reader.word(['is', 'has']) === 'is') {
    const none = reader.word(['none', 'page']) === 'none';
    return { ...entry, test: { page: none ? undefined : reader.page() } };
  }
  const flags = readFlags(reader);
  return { ...entry, test: { flags: flags.length > 0 ? flags : [reader.word(FLAG_NAMES)] } };
}

function readTerm(reader: Reader): Term {
  if (reader.isNumber()) return { kind: 'number', value: reader.number('a value') };
  if (reader.accept('fault')) return { kind: 'fault' };
  if (reader.accept('vcpu')) {
    const vcpu = reader.vcpu();
    return { kind: 'register', vcpu, name: reader.word(REGISTER_NAMES) };
  }
  if (!reader.accept('word')) reader.fail(`a number, a table, ${ATOMS.join(', ')}`, ATOMS);
  const page = reader.page();
  reader.expect(':');
  return { kind: 'word', page, index: reader.number('the index of a word', PAGE_WORDS - 1) };
}

function readPattern(reader: Reader): RegExp {
  if (!reader.peek.startsWith('"')) return /(?:)/;
  const { text, column } = reader.take();
  try {
    if (!text.endsWith('"') || text.length < 2) throw new SyntaxError('it has no end');
    return new RegExp(text.slice(1, -1));
  } catch (error) {
    throw new TextMistake(column, text, `a regular expression: ${(error as Error).message}`);
  }
}
