/** Boots a litmus test's machine, up to the first operation of each column. */

import type { DisciplineName } from '../../../shared/discipline.ts';
import type { Host, SharedMachine } from '../../../shared/host.ts';
import { REGISTERS_WORDS, Reg } from '../../../shared/host-cpu.ts';
import { Vma } from '../../../shared/launcher-map.ts';
import type { LgCpu } from '../../../shared/lg-cpu.ts';
import type { Lguest } from '../../../shared/lguest.ts';
import { EFLAGS_IF, LguestData, RING_SLOTS, SLOT_FREE } from '../../../shared/lguest-data.ts';
import { assemble } from '../../assembly.ts';
import type { DefectId } from '../../defects.ts';
import { PAGE_OFFSET } from '../../guest/kernel/layout.ts';
import { Selector, Vector } from '../../guest/processor.ts';
import { gpfnOf, toGpa, toGpfn, wordInFrame } from '../../hardware/address.ts';
import type { PagingName } from '../../hardware/entry.ts';
import { guestSetStack, IPI_IRQ } from '../../host/interrupts.ts';
import { launch } from '../../host/launcher.ts';
import { writeSaved } from '../../host/switcher.ts';
import { pageTableGuestDataInit } from '../../paging/setup.ts';
import { guestNewPagetable, letGoOfPgdir } from '../../paging/switch.ts';
import {
  END_REASON,
  END_TEXT,
  GuestTables,
  Handler,
  lguestDataOf,
  STARTING,
  stackOf,
  textAt,
} from './guest.ts';
import { FIRST_USER_PAGE, type Litmus } from './litmus.ts';

export interface LitmusSetting {
  readonly paging: PagingName;
  readonly discipline: DisciplineName;
  /** Defects that are on. */
  readonly defects: readonly DefectId[];
  /** The seed for places of new pgdirs; by default 1. */
  readonly seed?: number;
}

/** More than any column has. */
const QUANTUM = 0x7fff_ffff;

const STATES = { cow: Vma.CopyOnWrite, ro: Vma.ReadOnly, rw: Vma.ReadWrite, none: Vma.None };

/**
 * `host` is the main thread's view. The caller queues all vCPUs, also those that another one
 * starts; lastHostCpu of each says where it begins.
 */
export function bootLitmus(
  litmus: Litmus,
  { paging, discipline, defects, seed = 1 }: LitmusSetting,
): { readonly shared: SharedMachine; readonly host: Host } {
  const { cpus: hostCpus, guest, vcpus } = litmus;
  const { pages, pgdirs, policy = {} } = guest;
  const { shared, host } = assemble(
    {
      hostCpus,
      defects,
      discipline,
      seed,
      frames: framesFor(litmus),
      guests: [{ paging, pages, vcpus: vcpus.length, pgdirs, pagingPolicy: policy }],
    },
    Vma.ReadWrite,
  );
  const lg = host.guests[0]!;
  const tables = new GuestTables(litmus, lg.form);
  fillMemory(litmus, lg, tables);
  for (const [page, state] of guest.launcher) lg.map.set(toGpfn(page), STATES[state]);
  launch(lg);
  for (const cpu of lg.cpus) start(litmus, cpu, tables);
  return { shared, host };
}

/** Frames of guest memory, tables, the Switcher, and each CPU's cache. */
const framesFor = ({ cpus, guest, vcpus }: Litmus): number =>
  guest.pages + guest.pgdirs * 12 + vcpus.length * 8 + cpus * 2 + (cpus + 1) * 64;

function fillMemory({ vcpus, guest }: Litmus, lg: Lguest, tables: GuestTables): void {
  const put = (gpa: number, value: number): void =>
    lg.host.words.poke(wordInFrame(lg.map.frame(gpfnOf(toGpa(gpa))), gpa), value);
  for (const id of vcpus.keys()) {
    const data = lguestDataOf(id);
    put(LguestData.irqEnabled(data), EFLAGS_IF);
    put(LguestData.kernelAddress(data), PAGE_OFFSET);
    put(LguestData.syscallVec(data), Vector.Syscall);
    for (let slot = 0; slot < RING_SLOTS; slot++) {
      put(LguestData.hcallStatus(data, slot), SLOT_FREE);
    }
  }
  const text = new Uint32Array(1 + (END_REASON.length >>> 2));
  new TextEncoder().encodeInto(END_REASON, new Uint8Array(text.buffer));
  for (const [i, word] of text.entries()) put(END_TEXT + i * 4, word);
  for (let page = FIRST_USER_PAGE; page < guest.pages; page++) put(page * 4096, page);
  for (const [gpa, { low, high }] of tables.entries) {
    put(gpa, low);
    if (lg.form.pae) put(gpa + 4, high);
  }
}

/** The guest kernel's initialization of a vCPU. */
function start({ guest, vcpus }: Litmus, cpu: LgCpu, tables: GuestTables): void {
  const { lg, id } = cpu;
  const column = vcpus[id]!;
  for (let reg = 0; reg < REGISTERS_WORDS; reg++) writeSaved(cpu, reg, 0);
  writeSaved(cpu, Reg.cs, Selector.UserCode);
  writeSaved(cpu, Reg.ss, Selector.UserData);
  writeSaved(cpu, Reg.eflags, EFLAGS_IF);
  writeSaved(cpu, Reg.eip, textAt(id, 0, guest.linear) | (column.started ? 0 : STARTING));
  cpu.quantum = QUANTUM;
  cpu.lastHostCpu = column.cpu;
  // As written there is one for all vCPUs.
  if (lg.steps.keeperOf(cpu) === cpu) {
    cpu.lguestData = lguestDataOf(id);
    pageTableGuestDataInit(cpu);
  }
  setGate(cpu, Vector.PageFault, Handler.pageFault);
  setGate(cpu, Vector.FirstExternal + IPI_IRQ, Handler.ipi);
  setGate(cpu, Vector.Syscall, Handler.syscall);
  cpu.started = column.started;
  if (!column.started || guest.linear) return;
  const stack = column.stack ?? stackOf(id);
  // R15: another vCPU has said how many pages a stack has, and they are mapped with the tables.
  cpu.esp1 = stack;
  guestNewPagetable(cpu, tables.top(column.on));
  guestSetStack(cpu, Selector.KernelData, stack, 1);
  letGoOfPgdir(cpu);
}

/** A trap gate: interrupts stay on. */
function setGate(cpu: LgCpu, vector: number, handler: number): void {
  cpu.setIdt(vector * 2, (Selector.KernelCode << 16) | (handler & 0xffff));
  cpu.setIdt(vector * 2 + 1, (handler & 0xffff_0000) | 0x8f00);
}
