/** The machine that a guest's kernel finds itself on. */

import type { PagingForm } from '../../hardware/entry.ts';
import type { Program } from '../program.ts';
import type { MmuOps } from './paravirt/mmu-ops.ts';

/** A guest's processors and disks, apart from registers and memory. */
export interface GuestMachine {
  readonly form: PagingForm;
  readonly nx: boolean;
  readonly vcpus: number;
  /** The operations of its kernel that depend on how it is virtualized. */
  readonly mmu: MmuOps;
  /** Memory, in pages. */
  readonly pages: number;
  readonly program: Program;
  /** Whether threads run at the same time that have an order to keep to. */
  readonly ordered: boolean;
}
