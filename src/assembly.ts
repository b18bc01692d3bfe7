/**
 * Assembles a machine's memory from its description: the one place for defaults, and for which
 * parts go together. Drivers run it: worker threads (machine.ts), one thread round robin
 * (round-robin.ts) or under control (explore), or a script.
 */

import type { DisciplineName } from '../shared/discipline.ts';
import { Host, makeMachine, type SharedMachine } from '../shared/host.ts';
import { Vma } from '../shared/launcher-map.ts';
import { type GuestConfig, type Layout, layOut, totalSwitcherPages } from '../shared/layout.ts';
import type { Virtualization } from '../shared/virtualization.ts';
import type { Words } from '../shared/words.ts';
import { ALL_DEFECTS, type DefectId } from './defects.ts';
import { type Gva, type Ptr, toGva } from './hardware/address.ts';
import type { PagingName } from './hardware/entry.ts';
import { type PagingPolicy, policySwitches } from './paging/policies/declared.ts';
import { stepsFor } from './paging/steps/as-written.ts';
import type { WasmMemory } from './wasm.ts';

export interface GuestShape {
  /** In pages. */
  readonly pages: number;
  readonly paging: PagingName;
  /** By default 1, as lguest ran. */
  readonly vcpus?: number;
  /** Shadow page tables that the host keeps for it; by default 4, as in the seed. */
  readonly pgdirs?: number;
  /** Whether it is shown the NX bit, which takes PAE; by default with PAE. */
  readonly nx?: boolean;
  /** How its addresses become the host's; by default shadow. Direct takes one vCPU. */
  readonly virtualization?: Virtualization;
  /** Where the paging code does other than lguest's. */
  readonly pagingPolicy?: Partial<PagingPolicy>;
}

export interface MachineShape {
  readonly hostCpus: number;
  readonly guests: readonly GuestShape[];
  readonly seed: number;
  /** Defects of the code as written that are on; by default all as written, else none. */
  readonly defects?: readonly DefectId[];
  /** How several vCPUs of a guest are kept apart; by default they are not. */
  readonly discipline?: DisciplineName;
  /** Frames of host memory; by default what the guests can need at most. */
  readonly frames?: number;
  /** By default lguest's when the fixmap leaves room for it. */
  readonly switcherAddr?: number;
  /** Blocks of programs that all host CPUs share decoded; by default none. */
  readonly blocks?: number;
}

/** lguest's window when the fixmap leaves room for it. */
export const SWITCHER_ADDR: Gva = toGva(0xffc0_0000);

/** Shadow table pages that a cached pgdir may need beside those that its guest's pages fill. */
const TABLES_PER_PGDIR = 48;
const PGDIRS = 4;
/** Its regs page, and the tables of its own that a discipline gives it. */
const PAGES_PER_VCPU = 4;

/** Memory with all records made, and guest memory as the Launcher maps it. Throws UserError. */
export function assemble(
  shape: MachineShape,
  vma: Vma = Vma.CopyOnWrite,
): { readonly shared: SharedMachine; readonly host: Host } {
  return makeMachine(layoutOf(shape), vma, stepsFor);
}

/**
 * Such a machine as another thread sees it, or another host CPU of this one; `cpu`: which, or
 * MAIN_THREAD. `makeWords`: another leaf.
 */
export const joinMachine = (
  shared: SharedMachine,
  cpu: number,
  makeWords?: (memory: WasmMemory, scratch: Ptr) => Words,
): Host => new Host(shared, cpu, stepsFor, makeWords);

/** Where everything is in such a machine. Throws UserError when it does not fit. */
export function layoutOf(shape: MachineShape): Layout {
  return layOut({
    hostCpus: shape.hostCpus,
    switcherAddr: shape.switcherAddr === undefined ? SWITCHER_ADDR : toGva(shape.switcherAddr),
    frames: shape.frames ?? framesFor(shape),
    seed: shape.seed,
    ...(shape.blocks === undefined ? {} : { blocks: shape.blocks }),
    guests: shape.guests.map((guest) => guestConfig(shape, guest)),
  });
}

/**
 * Defects, disciplines, policies and pgdirs are the shadow's; guests without one have a lock,
 * and for each vCPU a pgdir that says on which top level it is.
 */
function guestConfig(
  shape: MachineShape,
  {
    paging,
    nx = paging === 'pae',
    pages,
    vcpus = 1,
    pgdirs = PGDIRS,
    virtualization = 'shadow',
    pagingPolicy,
  }: GuestShape,
): GuestConfig {
  const policy = policySwitches(pagingPolicy);
  const common = { paging, nx, pages, vcpus, virtualization, policy };
  if (virtualization !== 'shadow') {
    return { ...common, pgdirs: vcpus, defects: [], discipline: 'guest-lock' };
  }
  const { discipline = 'as-written' } = shape;
  return { ...common, pgdirs, defects: defectsOf(shape), discipline };
}

/** The defects that are on. */
export const defectsOf = ({
  defects,
  discipline = 'as-written',
}: Pick<MachineShape, 'defects' | 'discipline'>): readonly DefectId[] =>
  defects ?? (discipline === 'as-written' ? ALL_DEFECTS : []);

/** Guest memory, page tables for it, and the Switcher: what the guests can need at most. */
export function framesFor({ hostCpus, guests }: MachineShape): number {
  const needed = guests.map(
    ({ pages, vcpus = 1, pgdirs = PGDIRS }) =>
      pages + pgdirs * (TABLES_PER_PGDIR + Math.ceil(pages / 512)) + vcpus * PAGES_PER_VCPU,
  );
  // What lies in other CPUs' caches is out of reach.
  const caches = hostCpus * 64;
  return needed.reduce((a, b) => a + b, 1 + totalSwitcherPages(hostCpus) + caches);
}
