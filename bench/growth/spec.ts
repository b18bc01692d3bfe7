/** Machines that differ in one size, the rest as small as it can be. */

import type { ProgramSource } from '../../src/guest/load.ts';
import { PAGE_SIZE } from '../../src/hardware/address.ts';
import type { MachineSpec } from '../../src/machine.ts';

export interface Shape {
  readonly hostCpus?: number;
  readonly guests?: number;
  readonly vcpus?: number;
  /** Shadow page tables that are cached. */
  readonly pgdirs?: number;
  /** Of each guest. */
  readonly mib?: number;
  readonly program?: ProgramSource;
}

export const MIB_PAGES = (1 << 20) / PAGE_SIZE;

export const specOf = ({
  hostCpus = 1,
  guests = 1,
  vcpus = 1,
  pgdirs = 4,
  mib = 16,
  program = { kind: 'builtin', name: 'touch' },
}: Shape): MachineSpec => ({
  hostCpus,
  policy: 'random',
  seed: 1,
  quantum: { least: 2_000, most: 20_000 },
  discipline: 'lock-free',
  guests: Array.from({ length: guests }, (_, i) => ({
    name: `guest ${i}`,
    program,
    pages: mib * MIB_PAGES,
    paging: 'nonpae',
    vcpus,
    pgdirs,
  })),
});
