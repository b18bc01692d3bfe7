/**
 * (iv) Switching page tables.
 *
 * A guest changes its top level on almost every context switch, so several shadows are
 * kept; one that is not among them takes the place of another, chosen at random, and
 * inherits its kernel mappings.
 */

import type { Gpa } from '../../shared/address.ts';
import { frameStart, NO_FRAME, NULL } from '../../shared/address.ts';
import { EventKind } from '../../shared/events.ts';
import { FrameKind } from '../../shared/frames.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import type { Lguest } from '../../shared/lguest.ts';
import { flushUserMappings, mapNecessities, releaseAllPagetables } from './flush.ts';

/** find_pgdir's and new_pgdir's way to say "none": the index after the last. */
const none = (lg: Lguest): number => lg.pgdirs.length;

/** H:430 guest_new_pagetable: the vCPU goes on with another top level. */
export function guestNewPagetable(cpu: LgCpu, pgtable: Gpa): void {
  const { lg } = cpu;
  let newpgdir: number;
  let blank = false;
  if (cpu.linearPages) {
    // R14: the first call of any vCPU wipes the tables of all.
    releaseAllPagetables(lg);
    cpu.linearPages = false;
    newpgdir = none(lg);
  } else {
    newpgdir = findPgdir(lg, pgtable);
  }
  if (newpgdir === none(lg)) ({ index: newpgdir, blank } = newPgdir(cpu, pgtable));
  cpu.cpuPgd = newpgdir;
  cpu.cr3 = pgtable;
  lg.host.events.record(EventKind.PgdirSwitched, newpgdir, pgtable);

  // U10: a pgdir that lost its mappings, but was not just allocated, needs the stack too.
  mapNecessities(cpu, blank || !lg.defects.U10);
}

/** H:435 find_pgdir: which shadow, if any, belongs to a guest top level. */
export function findPgdir(lg: Lguest, pgtable: Gpa): number {
  const i = lg.pgdirs.findIndex((p) => p.pgdir !== NULL && p.gpgdir === pgtable);
  return i === -1 ? none(lg) : i;
}

/**
 * H:435 new_pgdir: a shadow for a new top level, in a random place. `blank` says that
 * it is a fresh page without kernel mappings, so the caller must map the stack.
 */
export function newPgdir(cpu: LgCpu, gpgdir: Gpa): { index: number; blank: boolean } {
  const { lg } = cpu;
  // R11: nothing keeps the victim from being one that another vCPU runs on.
  let index = lg.host.prandomU32(cpu) % lg.pgdirs.length;
  let blank = false;
  if (lg.pgdirs[index]!.pgdir === NULL) {
    const frame = lg.host.frames.getZeroedPage(FrameKind.PageTable, lg.index);
    if (frame === NO_FRAME) {
      // No memory: make do with the one in use.
      index = cpu.cpuPgd;
    } else {
      lg.pgdirs[index]!.pgdir = frameStart(frame);
      blank = true;
    }
  }
  const pgdir = lg.pgdirs[index]!;
  if (!blank) lg.host.events.record(EventKind.PgdirEvicted, index, pgdir.gpgdir, gpgdir);
  pgdir.gpgdir = gpgdir;
  flushUserMappings(lg, index);
  pgdir.lastHostCpu = -1;
  return { index, blank };
}
