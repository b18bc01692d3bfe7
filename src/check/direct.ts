/**
 * Direct paging, read from memory without the host's help: what its tables hold, and the
 * invariant that is its own: no page table can be written by the guest, and a page is used as
 * often as its tables say.
 */

import type { Host } from '../../shared/host.ts';
import type { Lguest } from '../../shared/lguest.ts';
import { topLevel } from '../direct/tables.ts';
import { isPinned, levelOf, tableType, typeOf, usesOf, WRITABLE } from '../direct/types.ts';
import { ANY_WRITE, Right } from '../hardware/access.ts';
import { type Gpfn, gpfnOf, toGpfn, toGva, toPfn, wordInFrame } from '../hardware/address.ts';
import { type Entry, isPresent, NO_ENTRY, PAGE_RW, ptePfn } from '../hardware/entry.ts';
import { insiders, tlbEntries } from './host-cpus.ts';
import { type Shadow, shadowOf } from './shadow.ts';
import { describeFrame, type Violation, violation, wordsOf } from './violation.ts';

/** A present entry of a page that is a table. */
interface Used {
  readonly table: Gpfn;
  readonly level: number;
  readonly index: number;
  readonly entry: Entry;
}

/** Whether it runs on its own tables yet. */
const isDirect = (lg: Lguest): boolean => lg.isDirect && !lg.cpus[0]!.linearPages;

/**
 * What holds references, as a shadow would: the entries of the last level, each table on its
 * own, and the vCPUs' own tables.
 */
export function directTables(lg: Lguest): Shadow {
  if (!isDirect(lg)) return shadowOf(lg);
  const { entries, tables } = shadowOf(lg, []);
  const of = { pgdir: -1, vcpu: undefined };
  const rights = Right.SupervisorRead;
  const held = tablePages(lg).map((page) => ({
    ...of,
    vaddr: toGva(0),
    entry: NO_ENTRY,
    frame: lg.map.frame(page),
    rights,
  }));
  const mapped = entriesOf(lg)
    .filter(({ level }) => level === 1)
    .map(({ index, entry }) => ({
      ...of,
      vaddr: toGva(index * 4096),
      entry,
      frame: toPfn(ptePfn(entry)),
      rights: entry.low & PAGE_RW ? rights | Right.SupervisorWrite : rights,
    }));
  return { entries: [...entries, ...held, ...mapped], tables };
}

/** Isolation of page tables from their guest. At rest, or with all CPUs at safe points. */
export function checkDirect(host: Host): Violation[] {
  return [
    ...host.guests.filter(isDirect).flatMap((lg) => [...writableTables(lg), ...wrongUses(lg)]),
    ...writableInTlbs(host),
  ];
}

function writableTables(lg: Lguest): Violation[] {
  return entriesOf(lg).flatMap(({ table, level, index, entry }) => {
    const frame = toPfn(ptePfn(entry));
    const page = lg.host.frames.guestPage(frame);
    const place = { guest: lg.index, entry: wordsOf(entry) };
    const found = `${describeFrame(lg.host, frame)} in entry ${index} of guest page ${table}`;
    if (lg.map.frame(page) !== frame) {
      return [violation(1, 'an entry of another page', place, 'the frame of its page', found)];
    }
    if (level > 1 || !(entry.low & PAGE_RW) || levelOf(typeOf(lg, page)) < 1) return [];
    return [violation(1, 'a page table can be written', place, 'read-only', found)];
  });
}

/** The types' counts, against the uses that there are. */
function wrongUses(lg: Lguest): Violation[] {
  const due = new Map<number, Map<number, number>>();
  const use = (page: number, type: number): void => {
    const uses = due.get(page) ?? new Map<number, number>();
    uses.set(type, (uses.get(type) ?? 0) + 1);
    due.set(page, uses);
  };
  for (const { level, entry } of entriesOf(lg)) {
    const page = lg.host.frames.guestPage(toPfn(ptePfn(entry)));
    if (level > 1) use(page, tableType(level - 1));
    else if (entry.low & PAGE_RW) use(page, WRITABLE);
  }
  for (const page of tablePages(lg)) if (isPinned(lg, page)) use(page, tableType(topLevel(lg)));
  for (const { cr3 } of lg.cpus) use(gpfnOf(cr3), tableType(topLevel(lg)));
  return pagesOf(lg).flatMap((page) => {
    const uses = due.get(page) ?? new Map<number, number>();
    const type = typeOf(lg, page);
    const found = usesOf(lg, page);
    if (uses.size <= 1 && found === (uses.get(type) ?? 0)) return [];
    const expected = [...uses].map(([of, times]) => `${times} as ${of}`).join(', ') || 'none';
    const title = 'a page is used otherwise than its type says';
    const place = { guest: lg.index };
    return [violation(1, title, place, expected, `page ${page}: ${found} as ${type}`)];
  });
}

function writableInTlbs(host: Host): Violation[] {
  return insiders(host).flatMap(({ cpu, vcpu: { lg, id } }) => {
    if (!isDirect(lg)) return [];
    const tables = new Set<number>(tablePages(lg).map((page) => lg.map.frame(page)));
    return tlbEntries(host, cpu)
      .filter(({ frame, rights }) => rights & ANY_WRITE && tables.has(frame))
      .map(({ frame, vaddr }) => {
        const place = { guest: lg.index, vcpu: id, hostCpu: cpu.index, vaddr };
        const title = 'a page table can be written by the TLB';
        return violation(1, title, place, 'read-only', describeFrame(host, frame));
      });
  });
}

const pagesOf = (lg: Lguest): Gpfn[] => Array.from({ length: lg.pfnLimit }, (_, i) => toGpfn(i));

const tablePages = (lg: Lguest): Gpfn[] =>
  pagesOf(lg).filter((page) => levelOf(typeOf(lg, page)) >= 1);

function entriesOf(lg: Lguest): Used[] {
  const { form } = lg;
  return tablePages(lg).flatMap((table) => {
    const level = levelOf(typeOf(lg, table));
    const length = level === topLevel(lg) ? form.ptrsPerPgd : form.ptrsPerPte;
    return Array.from({ length }, (_, index) => {
      const at = wordInFrame(lg.map.frame(table), index * form.entryWords * 4);
      return { table, level, index, entry: lg.entry(at) };
    }).filter(({ entry }) => isPresent(entry));
  });
}
