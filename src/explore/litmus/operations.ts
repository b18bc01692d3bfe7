/**
 * What a column of a litmus test consists of, one operation a line:
 *
 *     load VA [-> rN]           a word, as the program does; with `kernel` before it, as the
 *     store VA VALUE [-> rN]    kernel does. The register gets what was read, 1 for a store or
 *     locked VA [-> rN]         a fetch that was done, or `fault`. `locked` adds 1 in one step
 *     fetch VA [-> rN]          and gets what was there.
 *     pte A VA = ENTRY          the kernel stores into its table A and tells nobody
 *     tell_pte A VA = ENTRY     hypercall SET_PTE alone
 *     set_pte A VA = ENTRY      both, one after the other
 *     set_pgd A VA, set_pmd A VA, new_pgtable A, flush_user, flush_all
 *     set_upper A VA = UPPER    the kernel stores into the entry above the last level, and tells:
 *                               `none`, or `table`, which is the one that was there, with flags
 *     set_stack VA|own PAGES    where traps push: the stack begins at VA and grows down
 *     discard PAGE              NOTIFY: the guest gives the page up
 *     start N, ipi N            another vCPU
 *     syscall                   `int 0x80`, straight into the guest's kernel and back
 *     yield                     out of the guest and in again, by a hypercall that does nothing
 *     migrate N                 continue on host CPU N
 *     evict                     flush the host CPU's TLB
 *
 * ENTRY is `none` or `page N` with flags; see entries.ts.
 */

import { PAGE_OFFSET } from '../../guest/kernel/layout.ts';
import type { Gva } from '../../hardware/address.ts';
import type { Entry } from '../../hardware/entry.ts';
import { readEntry, readUpper } from './entries.ts';
import type { Reader } from './tokens.ts';

/** The four registers of a column, r0 … r3. */
export const REGISTERS = ['r0', 'r1', 'r2', 'r3'] as const;

const ACCESSES = ['load', 'store', 'locked', 'fetch'] as const;

export type Access = (typeof ACCESSES)[number];

const TABLE_OPERATIONS = ['pte', 'tell_pte', 'set_pte'] as const;

export type Operation =
  | {
      readonly kind: Access;
      readonly kernel: boolean;
      readonly va: Gva;
      /** The stored value. */
      readonly value: number;
      /** 0 … 3, if the result is kept. */
      readonly to: number | undefined;
    }
  | {
      readonly kind: (typeof TABLE_OPERATIONS)[number];
      readonly table: string;
      readonly va: Gva;
      readonly entry: Entry;
    }
  | { readonly kind: 'set_pgd' | 'set_pmd'; readonly table: string; readonly va: Gva }
  | {
      readonly kind: 'set_upper';
      readonly table: string;
      readonly va: Gva;
      /** Its flags; 0 for none. */
      readonly flags: number;
    }
  | { readonly kind: 'new_pgtable'; readonly table: string }
  | { readonly kind: 'set_stack'; readonly va: Gva | undefined; readonly pages: number }
  | { readonly kind: 'discard'; readonly page: number }
  | { readonly kind: 'start' | 'ipi' | 'migrate'; readonly target: number }
  | { readonly kind: 'flush_user' | 'flush_all' | 'syscall' | 'yield' | 'evict' };

const KINDS = [
  ...[...ACCESSES, 'kernel', ...TABLE_OPERATIONS, 'set_pgd', 'set_pmd', 'set_upper'],
  ...['new_pgtable', 'flush_user', 'flush_all', 'set_stack', 'discard', 'start', 'ipi'],
  ...['syscall', 'yield', 'migrate', 'evict'],
];

export function readRegister(reader: Reader): number {
  return REGISTERS.indexOf(reader.word(REGISTERS));
}

export function readOperation(reader: Reader): Operation {
  if (reader.peek === 'set_pmd') reader.ofThreeLevels();
  const kind = reader.word(KINDS);
  switch (kind) {
    case 'kernel':
      return readAccess(reader, reader.word(ACCESSES), true);
    case 'load':
    case 'store':
    case 'locked':
    case 'fetch':
      return readAccess(reader, kind, false);
    case 'pte':
    case 'tell_pte':
    case 'set_pte': {
      const table = reader.table();
      const va = reader.address();
      reader.expect('=');
      return { kind, table, va, entry: readEntry(reader) };
    }
    case 'set_pgd':
    case 'set_pmd':
      return { kind, table: reader.table(), va: reader.address() };
    case 'set_upper': {
      const table = reader.table();
      const va = reader.address(PAGE_OFFSET);
      reader.expect('=');
      return { kind, table, va, flags: readUpper(reader) };
    }
    case 'new_pgtable':
      return { kind, table: reader.table() };
    case 'set_stack': {
      const va = reader.accept('own') ? undefined : reader.wordAddress();
      return { kind, va, pages: reader.number('how many pages') };
    }
    case 'discard':
      return { kind, page: reader.page() };
    case 'start':
    case 'ipi':
      return { kind, target: reader.vcpu() };
    case 'migrate':
      return { kind, target: reader.hostCpu() };
    default:
      return { kind: kind as 'flush_user' | 'flush_all' | 'syscall' | 'yield' | 'evict' };
  }
}

function readAccess(reader: Reader, kind: Access, kernel: boolean): Operation {
  const va = kind === 'fetch' ? reader.address() : reader.wordAddress();
  const value = kind === 'store' ? reader.number('a value') : 0;
  const to = reader.accept('->') ? readRegister(reader) : undefined;
  return { kind, kernel, va, value, to };
}
