/** Tiny guests for studies, made of columns of operations as litmus tests are. */

import { FIRST_USER_PAGE, type Litmus } from '../../explore/litmus/litmus.ts';
import type { Operation } from '../../explore/litmus/operations.ts';
import { type Gva, PAGE_SIZE, toGva } from '../../hardware/address.ts';
import {
  type Entry,
  makeEntry,
  NO_ENTRY,
  PAGE_PRESENT,
  PAGE_RW,
  PAGE_USER,
} from '../../hardware/entry.ts';

/** Pages of the program, the same in each top level. */
export const USER_PAGES = 64;

const BASE = 0x0040_0000;

export const pageAt = (page: number): Gva => toGva(BASE + page * PAGE_SIZE);

/** As the guest's kernel maps a page of the program. */
export const entryOf = (page: number): Entry =>
  makeEntry(FIRST_USER_PAGE + page, PAGE_PRESENT | PAGE_RW | PAGE_USER);

export const load = (page: number): Operation => ({
  kind: 'load',
  kernel: false,
  va: pageAt(page),
  value: 0,
  to: undefined,
});

/** The guest's kernel changes an entry and tells the host: there is a page, or none. */
export const setPte = (table: string, page: number, there: boolean): Operation => ({
  kind: 'set_pte',
  table,
  va: pageAt(page),
  entry: there ? entryOf(page) : NO_ENTRY,
});

/** The guest's kernel changes an entry without telling the host. */
export const pte = (table: string, page: number, there: boolean): Operation => ({
  kind: 'pte',
  table,
  va: pageAt(page),
  entry: there ? entryOf(page) : NO_ENTRY,
});

export const flushUser: Operation = { kind: 'flush_user' };

interface Column {
  /** The top level that it runs on. */
  readonly on: string;
  readonly ops: readonly Operation[];
}

/** A vCPU for each column, each on a host CPU of its own. */
export function guestOf(columns: readonly Column[]): Litmus {
  const tables = [...new Set(columns.map(({ on }) => on))];
  const mapped = new Map(Array.from({ length: USER_PAGES }, (_, i) => [pageAt(i), entryOf(i)]));
  return {
    name: 'a guest of a study',
    about: '',
    paging: [],
    disciplines: [],
    guestDuty: [],
    outcomes: [],
    cpus: columns.length,
    guest: {
      pgdirs: 4,
      pages: FIRST_USER_PAGE + USER_PAGES,
      launcher: new Map(),
      linear: false,
      tables: new Map(tables.map((table) => [table, mapped])),
    },
    vcpus: columns.map(({ on, ops }, cpu) => ({
      on,
      cpu,
      stack: undefined,
      started: true,
      ops,
      texts: [],
    })),
  };
}
