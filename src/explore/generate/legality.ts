/**
 * The rules for guests (docs/litmus.md): a program that breaks one fails by its own mistake, and is
 * not tried.
 */

import type { PagingName } from '../../hardware/entry.ts';
import type { Operation } from '../litmus/operations.ts';
import { PAGE_NUMBERS, understood } from './guest.ts';
import { expect, keyOf } from './model.ts';
import type { Configuration, Program } from './programs.ts';

/** Whether a program is legal by the rules of docs/litmus.md. */
export function isLegal(
  program: Program,
  configuration: Configuration,
  paging: PagingName,
): boolean {
  const litmus = understood(program, configuration, paging);
  const columns = litmus.vcpus.map(({ ops }) => ops);
  if (twoChangeOneEntry(columns)) return false;
  const mayErr = columns.flat().some(({ kind }) => kind === 'discard' || kind === 'start');
  return !mayErr || expect(litmus, PAGE_NUMBERS).mistake === undefined;
}

/** A vCPU changes an entry under the table's lock: two that change the same one are a mistake. */
function twoChangeOneEntry(columns: readonly (readonly Operation[])[]): boolean {
  const changedBy = new Map<string, number>();
  for (const [vcpu, ops] of columns.entries()) {
    for (const op of ops) {
      if (op.kind !== 'pte' && op.kind !== 'set_pte' && op.kind !== 'tell_pte') continue;
      const key = keyOf(op.table, op.va);
      if ((changedBy.get(key) ?? vcpu) !== vcpu) return true;
      changedBy.set(key, vcpu);
    }
  }
  return false;
}

/** The legal programs of a space, in order. */
export function* legalPrograms(
  programs: Iterable<Program>,
  configuration: Configuration,
  paging: PagingName,
): Generator<Program, void, void> {
  for (const program of programs) if (isLegal(program, configuration, paging)) yield program;
}
