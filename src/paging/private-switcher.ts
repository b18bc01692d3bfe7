/**
 * (vi), repaired for several vCPUs: each has its own tables for the Switcher.
 *
 * As written the Switcher is mapped in the pgdirs, which vCPUs share: one vCPU's entry unmaps
 * another's pages, or leaves another's mapped, from which it then loads its registers (R7, R9,
 * R10, R13, R16). Here a vCPU enters through a top level of its own: a copy of the pgdir's,
 * renewed when that has changed, except for the entry that leads to the Switcher. With PAE the
 * middle level of the last gigabyte is a copy as well.
 *
 * LIMIT: the Switcher has one last-level table, with no guest page in its range.
 *
 * See docs/decisions/private-top-level.md.
 */

import * as counters from '../../shared/counters.ts';
import { FrameKind } from '../../shared/frames.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import * as lgCpu from '../../shared/lg-cpu.ts';
import type { Pfn } from '../hardware/address.ts';
import * as address from '../hardware/address.ts';
import * as entry from '../hardware/entry.ts';
import { releasePte } from './entries.ts';
import * as switcher from './switcher.ts';

const { frameStart, NO_FRAME, PAGE_SIZE, PAGE_WORDS, toPfn, toPtr } = address;
const { Counter } = counters;
const { isPresent, makeEntry, NO_ENTRY, PAGE_TABLE, pgdIndex, pmdIndex, pteIndex, tablePfn } =
  entry;
const { NOWHERE } = lgCpu;
const { KERNEL, KERNEL_RO, KERNEL_RX, percpuPagesAddr, switcherEntry } = switcher;

/** Allocate the tables, with the Switcher's text. False when there is no memory. */
export function allocatePrivateSwitcher(cpu: LgCpu): boolean {
  const { frames } = cpu.lg.host;
  const take = (): Pfn => frames.getZeroedPage(FrameKind.PageTable, cpu.lg.index);
  cpu.root = take();
  cpu.rootPmd = cpu.lg.form.pae ? take() : NO_FRAME;
  cpu.switcherTable = take();
  cpu.switcherHostCpu = NOWHERE;
  cpu.forgetRoot();
  if (cpu.root === NO_FRAME || cpu.switcherTable === NO_FRAME) return false;
  if (cpu.lg.form.pae && cpu.rootPmd === NO_FRAME) return false;
  setSwitcherPage(cpu, 0, cpu.lg.host.switcherPages[0]!, KERNEL_RX, true);
  return true;
}

/** Before every entry: map this host CPU's two pages, and no other's, in the vCPU's own table. */
export function mapPrivateSwitcher(cpu: LgCpu, hostCpu: number): void {
  const { lg } = cpu;
  const { switcherPages } = lg.host;
  const last = cpu.switcherHostCpu;
  if (last === hostCpu) {
    lg.counters.count(Counter.RemapsCached);
    return;
  }
  lg.counters.count(last === NOWHERE ? Counter.RemapsUnknown : Counter.RemapsKnown);
  if (last !== NOWHERE) {
    clearSwitcherPage(cpu, pageOf(cpu, last));
    clearSwitcherPage(cpu, pageOf(cpu, last) + 1);
  }
  setSwitcherPage(cpu, pageOf(cpu, hostCpu), cpu.regsPage, KERNEL, false);
  setSwitcherPage(cpu, pageOf(cpu, hostCpu) + 1, switcherPages[2 + hostCpu * 2]!, KERNEL_RO, false);
  cpu.switcherHostCpu = hostCpu;
}

/**
 * Copy the upper levels of the vCPU's pgdir, with the entry of its own Switcher table.
 * A CPU that removes an entry from the pgdir increments its version before it checks which CPUs
 * are inside the guest; this CPU is counted as inside before it reads the version.
 */
export function copyRoot(cpu: LgCpu): void {
  const { lg } = cpu;
  const { words, switcherAddr } = lg.host;
  const { form } = lg;
  const { pgdir: top, version } = lg.pgdirs[cpu.cpuPgd]!;
  if (cpu.rootPgdir === cpu.cpuPgd && cpu.rootVersion === version) return;
  words.copy(frameStart(cpu.root), top, PAGE_WORDS);
  const spgd = toPtr(frameStart(cpu.root) + pgdIndex(form, switcherAddr) * form.entryWords);
  if (form.pae) {
    const middle = lg.entry(spgd);
    if (isPresent(middle)) {
      words.copy(frameStart(cpu.rootPmd), frameStart(toPfn(tablePfn(middle))), PAGE_WORDS);
    } else {
      words.fill(frameStart(cpu.rootPmd), PAGE_WORDS, 0);
    }
    lg.setEntry(spgd, makeEntry(cpu.rootPmd, form.checkGpgdMask));
    const below = toPtr(frameStart(cpu.rootPmd) + pmdIndex(form, switcherAddr) * form.entryWords);
    lg.setEntry(below, makeEntry(cpu.switcherTable, PAGE_TABLE));
  } else {
    lg.setEntry(spgd, makeEntry(cpu.switcherTable, PAGE_TABLE));
  }
  cpu.setRootSource(cpu.cpuPgd, version);
}

/** When the guest is taken down. */
export function freePrivateSwitcher(cpu: LgCpu): void {
  const { host } = cpu.lg;
  if (cpu.switcherTable !== NO_FRAME) {
    for (let page = 0; page < host.switcherPages.length; page++) clearSwitcherPage(cpu, page);
  }
  for (const frame of [cpu.root, cpu.rootPmd, cpu.switcherTable]) {
    if (frame !== NO_FRAME) host.frames.disown(frame);
  }
  cpu.root = cpu.rootPmd = cpu.switcherTable = NO_FRAME;
}

/** Number among the Switcher's pages of a host CPU's first. */
const pageOf = (cpu: LgCpu, hostCpu: number): number =>
  (percpuPagesAddr(cpu.lg, hostCpu) - cpu.lg.host.switcherAddr) / PAGE_SIZE;

const slot = ({ lg, switcherTable }: LgCpu, page: number) =>
  toPtr(
    frameStart(switcherTable) +
      (pteIndex(lg.form, lg.host.switcherAddr) + page) * lg.form.entryWords,
  );

function setSwitcherPage(
  cpu: LgCpu,
  page: number,
  frame: Pfn,
  flags: number,
  executable: boolean,
): void {
  cpu.lg.host.frames.get(frame);
  cpu.lg.setEntry(slot(cpu, page), switcherEntry(cpu.lg, frame, flags, executable));
}

function clearSwitcherPage(cpu: LgCpu, page: number): void {
  releasePte(cpu.lg, cpu.lg.entry(slot(cpu, page)));
  cpu.lg.setEntry(slot(cpu, page), NO_ENTRY);
}
