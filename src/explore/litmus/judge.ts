/** Judges which of the declared outcomes a litmus test has. */

import type { Host } from '../../../shared/host.ts';
import { Dead, type Lguest } from '../../../shared/lguest.ts';
import { guestLookUp, wordOf } from '../../check/guest-tables.ts';
import { tlbEntries } from '../../check/host-cpus.ts';
import { shadowOf } from '../../check/shadow.ts';
import { type Gva, pageStart, toGpa, toGva } from '../../hardware/address.ts';
import { type Entry, isPresent, ptePfn } from '../../hardware/entry.ts';
import { readSaved } from '../../host/switcher.ts';
import type { Condition, Term } from './conditions.ts';
import { hasFlag } from './entries.ts';
import { GuestTables } from './guest.ts';
import type { Litmus } from './litmus.ts';
import type { Judgement } from './schema.ts';
import { RegisterOf } from './software.ts';
import { FAULT } from './tokens.ts';

export interface Judged {
  /** Index of the first outcome whose condition holds; undefined when none does. */
  readonly outcome: number | undefined;
  readonly is: Judgement | 'undeclared';
  readonly because: string;
}

/** At the end, before the guest is freed. `host` is any view of the machine. */
export function judge(litmus: Litmus, host: Host): Judged {
  const lg = host.guests[0]!;
  const judging: Judging = { lg, tables: new GuestTables(litmus, lg.form) };
  const outcome = litmus.outcomes.findIndex(({ when }) => holds(judging, when));
  if (outcome < 0) {
    return { outcome: undefined, is: 'undeclared', because: 'no outcome is declared for it' };
  }
  const { is, because } = litmus.outcomes[outcome]!;
  return { outcome, is, because };
}

interface Judging {
  readonly lg: Lguest;
  readonly tables: GuestTables;
}

function holds(judging: Judging, condition: Condition): boolean {
  const { lg } = judging;
  switch (condition.kind) {
    case 'and':
      return holds(judging, condition.left) && holds(judging, condition.right);
    case 'or':
      return holds(judging, condition.left) || holds(judging, condition.right);
    case 'not':
      return !holds(judging, condition.of);
    case 'equal':
      return valueNow(lg, condition.left) === valueNow(lg, condition.right);
    case 'entry': {
      const { table, va, test, shadow } = condition;
      const entry = (shadow ? shadowEntry : ownEntry)(judging, table, va);
      if ('flags' in test) {
        return entry !== undefined && test.flags.every((flag) => hasFlag(entry.entry, flag));
      }
      return entry?.page === test.page;
    }
    case 'tlb': {
      const page = pageStart(condition.va);
      return tlbEntries(lg.host, lg.host.cpus[condition.hostCpu]!).some(
        ({ vaddr }) => vaddr === page,
      );
    }
    case 'dead':
      return lg.dead === Dead.Killed && condition.reason.test(lg.reason);
    case 'alive':
      return lg.dead === Dead.Alive || lg.dead === Dead.PoweredOff;
  }
}

/** The value of a term at the end of a run. */
export function valueNow(lg: Lguest, term: Term): number {
  switch (term.kind) {
    case 'number':
      return term.value;
    case 'fault':
      return FAULT;
    case 'register':
      return readSaved(lg.cpus[term.vcpu]!, RegisterOf[term.name]);
    case 'word':
      return wordOf(lg, toGpa(term.page * 4096 + term.index * 4));
  }
}

interface Found {
  readonly entry: Entry;
  /** The guest page that it maps; −1 for a frame without one. */
  readonly page: number;
}

function ownEntry({ lg, tables }: Judging, table: string, va: Gva): Found | undefined {
  const found = guestLookUp(lg, tables.top(table), va);
  if (found === undefined || !isPresent(found.entry)) return undefined;
  return { entry: found.entry, page: ptePfn(found.entry) };
}

function shadowEntry({ lg, tables }: Judging, table: string, va: Gva): Found | undefined {
  const top = tables.top(table);
  const page = toGva(pageStart(va));
  for (const { pgdir, vaddr, entry, frame } of shadowOf(lg).entries) {
    if (vaddr !== page || lg.pgdirs[pgdir]?.gpgdir !== top) continue;
    return { entry, page: guestPageOf(lg, frame) };
  }
  return undefined;
}

function guestPageOf(lg: Lguest, frame: number): number {
  for (let page = 0; page < lg.pfnLimit; page++) {
    if (lg.map.frame(page as typeof lg.pfnLimit) === frame) return page;
  }
  return -1;
}
